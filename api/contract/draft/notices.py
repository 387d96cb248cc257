"""All that drafting has to say, in Chinese and English. Ids are stable: they stand in `contract draft --json`."""

from api.contract.model import Severity
from api.contract.notices import finding, loss

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

# --- refused ---------------------------------------------------------------------------------------
UNREADABLE = finding(
    "draft-unreadable", _ERROR, ("读不了:{reason}。", "It cannot be read: {reason}."),
    ("核对文件与 --from。", "Check the file and --from."),
)  # fmt: skip
TOO_LARGE = finding(
    "draft-too-large", _ERROR, ("{what}超过上限 {limit}。", "{what} is above the bound of {limit}."),
    ("给出一份摘录:表头与几百行就够。", "Give an extract: the header and some hundred rows are enough."),
)  # fmt: skip
XML_DOCTYPE = finding(
    "draft-doctype", _ERROR,
    ("XML 带 DOCTYPE,已拒绝。", "The XML has a DOCTYPE and was refused."),
    ("去掉 DOCTYPE 与实体。", "Remove the DOCTYPE and its entities."), "CWE-611, CWE-776",
)  # fmt: skip
ENCODING = finding(
    "draft-encoding", _ERROR,
    ("既不是 UTF-8,也不是 GB18030(字节 {offset})。", "It is neither UTF-8 nor GB18030 (byte {offset})."),
    ("另存为 UTF-8。", "Save it as UTF-8."),
)  # fmt: skip
EMPTY = finding(
    "draft-empty", _ERROR, ("{what}里没有可用的东西。", "There is nothing to draft from in {what}."),
    ("第一行应是列名,其后是数据。", "The first line names the columns, data follow."),
)  # fmt: skip
ENCRYPTED = finding(
    "draft-encrypted", _ERROR, ("文件有密码。", "The file has a password."), ("去掉密码后再试。", "Remove the password and try again."),
)  # fmt: skip
REFERENCE_OUTSIDE = finding(
    "draft-reference-outside", _ERROR,
    ("引用 {ref} 不在文件夹内,没有读取。", "The reference {ref} leads outside the folder and was not read."),
    ("把它存到同一文件夹,改成相对路径。", "Save it in the same folder and refer to it by a relative path."),
    "OWASP API7:2023 Server Side Request Forgery",
)  # fmt: skip

# --- told ------------------------------------------------------------------------------------------
ENCODING_READ = finding("draft-encoding-read", _INFO, ("按 {encoding} 读取。", "It was read as {encoding}."))
ROWS_SAMPLED = finding(
    "draft-rows-sampled", _INFO,
    ("只看了前 {rows} 行。", "Only the first {rows} rows were looked at."),
    ("类型、长度与代码表由这些行推断,请核对。", "Types, lengths and code lists are guessed from them; check them."),
)  # fmt: skip
NAME_INVENTED = finding(
    "draft-name-invented", _WARNING,
    ("列“{native}”没有认识的名字,暂名 {name}。", "The column “{native}” has no known name; it is called {name} for now."),
    ("在 contract.yaml 与 mapping.yaml 里一起改名。", "Rename it in contract.yaml and mapping.yaml together."),
)  # fmt: skip
NAME_NUMBERED = finding(
    "draft-name-numbered", _WARNING,
    ("列“{native}”与前面的同名,改名 {name}。", "The column “{native}” has the name of one before it; it is called {name}."),
    ("给它自己的名字。", "Give it a name of its own."),
)  # fmt: skip
COLUMN_UNNAMED = finding(
    "draft-column-unnamed", _WARNING, ("第 {number} 列没有列名。", "Column {number} has no name."), ("补上列名。", "Name it."),
)  # fmt: skip
COLUMN_TWICE = finding(
    "draft-column-twice", _ERROR,
    ("列名“{native}”出现两次,无法按列名取值。", "The column name “{native}” stands twice: values cannot be told apart by it."),
    ("给每列自己的名字。", "Give each column a name of its own."),
)  # fmt: skip
HEADER_FORMULA = finding(
    "draft-header-formula", _WARNING,
    ("第 {number} 列的列名像公式,没有采用。", "The name of column {number} looks like a formula and was not used."), ("补上列名。", "Name it."),
    "CWE-1236",
)  # fmt: skip
FORMULAS = finding(
    "draft-formulas", _INFO, ("{count} 个公式单元格,只读了保存下来的结果。", "{count} cells hold formulas; their saved results were read."),
)  # fmt: skip
ROWS_UNEVEN = finding(
    "draft-rows-uneven", _WARNING, ("{count} 行的列数与表头不同。", "{count} rows have more or fewer columns than the header."),
    ("检查分隔符与引号。", "Check separators and quotes."),
)  # fmt: skip
KEY_MISSING = finding(
    "draft-key-missing", _WARNING,
    ("没有唯一的列,只起草了列表。", "No column is unique: only a list was drafted."), ("指明主键。", "Say which column is the key (--key)."),
)  # fmt: skip
GUESSED_CLASS = finding(
    "draft-guessed-class", _INFO,
    ("{name}:推断为 {level} 的 {kind},脱敏 {mask}。", "{name}: guessed to be {kind} of {level}, masked {mask}."),
    ("核对 x-classification。", "Check x-classification."), "GB/T 35273-2020",
)  # fmt: skip
GUESSED_REF = finding(
    "draft-guessed-relation", _INFO,
    ("{name}:推断与 {operation} 相连。", "{name}: guessed to lead to {operation}."), ("核对 x-ref。", "Check x-ref."),
)  # fmt: skip
GUESSED_BASIS = finding(
    "draft-guessed-basis", _WARNING,
    ("有个人信息,依据推断为 {basis}。", "There are personal data; the basis is guessed to be {basis}."),
    ("由法务核对 x-basis 与 x-purpose;法定职责写明法律与条款。", "Have x-basis and x-purpose checked; a statutory duty names law and article."),
    "PIPL Art. 13",
)  # fmt: skip
UPSTREAM_TODO = finding(
    "draft-upstream", _INFO,
    ("mapping.yaml 按此来源的默认写法起草。", "mapping.yaml is drafted by the defaults of this kind of source."),
    ("核对业务代码、空结果与超时的写法。", "Check business codes, empty results and faults."),
)  # fmt: skip


