"""How departments name their columns, and what the contract calls them: Chinese words, pinyin initials, English.

A name is translated word by word, the longest first; what is not known is numbered and told, never guessed.
"""

import re

from msgspec import Struct

from api.contract.naming import words


class Term(Struct, frozen=True):
    """What a column of that name is. `kind` "" is no personal or sensitive data."""

    name: str
    zh: str
    en: str
    chinese: str  # pattern of the whole Chinese name
    short: frozenset[str]  # pinyin initials and English names, folded
    kind: str = ""
    level: str = ""
    mask: str = ""
    element: str = ""


def _term(
    name: str, zh: str, en: str, chinese: str, short: str, kind: str = "", level: str = "", mask: str = "", element: str = ""
) -> Term:  # fmt: skip
    return Term(name, zh, en, chinese, frozenset(short.split()), kind, level, mask, element)


_CITIZEN, _COMPANY = "GB 11643-1999", "GB 32100-2015"
TERMS: tuple[Term, ...] = (
    _term("id_number", "公民身份号码", "Citizen identity number", "(公民)?身份(证)?(件)?号码?|身份证|证件号码?",
          "sfz sfzh sfzhm gmsfhm gmsfzh zjhm idcard idnumber idcardno idno identitynumber", "id-number", "L3", "last4", _CITIZEN),
    _term("credit_code", "统一社会信用代码", "Unified social credit code", "(统一)?社会信用代码|信用代码|税号|纳税人识别号",
          "tyshxydm xydm shxydm nsrsbh creditcode uscc usci", element=_COMPANY),
    _term("person_name", "姓名", "Name of the person", "姓名|名字|申请人(姓名)?|持有人|持证人", "xm xingming fullname personname", "name", "L2", "first1"),
    _term("legal_representative", "法定代表人", "Legal representative", "法定代表人(姓名)?|法人(代表)?(姓名)?|负责人(姓名)?",
          "fddbr fddbrxm frdb frxm fzr legalrepresentative", "name", "L2", "first1"),
    _term("contact_person", "联系人", "Contact", "联系人(姓名)?", "lxr lxrxm contactperson", "name", "L2", "first1"),
    _term("company_name", "企业名称", "Name of the company", "(企业|单位|公司|机构|纳税人)名称|单位全称", "qymc dwmc gsmc jgmc nsrmc companyname orgname"),
    _term("phone", "联系电话", "Phone number", "(联系|办公|家庭)?电话(号码)?|手机号?码?|联系方式|移动电话",
          "lxdh dh dhhm sj sjh sjhm yddh phone mobile tel telephone phonenumber mobilenumber", "phone", "L3", "first3-last4"),
    _term("email", "电子邮箱", "E-mail address", "(电子)?邮箱|电子邮件", "dzyx email emailaddress", "email", "L2", "email"),
    _term("residence_address", "住址", "Home address", "(户籍|家庭|居住|现住|常住)(地址?|住址)|住址|现住址", "zz jtzz hjdz xzz czdz homeaddress",
          "address", "L3", "all"),
    _term("address", "地址", "Address", "(注册|经营|单位|详细|通讯|联系)?地址|住所|坐落", "dz xxdz zcdz jydz zs txdz address"),
    _term("birth_date", "出生日期", "Date of birth", "出生(日期|年月日|年月)|生日", "csrq csny birthdate birthday dateofbirth dob", "birth", "L2", "all"),
    _term("sex", "性别", "Sex", "性别(代码)?", "xb xbdm sex gender"),
    _term("ethnic_group", "民族", "Ethnic group", "民族(代码)?", "mz mzdm nation", "ethnicity", "L3", "all"),
    _term("bank_account", "银行账号", "Bank account", "银行(账|帐)(号|户)|(账|帐)号|银行卡号?|卡号", "yhzh yhkh zh bankaccount accountnumber cardnumber",
          "bank-account", "L3", "last4"),
    _term("income", "收入", "Income", "(月|年)?(收入|工资|薪酬)(金额)?", "sr gz nsr ysr income salary wage", "finance", "L3", "all"),
    _term("tax_amount", "税额", "Amount of tax", "(应纳|应缴|实缴|已缴)?税(额|款)(金额)?", "se sk ynse sjse taxamount", "tax", "L3", "all"),
    _term("amount", "金额", "Amount", "(缴费|支付|缴存|合同|成交|贷款|补贴|发放)?(总)?金额|费用|价款", "je zje jfje amount fee price", "finance", "L2", "all"),
    _term("diagnosis", "诊断", "Diagnosis", "(疾病)?诊断(结果|名称)?|疾病名称|病名", "zd zdmc jbmc diagnosis disease", "health", "L3", "all"),
    _term("licence_number", "证照编号", "Number of the licence", "(证照|证书|许可证|执照|证)(编号|号码?)", "zzbh zsbh xkzbh xkzh zjbh licencenumber licensenumber permitno certno"),
    _term("plate_number", "号牌号码", "Plate number", "(号牌号码|车牌号?码?)", "hphm cph cphm platenumber plateno", "vehicle", "L2", "last4"),
    _term("code", "代码", "Code", "代码|编码|编号|序号|编码号", "dm bm bh xh code no number"),
    _term("name", "名称", "Name", "名称", "mc name title"),
    _term("kind", "类型", "Kind", "(类型|类别|种类)(代码|名称)?", "lx lb zl lxdm lbdm type kind category"),
    _term("status", "状态", "Status", "(当前|办理|有效)?状态(代码)?", "zt ztdm status state"),
    _term("issued_on", "发证日期", "Issued on", "(发证|颁发|签发|核发|发放)(日期|时间)", "fzrq bfrq qfrq hfrq issuedate issuedon"),
    _term("valid_from", "有效期起", "Valid from", "有效期(限)?(起|开始|自)(始)?(日期)?|生效日期", "yxqq yxqqs sxrq validfrom startdate"),
    _term("valid_until", "有效期止", "Valid until", "有效期(限)?(止|至|截止)?(日期)?|失效日期|到期日期?", "yxqz yxqzz yxqx dqrq validto validuntil expirydate enddate expiresat"),
    _term("registered_on", "登记日期", "Registered on", "(登记|注册|成立|备案|申请)(日期|时间)", "djrq zcrq clrq barq sqrq registrationdate"),
    _term("updated_at", "更新时间", "Updated at", "(最后)?(更新|修改)(时间|日期)", "gxsj xgsj zhxgsj gxrq updatetime updatedat lastmodified"),
    _term("created_at", "创建时间", "Created at", "(创建|录入|入库)(时间|日期)", "cjsj lrsj rksj cjrq createtime createdat"),
    _term("authority", "发证机关", "Authority", "(发证|登记|主管|颁发|签发|审批)(机关|机构|部门|单位)", "fzjg djjg zgbm bfjg qfjg authority issuer"),
    _term("division_code", "行政区划代码", "Administrative division", "(行政)?区划(代码)?|所属(区|地区|行政区)", "xzqh xzqhdm qhdm divisioncode areacode"),
    _term("district", "区县", "District", "(所在)?(区县|辖区|区域)", "qx xq district"),
    _term("business_scope", "经营范围", "Business scope", "(许可|经营)范围", "jyfw xkfw businessscope"),
    _term("postcode", "邮政编码", "Postcode", "邮政编码|邮编", "yzbm yb postcode zipcode"),
    _term("quantity", "数量", "Quantity", "数量|人数|个数|户数", "sl rs gs hs quantity count"),
    _term("area", "面积", "Area", "(建筑|使用|套内|用地)?面积", "mj jzmj area"),
    _term("year", "年度", "Year", "年(度|份)", "nd nf year"),
    _term("month", "月份", "Month", "月份", "yf month"),
    _term("date", "日期", "Date", "日期", "rq date"),
    _term("time", "时间", "Time", "时间", "sj2 time datetime"),
    _term("remark", "备注", "Remark", "备注|说明", "bz sm remark note comment"),
    _term("latitude", "纬度", "Latitude", "纬度", "wd lat latitude"),
    _term("longitude", "经度", "Longitude", "经度", "jd lng lon longitude"),
    _term("school", "学校", "School", "(毕业|就读)?(学校|院校)(名称)?", "xx xxmc byyx school"),
    _term("grade", "等级", "Grade", "(评定|信用)?(等级|级别)", "dj jb grade level"),
    _term("reason", "原因", "Reason", "原因|理由|事由", "yy sy reason"),
    _term("result", "结果", "Result", "(办理|处理|审批|检测|检查)?结果", "jg cljg spjg result"),
)  # fmt: skip
RESOURCES = (  # what files and tables are about, the longer names first
    ("许可证", "licence"), ("证照", "licence"), ("执照", "licence"), ("证书", "certificate"), ("企业", "company"), ("单位", "organisation"),
    ("机构", "institution"), ("社会组织", "organisation"), ("机动车", "vehicle"), ("车辆", "vehicle"), ("驾驶", "driver"), ("学生", "student"), ("学籍", "student"),
    ("教师", "teacher"), ("医师", "doctor"), ("医院", "hospital"), ("病历", "case"), ("接种", "vaccination"), ("居民", "resident"), ("人口", "resident"),
    ("人员", "person"), ("职工", "employee"), ("房屋", "home"), ("住房", "home"), ("不动产", "property"), ("土地", "parcel"), ("公积金", "fund-account"),
    ("社保", "insurance"), ("缴费", "payment"), ("合同", "agreement"), ("项目", "project"), ("招标", "tender"), ("处罚", "penalty"), ("检查", "inspection"),
    ("投诉", "complaint"), ("工单", "ticket"), ("诉求", "request"), ("婚姻", "marriage"), ("低保", "allowance"), ("残疾", "disability"), ("老人", "elder"),
    ("站点", "station"), ("监测", "reading"), ("天气", "forecast"), ("线路", "route"), ("景区", "attraction"), ("图书", "book"), ("公告", "notice"),
    ("订单", "order"), ("案件", "case"), ("事项", "matter"), ("名单", "entry"), ("台账", "entry"), ("目录", "entry"),
)  # fmt: skip
_CHINESE = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_DROPPED = re.compile(r"[（(【\[].*?[)）】\]]|[\s:：*＊_\-—/、,，.。]+")


def term_of(written: str) -> Term | None:
    """The term that a column name or its comment is, None where it is none."""
    plain = _DROPPED.sub("", written).strip()
    if has_chinese(plain):
        return next((one for one in TERMS if re.fullmatch(one.chinese, plain)), None)
    folded = "".join(words(written)) or plain.lower()
    return next((one for one in TERMS if folded in one.short), None)


def term_within(comment: str) -> Term | None:
    """The term with which a longer comment begins or ends ("企业法人的身份证号码")."""
    plain = _DROPPED.sub("", comment)
    for one in TERMS:
        if re.search(f"({one.chinese})$", plain) or (one.kind and re.search(f"({one.chinese})", plain)):
            return one
    return None


def resource_word(chinese: str) -> str:
    """The English noun that a Chinese file or table name is about, "" where none is known."""
    return next((english for word, english in RESOURCES if word in chinese), "")


def has_chinese(text: str) -> bool:
    return bool(_CHINESE.search(text))


def snake(written: str) -> str:
    """The ASCII words of a name joined by `_`, "" where there is none; a leading digit gets an `n`."""
    made = "_".join(words(written))[:60].strip("_")
    return f"n{made}" if made[:1].isdigit() else made
