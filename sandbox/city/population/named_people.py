"""The named people of the city: who they are, where they live, to whom they are kin. `personas` puts them there."""

from datetime import date

from msgspec import Struct

from sandbox.city.population import places

LONGEST_NAME = "麦尔丹江·阿卜杜热合曼·阿卜杜外力江·买买提吐尔逊·玉素甫江·库尔班尼亚孜江·伊力哈木江·艾合买提江"  # 50 characters


class PersonSketch(Struct, frozen=True):
    slug: str
    name: str
    latin_name: str
    sex: str
    ethnicity: str
    born: date
    home: int  # which of HOMES
    story_zh: str
    story_en: str
    spouse: str = ""
    parents: tuple[str, str] | None = None  # slugs of father and mother
    married_on: date | None = None
    died: date | None = None
    try_it: tuple[str, ...] = ()  # operations that take a person as `person`


HOMES = (
    places.Address("990101", "开门市东样区样本路18号3幢2单元501室", "Room 501, Unit 2, Building 3, 18 Sample Road, East Sample District, Kaimen City"),
    places.Address("990102", "开门市西样区镜像街7号1幢1单元1202室", "Room 1202, Unit 1, Building 1, 7 Mirror Street, West Sample District, Kaimen City"),
    places.Address("990105", "开门市样湖新区种子路66号9幢1单元802室", "Room 802, Unit 1, Building 9, 66 Seed Road, Sample Lake New Area, Kaimen City"),
    places.Address("990103", "开门市南样区回声巷31号5幢3单元201室", "Room 201, Unit 3, Building 5, 31 Echo Lane, South Sample District, Kaimen City"),
    places.Address("990104", "开门市北样区草稿街102号2幢2单元604室", "Room 604, Unit 2, Building 2, 102 Draft Street, North Sample District, Kaimen City"),
    places.Address("990101", "开门市东样区令牌路52号6幢1单元903室", "Room 903, Unit 1, Building 6, 52 Token Road, East Sample District, Kaimen City"),
    places.Address("990103", "开门市南样区纸桥巷8号2幢1单元102室", "Room 102, Unit 1, Building 2, 8 Paper Bridge Lane, South Sample District, Kaimen City"),
    places.Address("990104", "开门市北样区练习路77号4幢3单元101室", "Room 101, Unit 3, Building 4, 77 Practice Road, North Sample District, Kaimen City"),
    places.Address("990106", "开门市样山县虚舟路15号1幢1单元301室", "Room 301, Unit 1, Building 1, 15 Empty Boat Road, Sample Hill County, Kaimen City"),
    places.Address("990102", "开门市西样区目录街120号10幢2单元1501室", "Room 1501, Unit 2, Building 10, 120 Catalogue Street, West Sample District, Kaimen City"),
    places.Address("990105", "开门市样湖新区演武路36号7幢1单元404室", "Room 404, Unit 1, Building 7, 36 Rehearsal Road, Sample Lake New Area, Kaimen City"),
    places.Address("990102", "开门市西样区幻塔路5号2幢1单元701室", "Room 701, Unit 1, Building 2, 5 Mirage Tower Road, West Sample District, Kaimen City"),
    places.Address("990101", "开门市东样区示例大道210号12幢1单元606室", "Room 606, Unit 1, Building 12, 210 Example Avenue, East Sample District, Kaimen City"),
)  # fmt: skip

