"""Names of people: our own tables, no library at run time. Shapes of names matter, people do not.

Surnames come about as often as in the country; with them compound surnames, names of other ethnic groups
with the dot `·` (U+00B7), single-character given names, and characters beyond the basic plane (CJK
extensions B to G), which break software that counts UTF-16 units. A name may take up to MOST_CHARACTERS.
"""

from random import Random

from msgspec import Struct


class Name(Struct, frozen=True):
    zh: str
    latin: str
    ethnicity: str  # as registered, "汉族"
    surname: str  # passed on to children; "" where there is none


def character_table(text: str) -> list[tuple[str, str]]:
    """`"王:Wang 李:Li"` as pairs of characters and Latin letters."""
    return [(character, latin) for character, _, latin in (item.partition(":") for item in text.split())]


_SURNAMES = character_table(
    "王:Wang 李:Li 张:Zhang 刘:Liu 陈:Chen 杨:Yang 黄:Huang 赵:Zhao 吴:Wu 周:Zhou 徐:Xu 孙:Sun 马:Ma 朱:Zhu 胡:Hu "
    "郭:Guo 何:He 林:Lin 高:Gao 罗:Luo 郑:Zheng 梁:Liang 谢:Xie 宋:Song 唐:Tang 许:Xu 韩:Han 冯:Feng 邓:Deng 曹:Cao "
    "彭:Peng 曾:Zeng 萧:Xiao 田:Tian 董:Dong 袁:Yuan 潘:Pan 于:Yu 蒋:Jiang 蔡:Cai 余:Yu 杜:Du 叶:Ye 程:Cheng 苏:Su "
    "魏:Wei 吕:Lü 丁:Ding 任:Ren 沈:Shen 姚:Yao 卢:Lu 姜:Jiang 崔:Cui 钟:Zhong 谭:Tan 陆:Lu 汪:Wang 范:Fan 金:Jin "
    "石:Shi 廖:Liao 贾:Jia 夏:Xia 韦:Wei 付:Fu 方:Fang 白:Bai 邹:Zou 孟:Meng 熊:Xiong 秦:Qin 邱:Qiu 江:Jiang 尹:Yin "
    "薛:Xue 闫:Yan 段:Duan 雷:Lei 侯:Hou 龙:Long 史:Shi 陶:Tao 黎:Li 贺:He 顾:Gu 毛:Mao 郝:Hao 龚:Gong 邵:Shao "
    "万:Wan 钱:Qian 严:Yan 覃:Qin 武:Wu 戴:Dai 莫:Mo 孔:Kong 向:Xiang 汤:Tang 查:Zha 仇:Qiu 单:Shan 解:Xie 区:Ou"
)
# The first twenty carry about half of all people; the rest falls off slowly.
_SURNAME_WEIGHTS = [
    72, 71, 67, 54, 45, 31, 22, 21, 20, 20, 15, 15, 13, 12, 12, 12, 11, 11, 10, 9,
    *(max(2, 9 - place // 12) for place in range(len(_SURNAMES) - 20)),
]  # fmt: skip
_COMPOUND = character_table(
    "欧阳:Ouyang 上官:Shangguan 司马:Sima 诸葛:Zhuge 皇甫:Huangfu 尉迟:Yuchi 公孙:Gongsun 慕容:Murong 司徒:Situ "
    "令狐:Linghu 端木:Duanmu 夏侯:Xiahou 长孙:Zhangsun 东方:Dongfang"
)
_MEN_OLD = character_table(
    "建:jian 国:guo 军:jun 伟:wei 强:qiang 明:ming 勇:yong 平:ping 志:zhi 刚:gang 华:hua 文:wen 民:min 生:sheng 德:de "
    "福:fu 金:jin 永:yong 保:bao 春:chun 林:lin 海:hai 庆:qing 忠:zhong 义:yi 光:guang 荣:rong 贵:gui 喜:xi 山:shan"
)
_WOMEN_OLD = character_table(
    "秀:xiu 英:ying 兰:lan 芳:fang 玉:yu 桂:gui 珍:zhen 梅:mei 凤:feng 淑:shu 丽:li 红:hong 霞:xia 琴:qin 云:yun "
    "莲:lian 翠:cui 华:hua 敏:min 静:jing 燕:yan 娟:juan 萍:ping 菊:ju 香:xiang 巧:qiao 爱:ai 月:yue 素:su 荣:rong"
)
_MEN_NEW = character_table(
    "浩:hao 宇:yu 轩:xuan 泽:ze 睿:rui 博:bo 俊:jun 子:zi 涵:han 辰:chen 铭:ming 昊:hao 然:ran 逸:yi 晨:chen 奕:yi "
    "霖:lin 煜:yu 航:hang 嘉:jia 思:si 远:yuan 天:tian 皓:hao 梓:zi 一:yi 安:an 景:jing 楷:kai 骁:xiao"
)
_WOMEN_NEW = character_table(
    "欣:xin 怡:yi 雨:yu 涵:han 梓:zi 诗:shi 语:yu 佳:jia 琪:qi 悦:yue 萱:xuan 妍:yan 彤:tong 瑶:yao 思:si 若:ruo "
    "可:ke 心:xin 依:yi 诺:nuo 晴:qing 婉:wan 宁:ning 苒:ran 桐:tong 予:yu 清:qing 舒:shu 芷:zhi 溪:xi"
)
# Extension A, and B to G beyond the basic plane: in people's registers, absent from many a font and many a column.
_RARE = character_table(
    "𠅤:xiu 𣲗:wei 𬱖:wei 𫖯:fu 𬍛:pin 𪟝:ji 𨱑:huang 𬭚:chun 𬘭:lin 𫍯:xi 𬀩:wei 𣸣:yan 䶮:yan 𫠜:ni 𮧵:wei 𰻝:biang"
)
_RARE_SHARE = (
    0.006  # of given names; registries report some tens of millions with a character few systems had
)
MOST_CHARACTERS = 50  # of a name, dots included: what population registers hold
_LONGER, _LONGEST = 0.06, 0.008  # of names with dots: three parts; as many as fit

_UYGHUR_MEN = character_table(
    "买买提:Memet 艾力:Eli 吐尔逊:Tursun 阿不都热合曼:Abdurehman 玉素甫:Yusup 库尔班:Kurban 伊力哈木:Ilham"
)
_UYGHUR_WOMEN = character_table(
    "阿依古丽:Aygul 古丽娜尔:Gulnar 阿依努尔:Aynur 帕提曼:Patime 热依汗古丽:Reyhangul 米热古丽:Mihrigul"
)
_KAZAKH_MEN = character_table(
    "叶尔肯:Erkin 巴合提:Bakit 努尔兰:Nurlan 赛力克:Serik 阿依丁:Aidyn 哈布力哈孜:Kabylgazy"
)
_KAZAKH_WOMEN = character_table("古丽巴尔:Gulbar 阿依达娜:Aidana 努尔古丽:Nurgul 巴合提古丽:Bakitgul")
_TIBETAN = character_table(
    "扎西:Tashi 次仁:Tsering 卓玛:Drolma 多吉:Dorje 旺姆:Wangmo 顿珠:Dondrup 央金:Yangchen 平措:Phuntsok 拉姆:Lhamo"
)
_MONGOLIAN = character_table(
    "巴特尔:Bagatur 苏和:Sukh 乌云其木格:Oyunchimeg 萨仁高娃:Sarangowa 朝鲁:Chuluu 娜仁:Naran 阿古拉:Aguula"
)
_YI_CLANS = character_table("吉克:Jike 阿尔:A'er 沙马:Shama 吉狄:Jidi 海来:Hailai")
_YI_GIVEN = character_table("曲布:Qubu 阿支:Azhi 拉哈:Laha 木乃:Munai 伍呷:Wuga 尔古:Ergu")
_HAN_NAMED = ("回族", "满族", "壮族", "土家族", "苗族")  # whose names look like Han names


def _given(random: Random, sex: str, year: int) -> tuple[str, str]:
    is_new = random.random() < (0.04 if year < 1975 else 0.45 if year < 1995 else 0.9)
    table = (_MEN_NEW if is_new else _MEN_OLD) if sex == "M" else (_WOMEN_NEW if is_new else _WOMEN_OLD)
    parts = [table[random.randrange(len(table))]]
    if random.random() < (0.82 if year < 1960 or year > 2000 else 0.68):
        parts.append(table[random.randrange(len(table))])
    if random.random() < _RARE_SHARE:
        parts[-1] = _RARE[random.randrange(len(_RARE))]
    latin = "".join(part[1] for part in parts)
    return "".join(part[0] for part in parts), latin.capitalize()


def _han(random: Random, sex: str, year: int, surname: str, ethnicity: str) -> Name:
    chosen = next((pair for pair in (*_SURNAMES, *_COMPOUND) if pair[0] == surname), None)
    if chosen is None:
        if random.random() < 0.009:
            chosen = _COMPOUND[random.randrange(len(_COMPOUND))]
        else:
            chosen = random.choices(_SURNAMES, _SURNAME_WEIGHTS)[0]
    given = _given(random, sex, year)
    return Name(chosen[0] + given[0], f"{chosen[1]} {given[1]}", ethnicity, chosen[0])


def _pair(
    random: Random, first: list[tuple[str, str]], second: list[tuple[str, str]], joint: str
) -> tuple[str, str]:
    one, two = first[random.randrange(len(first))], second[random.randrange(len(second))]
    return one[0] + joint + two[0], f"{one[1]} {two[1]}"


def _chain(random: Random, own: list[tuple[str, str]], fathers: list[tuple[str, str]]) -> tuple[str, str]:
    """The own name, the father's and sometimes the names before, with dots, in MOST_CHARACTERS at most."""
    chance = random.random()
    length = 12 if chance < _LONGEST else 3 if chance < _LONGEST + _LONGER else 2
    parts = [own[random.randrange(len(own))]]
    size = len(parts[0][0])
    while len(parts) < length:
        part = fathers[random.randrange(len(fathers))]
        size += 1 + len(part[0])
        if size > MOST_CHARACTERS:
            break
        parts.append(part)
    return "·".join(part[0] for part in parts), " ".join(part[1] for part in parts)


def pick_ethnicity(random: Random) -> str:
    """An ethnic group, about as frequent as in the country (91 % Han)."""
    if random.random() < 0.911:
        return "汉族"
    others = (*_HAN_NAMED, "维吾尔族", "藏族", "蒙古族", "彝族", "哈萨克族")
    return random.choices(others, (12, 11, 20, 10, 12, 12, 7, 6, 10, 2))[0]


def pick_name(random: Random, sex: str, year: int, ethnicity: str, surname: str = "") -> Name:
    """A name for someone of this sex (`M` or `F`) born in `year`; `surname` is kept where the group has surnames."""
    if ethnicity == "维吾尔族":
        given = _UYGHUR_MEN if sex == "M" else _UYGHUR_WOMEN
        return Name(*_chain(random, given, _UYGHUR_MEN), ethnicity, "")
    if ethnicity == "哈萨克族":
        given = _KAZAKH_MEN if sex == "M" else _KAZAKH_WOMEN
        return Name(*_chain(random, given, _KAZAKH_MEN), ethnicity, "")
    if ethnicity == "藏族":
        zh, latin = _pair(random, _TIBETAN, _TIBETAN, "")
        return Name(zh, latin, ethnicity, "")
    if ethnicity == "蒙古族":
        chosen = _MONGOLIAN[random.randrange(len(_MONGOLIAN))]
        return Name(*chosen, ethnicity, "")
    if ethnicity == "彝族":
        zh, latin = _pair(random, _YI_CLANS, _YI_GIVEN, "·")
        return Name(zh, latin, ethnicity, "")
    return _han(random, sex, year, surname, ethnicity)
