"""All that loading has to say: one entry for each finding and loss, in Chinese and English.

What normalising has to say stands in `notices_normal`, lint rules in `rules_*`. Ids are stable: they are part
of `kaimen contract import --json`.
"""

from api.contract.model import Severity
from api.contract.report import Notice

_YAML = "YAML 1.2.2"
_SSRF = "OWASP API7:2023 Server Side Request Forgery"
_OPENAPI = "OpenAPI 3.1.1"

Text = tuple[str, str]  # Chinese, English


def finding(id: str, severity: Severity, text: Text, hint: Text = ("", ""), source: str = "") -> Notice:  # noqa: A002 - the field's name
    """A notice that is told as a finding."""
    return Notice(id, text[0], text[1], hint[0], hint[1], source, severity)


def loss(id: str, faces: tuple[str, ...], text: Text, source: str = "") -> Notice:  # noqa: A002 - the field's name
    """A notice that is told as a loss of the faces named; () means all."""
    return Notice(id, text[0], text[1], source=source, faces=faces)


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

# --- files -----------------------------------------------------------------------------------------
FILE_MISSING = finding(
    "file-missing",
    _ERROR,
    ("读不到文件 {path}:{reason}。", "Cannot read the file {path}: {reason}."),
    ("检查路径与读取权限。", "Check the path and the permission to read it."),
)
FILE_TOO_LARGE = finding(
    "file-too-large",
    _ERROR,
    ("文件有 {bytes} 字节,上限 {limit}。", "The file has {bytes} bytes; the bound is {limit}."),
    (
        "把契约按服务拆开,或移走内嵌的大示例。",
        "Split the contract by service, or move large embedded examples out.",
    ),
)
FILES_TOO_MANY = finding(
    "files-too-many",
    _ERROR,
    (
        "引用的文件超过 {limit} 个或总量过大。",
        "More than {limit} files are referred to, or they are too large together.",
    ),
    ("先用打包工具合并成一个文件。", "Bundle them into one file first."),
)
FILE_EMPTY = finding(
    "file-empty",
    _ERROR,
    ("文件是空的。", "The file is empty."),
    ("给出一份 OpenAPI 文档。", "Give an OpenAPI document."),
)
FILE_OUTSIDE = finding(
    "ref-outside",
    _ERROR,
    (
        "引用 {ref} 指向文档目录之外,已拒绝。",
        "The reference {ref} leads outside the document's folder and was refused.",
    ),
    (
        "把文件移到契约目录内,或用 --root 指明共同的上级目录。",
        "Move the file into the contract's folder, or name the common folder above with --root.",
    ),
    "CWE-22, CWE-59",
)
ENCODING_BOM = finding(
    "encoding-bom",
    _INFO,
    ("文件以 UTF-8 字节序标记开头,已忽略。", "The file begins with a UTF-8 byte order mark; it was ignored."),
    ("以不带 BOM 的 UTF-8 保存。", "Save it as UTF-8 without BOM."),
    "RFC 8259 §8.1",
)
ENCODING_OTHER = finding(
    "encoding-other",
    _WARNING,
    (
        "文件编码是 {encoding},已转换读取。",
        "The file is encoded in {encoding}; it was read by converting it.",
    ),
    ("以 UTF-8 保存:iconv -f {encoding} -t utf-8。", "Save it as UTF-8: iconv -f {encoding} -t utf-8."),
    "RFC 8259 §8.1",
)
ENCODING_UNKNOWN = finding(
    "encoding-unknown",
    _ERROR,
    (
        "文件不是 UTF-8:第 {offset} 字节处无法解码。",
        "The file is not UTF-8: byte {offset} cannot be decoded.",
    ),
    ("以 UTF-8 保存后再导入。", "Save it as UTF-8 and import it again."),
    "RFC 8259 §8.1",
)
CHARACTER_REFUSED = finding(
    "character-refused",
    _ERROR,
    ("文本里有 NUL 或残缺的代理字符。", "The text holds NUL or half of a surrogate pair."),
    ("删去该字符。", "Remove the character."),
    "design §6, RFC 8259 §8.2",
)
CHARACTER_CONTROL = finding(
    "character-control",
    _WARNING,
    ("文本里有控制字符,已去掉。", "The text held control characters; they were taken out."),
    ("删去这些字符。", "Remove them."),
    "design §6",
)
# --- syntax ----------------------------------------------------------------------------------------
NOT_JSON = finding(
    "not-json",
    _ERROR,
    ("不是合法的 JSON:{reason}。", "This is not JSON: {reason}."),
    ("改正所述之处。", "Mend what is named."),
    "RFC 8259",
)
NOT_YAML = finding(
    "not-yaml",
    _ERROR,
    ("第 {line} 行不是合法的 YAML:{reason}。", "Line {line} is not YAML: {reason}."),
    ("改正所述之处。", "Mend what is named."),
    _YAML,
)
YAML_TAB = finding(
    "yaml-tab",
    _ERROR,
    ("第 {line} 行用制表符缩进。", "Line {line} is indented by a tab."),
    ("YAML 只能用空格缩进。", "YAML is indented by spaces only."),
    _YAML + " §6.1",
)
YAML_TAG = finding(
    "yaml-tag",
    _ERROR,
    (
        "标签 {tag} 会构造对象或包含文件,已拒绝。",
        "The tag {tag} would make objects or include files; it was refused.",
    ),
    ("去掉标签,直接写出值。", "Remove the tag and write the plain value."),
    "CWE-502",
)
YAML_ALIAS = finding(
    "yaml-alias",
    _ERROR,
    ("别名 *{anchor} 没有锚点,或引用了它自身。", "The alias *{anchor} has no anchor, or refers to itself."),
    ("改用 $ref。", "Use $ref instead."),
    _YAML + " §7.1",
)
YAML_KEY = finding(
    "yaml-key",
    _ERROR,
    ("第 {line} 行的键不是文本。", "The key in line {line} is no text."),
    ("键写成文本。", "Write keys as text."),
    "RFC 8259 §4",
)
YAML_MANY = finding(
    "yaml-many-documents",
    _WARNING,
    ("文件里有多个 YAML 文档,只读了第一个。", "The file holds several YAML documents; the first was read."),
    ("一个文件只放一份文档。", "Keep one document in a file."),
)
TEMPLATE_LINES = finding(
    "template-lines",
    _WARNING,
    (
        "文件里有模板指令行({{#if …}}),按条件成立读取。",
        "The file holds lines of a template language ({{#if …}}); it was read as if every condition held.",
    ),
    ("先渲染模板,再导入结果。", "Render the template and import the result."),
)
HEADER_TWICE = finding(
    "header-twice",
    _WARNING,
    (
        "响应头 {name} 用 NUL 前缀重复书写,已合并为一个。",
        "The response header {name} is written twice by means of a NUL; the two were merged.",
    ),
    ("只写一次。", "Write it once."),
    "RFC 9110 §5.3",
)
KEY_TWICE = finding(
    "key-twice",
    _WARNING,
    ("键 {key} 写了两次,后一个生效。", "The key {key} stands twice; the later one counts."),
    ("删去其中一个。", "Remove one of them."),
    "RFC 8259 §4",
)
EXPANSION = finding(
    "expansion",
    _ERROR,
    ("展开后超过 {limit} 个值,已拒绝。", "It expands to more than {limit} values and was refused."),
    ("减少别名与嵌套引用。", "Use fewer aliases and nested references."),
    "CWE-776",
)
NESTING = finding(
    "nesting",
    _ERROR,
    ("嵌套超过 {limit} 层,已拒绝。", "It is nested deeper than {limit} levels and was refused."),
    ("用 $ref 拆开深层结构。", "Take deep structures apart with $ref."),
    "CWE-674",
)
NUMBER_NOT_JSON = finding(
    "number-not-json",
    _WARNING,
    ("{value} 不是 JSON 的数。", "{value} is no JSON number."),
    ("写成有限的数。", "Write a finite number."),
    "RFC 8259 §6",
)
NUMBER_RANGE = finding(
    "number-range",
    _WARNING,
    ("整数超出 64 位,按浮点数读取。", "The integer does not fit 64 bits; it was read as a float."),
    ("长编号写成字符串。", "Write long identifiers as strings."),
    "RFC 7493 §2.2",
)
# --- what it is ------------------------------------------------------------------------------------
NOT_OPENAPI = finding(
    "not-openapi",
    _ERROR,
    ("这不是 OpenAPI 文档:{what_zh}。", "This is no OpenAPI document: {what_en}."),
    (
        "给出 OpenAPI 2.0、3.0 或 3.1 文档(YAML 或 JSON)。",
        "Give an OpenAPI 2.0, 3.0 or 3.1 document (YAML or JSON).",
    ),
    _OPENAPI + " §4.1",
)
NO_OPERATIONS = finding(
    "no-operations",
    _ERROR,
    ("文档里没有可提供的操作。", "The document has no operation to offer."),
    ("在 paths 下写出操作。", "Describe operations under paths."),
    _OPENAPI + " §4.8.8",
)
VERSION_ASSUMED = finding(
    "version-assumed",
    _WARNING,
    ("没有写 openapi 版本,按 {version} 读取。", "No openapi version is stated; it was read as {version}."),
    ("在首行写明 openapi: 3.1.0。", "State openapi: 3.1.0 in the first line."),
    _OPENAPI + " §4.8.1",
)
VERSION_UNSUPPORTED = finding(
    "version-unsupported",
    _ERROR,
    ("不支持 OpenAPI 版本 {version}。", "OpenAPI version {version} is not supported."),
    ("转换为 3.1 后导入。", "Convert it to 3.1 and import that."),
)
VERSION_NEWER = loss(
    "version-newer",
    (),
    (
        "文档是 OpenAPI {version},按 3.1 读取,3.2 新增的内容不生效。",
        "The document is OpenAPI {version}; it is read as 3.1, and what 3.2 adds has no effect.",
    ),
)
# --- references ------------------------------------------------------------------------------------
REF_HTTP = finding(
    "ref-http",
    _ERROR,
    (
        "引用 {ref} 指向网络地址,已拒绝:平台从不替文档取网址。",
        "The reference {ref} is a network address and was refused: the platform fetches nothing for a document.",
    ),
    (
        "把被引用的文件与契约一起上传,改为相对路径。",
        "Upload the file with the contract and refer to it by relative path.",
    ),
    _SSRF,
)
REF_SCHEME = finding(
    "ref-scheme",
    _ERROR,
    (
        "引用 {ref} 是绝对路径或其他协议,已拒绝。",
        "The reference {ref} is an absolute path or of another scheme and was refused.",
    ),
    ("改为契约目录内的相对路径。", "Use a relative path within the contract's folder."),
    "CWE-22",
)
REF_MISSING = finding(
    "ref-missing",
    _ERROR,
    ("引用 {ref} 找不到目标。", "The reference {ref} has no target."),
    ("补上目标,或改正引用。", "Add the target or mend the reference."),
    "RFC 6901",
)
REF_LOOP = finding(
    "ref-loop",
    _ERROR,
    ("引用 {ref} 绕回了自身。", "The reference {ref} leads back to itself."),
    ("断开循环。", "Break the loop."),
    _OPENAPI + " §4.8.23",
)
REF_VALUE = finding(
    "ref-value",
    _ERROR,
    (
        "引用 {ref} 的目标不是此处所需的对象。",
        "The target of {ref} is not the kind of object that is needed here.",
    ),
    ("引用正确的对象。", "Refer to the right object."),
    _OPENAPI + " §4.8.23",
)
REF_OPEN = loss(
    "ref-open",
    (),
    (
        "引用 {ref} 未能解析:这里的 {kind} 换成不作限制的占位或被去掉。",
        "The reference {ref} could not be resolved: this {kind} is left open or left out.",
    ),
)
REF_SIBLINGS = loss(
    "ref-siblings",
    (),
    (
        "3.0 忽略 $ref 旁的 {keys},照此去掉。",
        "Beside $ref, OpenAPI 3.0 ignores {keys}; they were taken out accordingly.",
    ),
    "OpenAPI 3.0.3 §4.7.23",
)
EXAMPLE_REF = finding(
    "example-ref",
    _INFO,
    ("示例里的 $ref 已换成它指向的内容。", "A $ref inside an example was replaced by what it points to."),
    source=_OPENAPI + " §4.8.19",
)
COMPONENT_UNUSED = finding(
    "component-unused",
    _INFO,
    (
        "components.{section} 的 {names} 没有被使用,不再保留。",
        "{names} of components.{section} are used nowhere and are not kept.",
    ),
    ("删去,或引用它们。", "Remove them or refer to them."),
)
# --- shapes ----------------------------------------------------------------------------------------
SHAPE = loss(
    "shape",
    (),
    (
        "此处应为 {expected},实为 {found},已去掉。",
        "{expected} was expected here, {found} was found and taken out.",
    ),
    _OPENAPI,
)
SHAPE_MENDED = finding(
    "shape-mended",
    _INFO,
    ("此处应为 {expected},已由 {found} 转换。", "{expected} was expected here; {found} was converted."),
    ("按规范写出类型。", "Write it as the specification asks."),
    _OPENAPI,
)
METHOD_CASE = finding(
    "method-case",
    _WARNING,
    ("方法 {method} 应写小写。", "The method {method} is to be written in lower case."),
    ("改成小写。", "Write it in lower case."),
    _OPENAPI + " §4.8.9",
)
NULL_VALUE = finding(
    "null-value",
    _INFO,
    ("空值(null)按未写处理。", "A null here counts as not written."),
    ("删去该键,或给出值。", "Remove the key or give it a value."),
    _OPENAPI,
)
# --- upgrades --------------------------------------------------------------------------------------
PARAMETER_BODY_TWICE = loss(
    "body-twice",
    (),
    (
        "操作有不止一个 body 参数,只保留第一个。",
        "The operation has more than one body parameter; the first was kept.",
    ),
    "OpenAPI 2.0 Parameter Object",
)
COLLECTION_FORMAT = loss(
    "collection-format",
    (),
    (
        "collectionFormat {value} 在 3.1 没有对应,按 {instead} 处理。",
        "collectionFormat {value} has no counterpart in 3.1; {instead} is used.",
    ),
)
TYPE_UNKNOWN = loss(
    "type-unknown",
    (),
    ("类型 {value} 不存在,改为 {instead}。", "There is no type {value}; it became {instead}."),
    "JSON Schema 2020-12 Validation §6.1.1",
)
SECURITY_SCHEME = loss(
    "security-scheme",
    (),
    (
        "安全方案的类型 {value} 不认识,已去掉。",
        "The security scheme's type {value} is unknown; it was taken out.",
    ),
    _OPENAPI + " §4.8.27",
)
# --- overlays --------------------------------------------------------------------------------------
OVERLAY_TARGET = finding(
    "overlay-target",
    _ERROR,
    ("overlay 的目标 {target} 看不懂。", "The overlay's target {target} is not understood."),
    (
        "写 $、.name、['name']、[0]、[*] 组成的路径。",
        "Write a path of $, .name, ['name'], [0] and [*].",
    ),
    "OpenAPI Overlay 1.0.0 §4.4.3",
)
OVERLAY_NOTHING = finding(
    "overlay-nothing",
    _WARNING,
    ("overlay 的目标 {target} 在文档里不存在。", "The overlay's target {target} is not in the document."),
    ("文档改过之后,也请更新 overlay。", "Update the overlay after the document has changed."),
    "OpenAPI Overlay 1.0.0 §4.4.3",
)
OVERLAY_ACTION = finding(
    "overlay-action",
    _ERROR,
    ("overlay 的动作不能执行:{why_zh}。", "The overlay's action cannot be carried out: {why_en}."),
    ("改正这个动作。", "Mend the action."),
    "OpenAPI Overlay 1.0.0 §4.4.3",
)