PEOPLE = (
    PersonSketch("lin-xi", "林溪", "Lin Xi", "F", "汉族", date(1986, 3, 14), 0,
                 "满山茶业的法定代表人，正为扩建茶厂申请贷款。", "Leads Manshan Tea and is applying for a loan to enlarge the tea works.", spouse="chen-hang", married_on=date(2011, 10, 6)),
    PersonSketch("chen-hang", "陈航", "Chen Hang", "M", "汉族", date(1984, 11, 2), 0,
                 "林溪的丈夫，持有满山茶业四成股份。", "Husband of Lin Xi, holds two fifths of Manshan Tea.", spouse="lin-xi", married_on=date(2011, 10, 6)),
    PersonSketch("aynur", "阿依努尔·买买提", "Aynur Memet", "F", "维吾尔族", date(1979, 7, 23), 1,
                 "恒铸机械的董事长；姓名中的间隔号常被系统写错。", "Chairs Hengzhu Machinery; systems often get the dot in her name wrong."),
    PersonSketch("ouyang-wei", "欧阳𬱖", "Ouyang Wei", "M", "汉族", date(1991, 12, 29), 2,
                 "连续创业者；名字是基本平面以外的汉字。", "A serial founder; the character of his given name lies beyond the basic plane."),
    PersonSketch("wang-jianguo", "王建国", "Wang Jianguo", "M", "汉族", date(1961, 10, 1), 3,
                 "欠收建材的法定代表人，公司欠缴税款。", "Leads Qianshou Building Materials, which is behind with its taxes."),
    PersonSketch("sun-xiuying", "孙秀英", "Sun Xiuying", "F", "满族", date(1964, 5, 9), 3,
                 "迟到餐饮的店主，忘了报送年度报告。", "Owns Chidao Catering and forgot the annual report."),
    PersonSketch("zhou-ming", "周鸣", "Zhou Ming", "M", "汉族", date(1974, 2, 18), 4,
                 "曾经营流云商贸，其营业执照已被吊销。", "Used to run Liuyun Trading, whose licence was revoked."),
    PersonSketch("he-yu", "何语", "He Yu", "F", "汉族", date(2009, 9, 3), 4,
                 "未成年的中学生，与任何企业无关。", "A pupil under age, connected with no company."),
    PersonSketch("chen-xiaoman", "陈小满", "Chen Xiaoman", "F", "汉族", date(2016, 5, 21), 0,
                 "林溪与陈航的女儿，未满十四周岁：由监护人代为同意。", "Daughter of Lin Xi and Chen Hang, below 14: a guardian consents for her.",
                 parents=("chen-hang", "lin-xi")),
    PersonSketch("zhao-lei", "赵磊", "Zhao Lei", "M", "汉族", date(1994, 2, 11), 5,
                 "新生儿的父亲，在恒铸机械任工程师，正办理孩子出生后的各项手续。", "Father of a newborn and an engineer at Hengzhu Machinery, busy with all that a birth brings with it.",
                 spouse="lin-xiaoya", married_on=date(2023, 5, 20)),
    PersonSketch("lin-xiaoya", "林小雅", "Lin Xiaoya", "F", "汉族", date(1995, 8, 30), 5,
                 "赵磊的妻子，满山茶业职员，正休产假。", "Wife of Zhao Lei, employed at Manshan Tea and on maternity leave.",
                 spouse="zhao-lei", married_on=date(2023, 5, 20)),
    PersonSketch("zhao-xinsheng", "赵新生", "Zhao Xinsheng", "M", "汉族", date(2026, 6, 18), 5,
                 "赵磊与林小雅的双胞胎之一：户口已经登记，参保、疫苗等着办理；妹妹新禾还只有出生医学证明。", "One of the newborn twins of Zhao Lei and Lin Xiaoya: registered, insurance and vaccinations to come; his sister Xinhe has a birth certificate only.",
                 parents=("zhao-lei", "lin-xiaoya")),
    PersonSketch("qian-shouyi", "钱守义", "Qian Shouyi", "M", "汉族", date(1943, 1, 15), 6,
                 "丧偶独居的老人，领取高龄津贴。", "A widower who lives alone and draws the allowance for the elderly.",
                 spouse="lu-guilan", married_on=date(1966, 5, 1)),
    PersonSketch("feng-ting", "冯婷", "Feng Ting", "F", "汉族", date(1990, 4, 17), 7,
                 "持有二级残疾人证，在满山茶业工作。", "Holds a disability card of grade 2 and works at Manshan Tea."),
    PersonSketch("guo-wei", "郭卫", "Guo Wei", "M", "汉族", date(1978, 8, 1), 8,
                 "退役军人，驾驶满山茶业的送货车。", "A veteran who drives the delivery van of Manshan Tea.",
                 try_it=("transport@v1/getDrivingLicence", "transport@v1/listVehicles")),
    PersonSketch("tang-yue", "唐月", "Tang Yue", "F", "汉族", date(1982, 12, 5), 9,
                 "正出售自己的住房，贷款已经还清。", "Is selling her flat; its mortgage is paid off."),
    PersonSketch("xu-ran", "徐然", "Xu Ran", "M", "汉族", date(1993, 3, 26), 10,
                 "正购买唐月的住房，缴存有住房公积金。", "Is buying the flat of Tang Yue and has savings in the housing fund."),
    PersonSketch("maierdan", LONGEST_NAME, "Merdanjan Abdurehman Abduwelijan Memettursun Yusupjan Qurbanniyazjan Ilhamjan Ehmetjan", "M", "维吾尔族", date(1985, 6, 6), 11,
                 "姓名连同间隔号共五十个字：许多系统存不下。", "His name has fifty characters with its dots, more than many a system can hold."),
    PersonSketch("shen-ruohan", "沈若涵", "Shen Ruohan", "F", "汉族", date(2004, 10, 10), 12,
                 "大学生，刚领到第一本驾驶证。", "A student who has just got her first driving licence.",
                 try_it=("transport@v1/getDrivingLicence",)),
)  # fmt: skip
# Kin of the people above who belong to their stories and have none of their own.
KIN = (
    PersonSketch("lu-guilan", "陆桂兰", "Lu Guilan", "F", "汉族", date(1945, 9, 8), 6,
                 "钱守义的亡妻。", "The late wife of Qian Shouyi.",
                 spouse="qian-shouyi", married_on=date(1966, 5, 1), died=date(2021, 11, 3)),
)  # fmt: skip
