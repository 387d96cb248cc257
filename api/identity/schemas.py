"""What the routes of identity have in common: identifiers, list parameters, tags, notices."""

from typing import Annotated

from litestar.datastructures import CacheControlHeader
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta, Struct

from api.core.problems import Text
from api.identity.permissions import ROLE_NAMES

NO_STORE = CacheControlHeader(no_store=True)

Limit = Annotated[int, QueryParameter(ge=1, le=100, description="How many at most. 每页条数。")]
Cursor = Annotated[
    str, QueryParameter(max_length=300, description="`next` of the page before. 上一页的 next。")
]
AppId = Annotated[str, PathParameter(max_length=64, description="`a_…`")]
OrganisationId = Annotated[str, PathParameter(max_length=64, description="`o_…`")]
PersonId = Annotated[str, PathParameter(max_length=64, description="`p_…`")]
OtherId = Annotated[str, PathParameter(max_length=64)]

Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=254,
        description="E-mail address; internationalised ones count (RFC 6531).",
        examples=["lin.mei@company.example"],
        extra_json_schema={"format": "idn-email"},
    ),
]
NewPassword = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=200,
        description="At least 10 characters; not the e-mail address or name; not a common one.",
        examples=["four unrelated words here"],
        extra_json_schema={"format": "password"},
    ),
]
PresentPassword = Annotated[str, Meta(max_length=1000, extra_json_schema={"format": "password"})]
LinkToken = Annotated[str, Meta(max_length=64, description="From the mailed link. 邮件链接中的令牌。")]
Locale = Annotated[
    str, Meta(pattern="^(zh|en)$", description="Language of mails: zh or en.", examples=["zh"])
]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
RoleName = Annotated[str, Meta(pattern=f"^({'|'.join(ROLE_NAMES)})$")]
Roles = Annotated[
    list[RoleName],
    Meta(min_length=1, max_length=5, description=f"Of {', '.join(ROLE_NAMES)}.", examples=[["developer"]]),
]


class Notice(Struct, frozen=True):
    """What happens now, in both languages."""

    message: Text


CHECK_MAIL = Notice(
    Text(
        "如果信息无误,您会收到一封邮件,请打开其中的链接。",
        "If all is well you get a mail; open the link in it.",
    )
)
