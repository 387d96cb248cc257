"""What companies do and how they are called. Every name holds （样例）, "sample", so that nobody mistakes it."""

from random import Random

from msgspec import Struct

from sandbox.city.population.names import character_table


class Industry(Struct, frozen=True):
    """A division of GB/T 4754-2017 with what a company of it is called, does and earns."""

    code: str  # two digits
    zh: str
    en: str
    word_zh: str  # in the company's name
    word_en: str
    scope_zh: str
    scope_en: str
    revenue_yuan: int  # median of a year
    margin: float  # profit over revenue, median
    weight: int


INDUSTRIES = (
    Industry("01", "农业", "Agriculture", "农业", "Agriculture", "谷物、蔬菜种植与销售", "Growing and sale of grain and vegetables", 2_400_000, 0.06, 4),
    Industry("13", "农副食品加工业", "Processing of farm products", "食品", "Foods", "粮油加工、农产品初加工", "Milling and first processing of farm products", 12_000_000, 0.05, 4),
    Industry("15", "酒、饮料和精制茶制造业", "Wine, drinks and refined tea", "茶业", "Tea", "茶叶种植、加工与销售", "Growing, processing and sale of tea", 6_800_000, 0.12, 3),
    Industry("17", "纺织业", "Textiles", "纺织", "Textiles", "针纺织品制造与销售", "Making and sale of knitwear and textiles", 18_000_000, 0.04, 4),
    Industry("27", "医药制造业", "Medicines", "制药", "Pharmaceuticals", "药品生产（凭许可证经营）", "Making of medicines (under licence)", 60_000_000, 0.13, 2),
    Industry("30", "非金属矿物制品业", "Non-metallic mineral products", "建材", "Building Materials", "建筑材料制造与销售", "Making and sale of building materials", 22_000_000, 0.05, 4),
    Industry("34", "通用设备制造业", "General machinery", "机械", "Machinery", "通用机械及零部件制造", "Making of general machinery and parts", 45_000_000, 0.07, 5),
    Industry("39", "计算机、通信和其他电子设备制造业", "Computers and electronics", "电子", "Electronics", "电子元器件制造与销售", "Making and sale of electronic components", 52_000_000, 0.08, 5),
    Industry("48", "土木工程建筑业", "Civil engineering", "建设工程", "Construction", "建筑工程施工（凭资质经营）", "Civil engineering works (under licence)", 70_000_000, 0.03, 5),
    Industry("51", "批发业", "Wholesale", "商贸", "Trading", "日用百货、办公用品批发", "Wholesale of general goods and office supplies", 9_500_000, 0.02, 14),
    Industry("52", "零售业", "Retail", "商店", "Stores", "食品、日用品零售", "Retail of food and daily goods", 2_600_000, 0.03, 14),
    Industry("54", "道路运输业", "Road transport", "物流", "Logistics", "普通货物道路运输、仓储", "Road haulage of general goods, storage", 11_000_000, 0.04, 7),
    Industry("61", "住宿业", "Accommodation", "酒店", "Hotels", "住宿服务（凭许可证经营）", "Accommodation (under licence)", 5_200_000, 0.06, 3),
    Industry("62", "餐饮业", "Catering", "餐饮", "Catering", "餐饮服务（凭许可证经营）", "Catering (under licence)", 3_100_000, 0.05, 8),
    Industry("64", "互联网和相关服务", "Internet services", "网络", "Networks", "互联网信息服务、数据处理", "Internet information services, data processing", 7_400_000, 0.1, 5),
    Industry("65", "软件和信息技术服务业", "Software and IT services", "软件", "Software", "软件开发、信息系统集成服务", "Software development, systems integration", 8_800_000, 0.11, 9),
    Industry("70", "房地产业", "Real estate", "物业", "Property Services", "物业管理、房屋租赁", "Property management, letting", 8_000_000, 0.07, 3),
    Industry("72", "商务服务业", "Business services", "咨询", "Consulting", "企业管理咨询、会议服务", "Management consulting, conference services", 3_400_000, 0.12, 9),
    Industry("74", "专业技术服务业", "Technical services", "检测", "Testing", "检验检测、工程技术服务", "Testing and engineering services", 4_600_000, 0.12, 4),
    Industry("83", "教育", "Education", "教育", "Education", "教育咨询、职业技能培训", "Educational consulting, vocational training", 2_900_000, 0.09, 3),
    Industry("88", "文化艺术业", "Culture and arts", "文化", "Culture", "文艺创作、展览服务", "Artistic creation, exhibitions", 1_900_000, 0.07, 4),
)  # fmt: skip
BY_CODE = {industry.code: industry for industry in INDUSTRIES}
WEIGHTS = [industry.weight for industry in INDUSTRIES]

# Syllables of trade names; two of them make one: 启澜, Qilan.
_SYLLABLES = character_table(
    "启:qi 澜:lan 恒:heng 舟:zhou 知:zhi 远:yuan 朴:pu 川:chuan 嘉:jia 禾:he 青:qing 梧:wu 望:wang 岚:lan 初:chu 弦:xian "
    "云:yun 帆:fan 锦:jin 衡:heng 和:he 筑:zhu 瑞:rui 林:lin 拓:tuo 原:yuan 清:qing 汐:xi 长:chang 庚:geng 鸣:ming 谷:gu "
    "宁:ning 序:xu 星:xing 野:ye 正:zheng 棠:tang 广:guang 墨:mo 昱:yu 桥:qiao 南:nan 圃:pu 润:run 峰:feng 致:zhi 页:ye"
)
_FORMS = {
    "limited-liability": ("有限公司", "Co., Ltd."),
    "joint-stock": ("股份有限公司", "Joint Stock Co., Ltd."),
    "sole-proprietorship": ("个人独资企业", "Sole Proprietorship"),
    "partnership": ("合伙企业", "Partnership"),
}
KINDS = tuple(_FORMS)


class CompanyName(Struct, frozen=True):
    zh: str
    en: str


def compose_name(trade_zh: str, trade_en: str, industry: Industry, kind: str) -> CompanyName:
    """`开门启澜（样例）软件有限公司`, `Kaimen Qilan (Sample) Software Co., Ltd.`"""
    form_zh, form_en = _FORMS[kind]
    return CompanyName(
        f"开门{trade_zh}（样例）{industry.word_zh}{form_zh}",
        f"Kaimen {trade_en} (Sample) {industry.word_en} {form_en}",
    )


def pick_name(random: Random, industry: Industry, kind: str, taken: set[str]) -> CompanyName:
    """A company name that is not in `taken`, nor its trade name in Latin letters; it is added."""
    length = 2
    for attempt in range(200):
        if attempt and attempt % 25 == 0:
            length += 1
        parts = [_SYLLABLES[random.randrange(len(_SYLLABLES))] for _ in range(length)]
        latin = "".join(part[1] for part in parts).capitalize()
        name = compose_name("".join(part[0] for part in parts), latin, industry, kind)
        if name.zh not in taken and latin not in taken:
            taken.add(name.zh)
            return name
    raise RuntimeError("two hundred company names in a row were taken")
