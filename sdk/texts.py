"""Sample texts that are visibly made up: Chinese by default, by kind of data and by the name of the property.

Identifiers carry valid check digits in ranges that belong to nobody (area code 990000); domains are reserved for
examples. Source: GB 11643-1999, GB 32100-2015, RFC 2606, RFC 5737, RFC 3849.
"""

from random import Random

from api.contract.naming import words

_GIVEN = "甲乙丙丁戊己庚辛"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = tuple(pow(3, power, 31) for power in range(17))

_KIND_OF_WORD = {
    "idcard": "id-number", "sfzh": "id-number", "uscc": "credit-code", "usci": "credit-code", "company": "company",
    "organisation": "company", "organization": "company", "enterprise": "company", "employer": "company",
    "department": "department", "agency": "department", "authority": "department", "phone": "phone",
    "mobile": "phone", "telephone": "phone", "fax": "phone", "email": "email", "mail": "email", "address": "address",
    "street": "address", "city": "city", "town": "city", "district": "district", "province": "province",
    "region": "province", "country": "country", "nation": "country", "postcode": "postcode", "zip": "postcode",
    "postal": "postcode", "url": "url", "uri": "url", "link": "url", "href": "url", "website": "url",
    "description": "text", "comment": "text", "remark": "text", "note": "text", "message": "text", "summary": "text",
    "reason": "text", "detail": "text", "content": "text", "title": "title", "subject": "title", "iban": "bank-account",
    "account": "bank-account", "currency": "currency", "language": "language", "locale": "language", "date": "date",
    "time": "date-time", "year": "year", "month": "month", "uuid": "uuid", "guid": "uuid", "token": "token",
    "code": "code", "number": "code", "no": "code", "id": "code", "identifier": "code", "reference": "code",
    "ref": "code", "surname": "name", "forename": "name", "firstname": "name", "lastname": "name", "version": "version",
    "amount": "amount", "price": "amount", "colour": "colour", "color": "colour",
}  # fmt: skip
_CHINESE: tuple[tuple[str, str], ...] = (
    ("统一社会信用代码", "credit-code"), ("身份证", "id-number"), ("证件号", "id-number"), ("姓名", "name"),
    ("法定代表人", "name"), ("联系人", "name"), ("企业", "company"), ("公司", "company"), ("单位", "company"),
    ("部门", "department"), ("机构", "department"), ("手机", "phone"), ("电话", "phone"), ("邮箱", "email"),
    ("地址", "address"), ("住址", "address"), ("省", "province"), ("市", "city"), ("区", "district"),
    ("日期", "date"), ("时间", "date-time"), ("说明", "text"), ("备注", "text"), ("名称", "title"), ("标题", "title"),
    ("编号", "code"), ("代码", "code"), ("账号", "bank-account"), ("金额", "amount"),
)  # fmt: skip


def kind_of_name(name: str) -> str:
    """The kind of data that a property's name suggests, "" when none."""
    for part, kind in _CHINESE:
        if part in name:
            return kind
    every = words(name)
    joined = " ".join(every)
    if "credit code" in joined:
        return "credit-code"
    if "id number" in joined or "identity" in joined:
        return "id-number"
    if every and every[-1] == "name":
        known = _KIND_OF_WORD.get(every[-2], "") if len(every) > 1 else ""
        return (
            known
            if known in {"company", "department", "city", "country"}
            else "name"
            if _is_person(every)
            else "title"
        )
    return next((_KIND_OF_WORD[word] for word in reversed(every) if word in _KIND_OF_WORD), "")


def _is_person(every: list[str]) -> bool:
    people = {
        "first",
        "last",
        "full",
        "given",
        "family",
        "middle",
        "person",
        "user",
        "citizen",
        "contact",
        "owner",
        "customer",
    }
    return bool(people & set(every))


def text_for(kind: str, random: Random, *, is_ascii: bool = False) -> str:
    """A made-up text of the kind; a plain sample word where the kind is not known."""
    number = random.randint(1, 999)
    latin = _latin(kind, random, number)
    if is_ascii or kind in _LATIN_ONLY:
        return latin
    given = random.choice(_GIVEN)
    chinese = {
        "name": f"示例{given}",
        "company": f"示例{given}有限公司",
        "department": f"示例{given}局",
        "address": f"示例省样本市测试路{number}号",
        "city": "样本市",
        "district": "测试区",
        "province": "示例省",
        "country": "中国",
        "text": f"这是一段示例文字 {number}。",
        "title": f"示例{given}{number}",
    }
    return chinese.get(kind, f"示例{given}{number}")


_LATIN_ONLY = frozenset(
    {
        "id-number", "credit-code", "phone", "email", "postcode", "url", "bank-account", "currency", "language", "date",
        "date-time", "year", "month", "uuid", "token", "code", "version", "amount", "colour",
    }
)  # fmt: skip


def _latin(kind: str, random: Random, number: int) -> str:
    if kind == "id-number":
        return id_number(random)
    if kind == "credit-code":
        return credit_code(random)
    if kind == "uuid":
        return uuid(random)
    samples = {
        "name": f"Sample Person {number}",
        "company": f"Sample Company {number} Ltd",
        "department": f"Sample Department {number}",
        "phone": f"100{random.randint(0, 99999999):08d}",
        "email": f"sample{number}@example.com",
        "address": f"{number} Sample Road",
        "city": "Sample City",
        "province": "Sample Province",
        "country": "CN",
        "postcode": f"9900{number % 100:02d}",
        "url": f"https://example.com/sample/{number}",
        "bank-account": f"0000{random.randint(0, 10**12 - 1):012d}",
        "currency": "CNY",
        "language": "zh-CN",
        "date": f"2026-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}",
        "date-time": f"2026-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}T09:30:00Z",
        "year": "2026",
        "month": f"{random.randint(1, 12):02d}",
        "token": f"sample-token-{number}",
        "code": f"SAMPLE{number:03d}",
        "version": "1.0.0",
        "amount": f"{number}.00",
        "colour": "#336699",
        "text": f"This is a sample text {number}.",
    }
    return samples.get(kind, f"sample {number}")


def id_number(random: Random) -> str:
    """A citizen's number of an area that does not exist, with a valid check digit."""
    head = f"990000{random.randint(1950, 2005)}{random.randint(1, 12):02d}{random.randint(1, 28):02d}{random.randint(0, 999):03d}"
    total = sum(int(digit) * weight for digit, weight in zip(head, _WEIGHTS, strict=True))
    return head + "10X98765432"[total % 11]


def credit_code(random: Random) -> str:
    """A unified social credit code of an area that does not exist, with a valid check character."""
    head = "91990000MA" + "".join(random.choice(_CREDIT) for _ in range(7))
    total = sum(_CREDIT.index(char) * weight for char, weight in zip(head, _CREDIT_WEIGHTS, strict=True))
    return head + _CREDIT[(31 - total % 31) % 31]


def uuid(random: Random) -> str:
    """A random-looking UUID of version 4."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