# --- lost ------------------------------------------------------------------------------------------
def _lost(id: str, zh: str, en: str):  # type: ignore[no-untyped-def]  # noqa: A002, ANN202 - a notice, as `loss` gives it
    return loss(id, (), (zh, en), "XML Schema 1.0 Part 1")


CHOICE = _lost(
    "xsd-choice",
    "choice 变成都可省略的属性:{names}。",
    "The choice became properties that may all be left out: {names}.",
)
MIXED = _lost(
    "xsd-mixed",
    "混合内容只留下元素,文字丢失。",
    "Mixed content keeps its elements only; the text between them is lost.",
)
SUBSTITUTION = _lost(
    "xsd-substitution",
    "替换组 {name} 的其他成员没有保留。",
    "The members of the substitution group {name} are not kept.",
)
ANY = _lost("xsd-any", "any 的内容没有保留。", "What stands in an `any` is not kept.")
ANY_ATTRIBUTE = _lost("xsd-any-attribute", "anyAttribute 没有保留。", "`anyAttribute` is not kept.")
UNION = _lost("xsd-union", "union 变成文本。", "A union became text.")
RECURSIVE = _lost(
    "xsd-recursive",
    "递归类型 {name} 在第 {depth} 层截断。",
    "The recursive type {name} is cut at level {depth}.",
)
ABSTRACT = _lost(
    "xsd-abstract",
    "抽象类型 {name} 按其自身的字段写出。",
    "The abstract type {name} is written with its own fields only.",
)
PATTERN = _lost(
    "xsd-pattern",
    "正则 {pattern} 无法转换,没有保留。",
    "The pattern {pattern} cannot be converted and is not kept.",
)
OCCURS = _lost(
    "xsd-group-occurs", "整组重复(maxOccurs)没有保留。", "The repetition of a whole group is not kept."
)
UNIQUE = _lost("xsd-identity", "{what} {name} 约束没有保留。", "The constraint {what} {name} is not kept.")
NILLABLE = _lost(
    "xsd-nil", "xsi:nil 与缺省不再区分:{name}。", "xsi:nil and absence are no longer told apart: {name}."
)
TYPE_UNKNOWN = _lost(
    "xsd-type-unknown",
    "类型 {name} 找不到,按文本处理。",
    "The type {name} cannot be found; it is taken as text.",
)
ATTACHMENT = _lost(
    "wsdl-attachment", "操作 {name} 的附件没有保留。", "The attachments of the operation {name} are not kept."
)
HEADER = _lost(
    "wsdl-header",
    "操作 {name} 的 SOAP 头由连接器设置,不在契约里。",
    "The SOAP headers of the operation {name} are the connector's, not the contract's.",
)
FAULT = _lost(
    "wsdl-fault",
    "操作 {name} 的 fault {fault} 成为问题,其细节没有保留。",
    "The fault {fault} of the operation {name} became a problem; its details are not kept.",
)
ONE_WAY = _lost(
    "wsdl-one-way", "操作 {name} 没有答复,已略去。", "The operation {name} has no answer and was left out."
)
ENCODED = _lost(
    "wsdl-encoded",
    "操作 {name} 用 SOAP 编码(rpc/encoded),数组与引用没有保留。",
    "The operation {name} uses SOAP encoding; arrays and references are not kept.",
)
BINDING = _lost(
    "wsdl-binding", "绑定 {name} 不是 SOAP,已略去。", "The binding {name} is not SOAP and was left out."
)
SAMPLE_MIXED = loss(
    "sample-mixed",
    (),
    (
        "{name} 在样例里有几种类型,按文本处理。",
        "{name} has several types in the samples and is taken as text.",
    ),
)
SAMPLE_DEEP = loss(
    "sample-deep", (), ("第 {depth} 层以下没有保留。", "What lies below level {depth} is not kept.")
)
SAMPLE_LIST = loss(
    "sample-list", (), ("{name} 的列表套列表没有保留。", "The list of lists {name} is not kept.")
)
SHEETS = loss(
    "xlsx-sheets",
    (),
    ("只读了工作表“{read}”,其余:{names}。", "Only the sheet “{read}” was read; others: {names}."),
)
TABLES = loss("ddl-statements", (), ("没有读 {what}。", "{what} was not read."))
CONSTRAINT = loss("ddl-constraint", (), ("约束没有保留:{what}。", "The constraint is not kept: {what}."))
BINARY = loss(
    "ddl-binary", (), ("{name} 是二进制({type}),已略去。", "{name} is binary ({type}) and was left out.")
)
TYPE = loss("ddl-type", (), ("类型 {type} 按文本处理:{name}。", "The type {type} is taken as text: {name}."))
