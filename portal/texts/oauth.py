"""Texts of an app's OAuth settings: how it proves itself, where browsers return to, and trying consent."""

TEXTS: dict[str, tuple[str, str]] = {
    "oauth.title": ("OAuth 设置", "OAuth settings"),
    "oauth.lead": (
        "要代表市民或企业调用，应用先取得他们的同意。这里说明应用怎样证明自己、浏览器回到哪里、同意页上写什么。",
        "To call on behalf of citizens or organisations, the app gets their consent first. Here you say how it proves itself, where browsers return to, and what the consent page tells about it.",
    ),
    "oauth.open": ("OAuth 设置", "OAuth settings"),
    "oauth.open_text": (
        "授权码、同意页、FAPI 2.0、密钥与证书。",
        "Authorization code, consent page, FAPI 2.0, keys and certificates.",
    ),
    "oauth.saved": ("OAuth 设置已保存。", "The OAuth settings are saved."),
    "oauth.kind": ("证明自己", "Proving itself"),
    "oauth.return": ("浏览器回到哪里", "Where browsers return to"),
    "oauth.keys": ("公钥与证书", "Keys and certificate"),
    "oauth.profile_baseline": ("基础（OAuth 2.1）", "Baseline (OAuth 2.1)"),
    "oauth.profile_fapi2": ("金融级（FAPI 2.0）", "Financial grade (FAPI 2.0)"),
    "oauth.profile_hint": (
        "金融级要求：先推送请求（PAR）、私钥或证书认证、令牌绑定密钥。银行选它。",
        "Financial grade means: requests are pushed first (PAR), keys or a certificate instead of a secret, tokens bound to a key. Banks choose it.",
    ),
    "oauth.method_client_secret": ("共享密钥（client_secret）", "A shared secret (client_secret)"),
    "oauth.method_private_key_jwt": (
        "私钥签名（private_key_jwt）",
        "A signature by its private key (private_key_jwt)",
    ),
    "oauth.method_tls_client_auth": (
        "客户端证书（tls_client_auth）",
        "Its client certificate (tls_client_auth)",
    ),
    "oauth.method_none": (
        "没有凭据：浏览器或手机里的公共客户端",
        "None: a public client in a browser or a phone",
    ),
    "oauth.method_hint": (
        "公共客户端保不住秘密，只靠 PKCE；有服务器的应用请用私钥。",
        "A public client keeps no secret and relies on PKCE alone; an app with a server uses its key.",
    ),
    "oauth.binding_none": ("不绑定：拿到令牌的人就能用", "Not bound: whoever has the token can use it"),
    "oauth.binding_dpop": ("绑定密钥（DPoP，RFC 9449）", "Bound to a key (DPoP, RFC 9449)"),
    "oauth.binding_mtls": ("绑定证书（mTLS，RFC 8705）", "Bound to the certificate (mTLS, RFC 8705)"),
    "oauth.grant_client_credentials": (
        "以应用自己的名义（client_credentials）",
        "On its own behalf (client_credentials)",
    ),
    "oauth.grant_authorization_code": (
        "代表市民或企业（authorization_code）",
        "For citizens and organisations (authorization_code)",
    ),
    "oauth.grant_refresh_token": (
        "在同意期内保持访问（refresh_token）",
        "Going on while the consent lasts (refresh_token)",
    ),
    "oauth.grant_device": ("没有浏览器的设备（device_code）", "Devices without a browser (device_code)"),
    "oauth.redirects_hint": (
        "一行一个完整地址，逐字比对。须为 https；本机开发可用 http://127.0.0.1。",
        "One whole address a line, compared letter by letter. https; http://127.0.0.1 for development.",
    ),
    "oauth.logout_hint": (
        "退出登录后可以回到的地址，一行一个。",
        "Where a browser may go after signing out; one a line.",
    ),
    "oauth.line": ("第 {line} 行：{fault}", "Line {line}: {fault}"),
    "oauth.keys_hint": (
        "只放公钥（EC、RSA 或 OKP）。认证用 private_key_jwt 时必填。",
        "Public keys only (EC, RSA or OKP). private_key_jwt needs them.",
    ),
    "oauth.certificate_hint": (
        "粘贴客户端证书（PEM，以 -----BEGIN CERTIFICATE----- 开头）。平台只记下它的指纹和主题名。",
        "Paste the client certificate (PEM, beginning with -----BEGIN CERTIFICATE-----). Only its thumbprint and subject name are kept.",
    ),
    "oauth.certificate_now": ("现用证书", "Certificate in use"),
    "oauth.certificate_remove": ("移除现用证书", "Take the certificate away"),
    "oauth.certificate_bad": (
        "这不是 PEM 证书。用 openssl x509 -in cert.pem 检查；不要粘贴私钥。",
        "This is no PEM certificate. Look at it with openssl x509 -in cert.pem; never paste a private key.",
    ),
    "oauth.certificate_private": (
        "你粘贴的是私钥，它已不再是秘密：请弃用，另换一对，只粘贴证书。",
        "That is a private key, and no secret any more: discard it, make another pair, paste the certificate only.",
    ),
    "oauth.people": ("同意页上写什么", "On the consent page"),
    "oauth.contact_hint": (
        "市民有疑问时找谁，例如 privacy@bank.example 或客服电话。",
        "Whom citizens ask, for example privacy@bank.example or a telephone number.",
    ),
    "oauth.retention_hint": (
        "拿到的数据保存多久、怎样删除，例如“贷款结清后 6 个月删除”。",
        "How long data are kept and how they are deleted, for example “deleted six months after the loan is repaid”.",
    ),
    "oauth.save": ("保存", "Save"),
    "field.profile": ("安全档次", "Security profile"),
    "field.auth_method": ("怎样证明自己", "How it proves itself"),
    "field.token_binding": ("令牌绑定", "Binding of tokens"),
    "field.grant_types": ("怎样取得令牌", "How it gets tokens"),
    "field.redirect_uris": ("重定向地址", "Redirect URIs"),
    "field.post_logout_redirect_uris": ("退出后回到", "After signing out"),
    "field.certificate": ("客户端证书", "Client certificate"),
    "field.contact": ("联系方式", "Contact"),
    # --- endpoints and trying --------------------------------------------------------------------
    "oauth.endpoints": ("地址", "Addresses"),
    "oauth.endpoint_metadata": ("服务器元数据", "Metadata"),
    "oauth.endpoint_authorize": ("授权", "Authorization"),
    "oauth.endpoint_par": ("推送请求（PAR）", "Pushed requests (PAR)"),
    "oauth.endpoint_device": ("设备授权", "Device authorization"),
    "oauth.try": ("在沙箱里试一次同意", "Try consent in the sandbox"),
    "oauth.try_text": (
        "打开真正的同意页，扮演一位虚构的市民作出决定，再看令牌里写了什么。",
        "Open the real consent page, decide as an invented citizen, and see what the token says.",
    ),
    "oauth.try_service": ("请求哪项服务", "Which service to ask for"),
    "oauth.try_go": ("打开同意页", "Open the consent page"),
    "oauth.try_prepare": ("登记试用地址并启用授权码", "Register the try-out address, with the code grant"),
    "oauth.try_prepare_text": (
        "试用时浏览器回到门户的 {address}。登记它之后就可以开始。",
        "For trying, the browser returns to {address} in the portal. Register it, and you can begin.",
    ),
    "oauth.try_prepared": ("试用地址已登记。", "The try-out address is registered."),
    "oauth.try_fapi": (
        "金融级应用的请求要由它自己签名推送，门户没有你的私钥。照教程走一遍。",
        "Requests of a financial-grade app are pushed and signed by itself; the portal has no private key of yours. Follow the tutorial.",
    ),
    "oauth.try_none": (
        "先订阅一项需要同意的服务，例如 tax@v1（用途 bank-credit）。",
        "Subscribe to a service that needs consent first, tax@v1 for bank-credit for example.",
    ),
    "oauth.try_commands": ("不用浏览器", "Without a browser"),
    "oauth.try_commands_text": (
        "沙箱里可以直接以人物的身份给出同意（仅限沙箱），测试和脚本用它。",
        "In the sandbox a consent can be given as a person directly (there only); tests and scripts use that.",
    ),
    "oauth.try_command_line": ("命令行", "Command line"),
    "oauth.try_tutorial": ("教程：征得同意", "Tutorial: asking for consent"),
    "oauth.tried": ("同意页的答复", "What the consent page answered"),
    "oauth.tried_code": ("收到授权码", "A code has arrived"),
    "oauth.tried_code_text": (
        "授权码只能用一次，一分钟内过期。CLIENT_SECRET 是应用的密钥。",
        "It works once, within a minute. CLIENT_SECRET is the secret of your app.",
    ),
    "oauth.tried_call": ("② 凭这份同意调用", "② Call under the consent"),
    "oauth.tried_refused": ("没有得到授权码", "No code"),
    "oauth.tried_refused_text": (
        "应用收到的是错误 {error}。真实的应用此时应当尊重决定，并说明没有这些数据能做什么。",
        "The app gets the error {error}. A real app respects that, and says what it can do without the data.",
    ),
    "oauth.tried_state": (
        "state 与开始时的不符：这个答复不是这个浏览器发起的，真实的应用必须丢弃它。",
        "The state is not the one that was sent: this browser did not begin it, and a real app has to drop the answer.",
    ),
    "oauth.tried_nothing": ("没有答复可看", "There is no answer to show"),
    "oauth.tried_nothing_text": ("请从 OAuth 设置页开始试用。", "Begin at the OAuth settings."),
    "oauth.tried_withdraw": (
        "再以同一位市民打开“授权与同意”撤回，然后重复调用：一秒后就会被拒绝，并说明原因。",
        "Now open “Consents” as that citizen, withdraw, and call again: within a second the call is refused and says why.",
    ),
    "oauth.again": ("再试一次", "Try again"),
}
