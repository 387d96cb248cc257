"""Problem types about tokens with a person, a key or a certificate behind them. Use them as `problem_types.NAME`.

Steps authenticate (whose token this is, and who holds its key) and authorise (what the consent covers).
"""

from api.core.problems import define

_AUTHENTICATE, _AUTHORISE = "authenticate", "authorise"

# --- authenticate ----------------------------------------------------------------------------------
PROOF_MISSING = define(
    "proof-missing",
    401,
    ("缺少 DPoP 证明", "No DPoP proof"),
    (
        "此令牌绑定了密钥，请求却没有恰好一个 DPoP 证明，或以 Bearer 方式发送了令牌。",
        "This token is bound to a key, and the request has not exactly one DPoP proof, or sends the token as Bearer.",
    ),
    (
        "发送 Authorization: DPoP 令牌，并附上为此请求新签的 DPoP 头。",
        "Send Authorization: DPoP with the token, and a DPoP header signed for this very request.",
    ),
    (
        "绑定密钥的令牌被盗后不能使用，因此不可降为 Bearer。来源：RFC 9449 §7。",
        "A stolen token that is bound to a key is no use, so it is never taken as Bearer. Source: RFC 9449 §7.",
    ),
    step=_AUTHENTICATE,
)
PROOF_INVALID = define(
    "proof-invalid",
    401,
    ("DPoP 证明无效", "The DPoP proof is not valid"),
    ("{reason}", "{reason}"),
    (
        "为每个请求新签一个证明：htm、htu、iat、jti、ath；收到 DPoP-Nonce 时放入 nonce。",
        "Sign a new proof for every request: htm, htu, iat, jti, ath; put a DPoP-Nonce that you were given into nonce.",
    ),
    (
        "证明须由令牌所绑定的密钥为此方法、此地址、此令牌新签。来源：RFC 9449 §4.3。",
        "A proof is signed afresh with the key of the token, for this method, address and token. Source: RFC 9449 §4.3.",
    ),
    step=_AUTHENTICATE,
)
PROOF_REPLAYED = define(
    "proof-replayed",
    401,
    ("DPoP 证明已被使用", "The DPoP proof was used before"),
    ("这个证明的 jti 已经用过一次。", "The jti of this proof was used once already."),
    ("重试时也要新签一个证明，换一个 jti。", "Sign a new proof with another jti, for a retry too."),
    (
        "每个证明只能用一次，在所有进程上都是如此。来源：RFC 9449 §11.1。",
        "A proof is good once, over all processes. Source: RFC 9449 §11.1.",
    ),
    step=_AUTHENTICATE,
)
PROOF_UNCHECKED = define(
    "proof-unchecked",
    503,
    ("暂时无法核对 DPoP 证明", "The DPoP proof cannot be checked now"),
    (
        "记录已用证明的存储暂不可用，无法确认此证明未被用过。",
        "The store of used proofs is away, so nobody can tell whether this proof was used before.",
    ),
    ("稍后用新签的证明重试。", "Try again later with a new proof."),
    ("宁可拒绝，也不放过重放的证明。", "A call is refused rather than a replay let through."),
    step=_AUTHENTICATE,
    retry=True,
)
CERTIFICATE_MISMATCH = define(
    "certificate-mismatch",
    401,
    ("客户端证书与令牌不符", "The client certificate is not the token's"),
    ("{reason}", "{reason}"),
    (
        "用换取令牌时的同一张证书建立 TLS 连接；换证后重新换取令牌。",
        "Connect with the certificate that the token was got with; after a change of certificate get a new token.",
    ),
    (
        "令牌绑定了客户端证书（x5t#S256），只有持有该证书的一方可用。来源：RFC 8705 §3。",
        "The token is bound to a client certificate (x5t#S256), and good only with it. Source: RFC 8705 §3.",
    ),
    step=_AUTHENTICATE,
)
CONSENT_WITHDRAWN = define(
    "consent-withdrawn",
    401,
    ("授权已被撤回", "The consent was withdrawn"),
    (
        "数据主体已撤回此令牌所依据的授权。",
        "The data subject has withdrawn the consent that this token rests on.",
    ),
    (
        "停止使用这些数据；确有需要时，再次请本人通过授权页面同意。",
        "Stop using the data; where there is a need, ask the person again through the authorization page.",
    ),
    (
        "个人可随时撤回同意，撤回在一秒内对所有进程生效。来源：《个人信息保护法》第十五条。",
        "Consent may be withdrawn at any time; it holds at every process within a second. Source: PIPL, article 15.",
    ),
    step=_AUTHENTICATE,
)
ASSURANCE_TOO_LOW = define(
    "assurance-too-low",
    401,
    ("身份核验等级不够", "The person was not identified strongly enough"),
    (
        "{operation} 要求身份核验等级 {required}，令牌的等级是 {presented}。",
        "{operation} asks for the assurance {required}; the token has {presented}.",
    ),
    (
        "以 acr_values={required} 重新走授权页面，让本人以更高等级登录。",
        "Send the person through the authorization page again with acr_values={required}.",
    ),
    (
        "契约的 x-assurance 要求更高的身份核验等级。来源：RFC 9470。",
        "The contract's x-assurance asks for a stronger sign-in. Source: RFC 9470.",
    ),
    step=_AUTHORISE,
)
# --- authorise -------------------------------------------------------------------------------------
CONSENT_OUTDATED = define(
    "consent-outdated",
    403,
    ("授权未涵盖此次调用", "The consent does not cover this call"),
    ("{reason}", "{reason}"),
    (
        "请数据主体通过授权页面重新同意；页面会列出现在的字段、用途与期限。",
        "Ask the data subject again through the authorization page; it lists the fields, the purpose and the term of today.",
    ),
    (
        "同意只涵盖当时展示的字段、用途与期限；契约新增的字段须重新同意。来源：《个人信息保护法》第十四条。",
        "Consent covers the fields, purpose and term that were shown; fields added later need a new one. Source: PIPL, article 14.",
    ),
    step=_AUTHORISE,
)
MANDATE_REFUSED = define(
    "mandate-refused",
    403,
    ("无权代表此组织", "No mandate for this organisation"),
    ("{reason}", "{reason}"),
    (
        "由现任法定代表人或在有效期内的代理人，为这个组织授权。",
        "Have the present legal representative, or an agent whose mandate still runs, consent for this very organisation.",
    ),
    (
        "组织的数据只可由现在有权代表它的人授权；前任代表、过期代理、普通股东及已注销的企业均不可。",
        "Data of an organisation are opened by who may speak for it now: no former representative, expired agent or mere shareholder, nor for one that was struck off.",
    ),
    step=_AUTHORISE,
)
