"""The public keys of an app for `private_key_jwt`: a JWK set (RFC 7517), checked to the last member.

Refused: secret keys (`oct`), any private member, algorithms other than ES256, PS256, RS256 and EdDSA, RSA below
2048 bits, points that are not on their curve, keys for encryption. Only known members are kept; a key without
`kid` gets its thumbprint (RFC 7638). No `jwks_uri`: nothing here fetches an address that someone typed in.
"""

import base64
import re
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from api.core.caller import Caller
from api.identity.apps.rows import changing, editable_app
from api.identity.inputs import Inputs
from api.identity.models import App

AUTH_METHODS = ("client_secret", "private_key_jwt")
MAX_KEYS = 10
MAX_MEMBER = 2048  # characters of one member's value; an RSA modulus of 8192 bits has 1366
MAX_RSA_BITS = 8192
MIN_RSA_BITS = 2048
ALGORITHMS = {"EC": ("ES256",), "RSA": ("PS256", "RS256"), "OKP": ("EdDSA",)}
_TYPES: dict[str, type[ECKey | RSAKey | OKPKey]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_PUBLIC = {"EC": ("crv", "x", "y"), "RSA": ("n", "e"), "OKP": ("crv", "x")}
_KID = re.compile(r"[A-Za-z0-9._~:@/+=-]{1,128}")


async def set_keys(caller: Caller, app_id: str, jwks: Any, auth_method: str | None = None) -> App:
    """Replace the app's public keys (the module says which are taken); none takes them away.

    `auth_method` says how the app proves itself from now on: `client_secret` or `private_key_jwt`, which takes
    at least one key. None: private_key_jwt with keys, client_secret without; an app that proves itself otherwise
    (a certificate, nothing) goes on so. Raises not-found, input-invalid.
    """
    app = await editable_app(caller, app_id)
    checked = read_jwks(jwks)
    has_keys = bool(checked["keys"])
    by_default = AUTH_METHODS[has_keys] if app.auth_method in AUTH_METHODS else app.auth_method
    method = auth_method if auth_method is not None else by_default
    inputs = Inputs()
    if method not in {*AUTH_METHODS, app.auth_method}:
        inputs.choice("/auth_method", method, AUTH_METHODS)
    if app.profile == "fapi2" and method == "client_secret":
        inputs.fault(
            "/keys",
            "fapi2 应用以公钥认证;先更换 auth_method 或 profile。",
            "An app of profile fapi2 authenticates with its keys; change its auth_method or profile first.",
        )
    if method == "private_key_jwt" and not has_keys:
        inputs.fault("/keys", "private_key_jwt 至少要有一把公钥。", "private_key_jwt takes at least one key.")
    inputs.check()
    kids = [key["kid"] for key in checked["keys"]]
    async with changing(caller, "app:keys:set", app, kids=kids, auth_method=method):
        await App.filter(id=app.id).update(jwks=checked, auth_method=method)
    return await App.get(id=app.id)


def read_jwks(jwks: Any) -> dict[str, Any]:
    """The checked JWK set, as it is stored; an empty one takes all keys away. Raises input-invalid, all faults at once."""
    inputs = Inputs()
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list):
        inputs.fault(
            "/keys", "须为 JWK 集合:{“keys”: […]}。", "It is a JWK set: an object with a list “keys”."
        )
        inputs.check()
        return {}
    if len(keys) > MAX_KEYS:
        inputs.fault("/keys", f"最多 {MAX_KEYS} 把公钥。", f"At most {MAX_KEYS} keys.")
        inputs.check()
    kept = [_read_key(inputs, f"/keys/{number}", key) for number, key in enumerate(keys)]
    kids = [key["kid"] for key in kept if key]
    for number, key in enumerate(kept):
        if key and key["kid"] in kids[: sum(1 for one in kept[:number] if one)]:
            inputs.fault(f"/keys/{number}/kid", "kid 重复。", "This kid stands twice.")
    inputs.check()
    return {"keys": [key for key in kept if key]}


def _read_key(inputs: Inputs, pointer: str, jwk: Any) -> dict[str, Any] | None:
    if not isinstance(jwk, dict) or jwk.get("kty") not in ALGORITHMS:
        inputs.fault(f"{pointer}/kty", "只接受 EC、RSA、OKP 公钥。", "EC, RSA and OKP public keys only.")
        return None
    kty = str(jwk["kty"])
    members = {name: jwk.get(name) for name in _PUBLIC[kty]}
    if not _has_right_members(inputs, pointer, jwk, members):
        return None
    kid = _check_material(inputs, pointer, kty, members)
    if "kid" in jwk:
        kid = jwk["kid"] if kid and isinstance(jwk["kid"], str) else ""
        if not _KID.fullmatch(kid):
            inputs.fault(
                f"{pointer}/kid", "kid 为 1 至 128 个 ASCII 字符。", "A kid has 1 to 128 ASCII characters."
            )
    algorithm = {"alg": jwk["alg"]} if jwk.get("alg") else {}
    return {"kty": kty, "kid": kid, "use": "sig"} | algorithm | members if kid else None


def _has_right_members(inputs: Inputs, pointer: str, jwk: dict[str, Any], members: dict[str, Any]) -> bool:
    """Public, whole, for signing, and of an algorithm that we take; the first fault is noted."""
    private = sorted(_PRIVATE & set(jwk))
    known = ALGORITHMS[jwk["kty"]]
    if private:
        inputs.fault(
            f"{pointer}/{private[0]}",
            "含有私钥成员。私钥已经泄露给了我们:请弃用它,另换一对密钥,只提交公钥。",
            "It holds a private member. That key is no longer secret: discard it, make another pair, send the public key only.",
        )
    elif any(not isinstance(value, str) or len(value) > MAX_MEMBER for value in members.values()):
        inputs.fault(pointer, f"缺少 {'、'.join(members)}。", f"It lacks {', '.join(members)}.")
    elif not _is_for_signing(jwk):
        inputs.fault(f"{pointer}/use", "须为签名公钥(use: sig)。", "It is no key for signatures (use: sig).")
    elif jwk.get("alg") and jwk["alg"] not in known:
        inputs.fault(
            f"{pointer}/alg",
            f"此类密钥的算法只能是 {'、'.join(known)}。",
            f"For this type of key: {', '.join(known)} only.",
        )
    else:
        return True
    return False


def _is_for_signing(jwk: dict[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and operations == ["verify"]


def _check_material(inputs: Inputs, pointer: str, kty: str, members: dict[str, Any]) -> str:
    """The key's thumbprint; "" with the fault noted when it is no key that we take."""
    curves = {"EC": "P-256", "OKP": "Ed25519"}
    if kty in curves and members["crv"] != curves[kty]:
        inputs.fault(f"{pointer}/crv", f"曲线须为 {curves[kty]}。", f"The curve is {curves[kty]}.")
        return ""
    if kty == "RSA" and not _has_rsa_size(members["n"]):
        inputs.fault(
            f"{pointer}/n",
            f"RSA 密钥须为 {MIN_RSA_BITS} 至 {MAX_RSA_BITS} 位。",
            f"An RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits.",
        )
        return ""
    source = {"kty": kty, **members}
    try:
        key = _TYPES[kty].import_key(source)
        public = key.public_key
        thumbprint = str(key.thumbprint())
    except (JoseError, ValueError, TypeError, KeyError, OverflowError):
        inputs.fault(pointer, "无法读取这把公钥。", "This public key cannot be read.")
        return ""
    if isinstance(public, RSAPublicKey):
        exponent = public.public_numbers().e
        if exponent < 65537 or exponent.bit_length() > 64:
            inputs.fault(f"{pointer}/e", "公钥指数须至少为 65537。", "The exponent is at least 65537.")
            return ""
    return thumbprint


def _has_rsa_size(modulus: str) -> bool:
    """Looked at before the import, which warns of weak keys and works long on huge ones; nonsense is left to it."""
    try:
        number = int.from_bytes(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)), "big")
    except ValueError:
        return True
    return MIN_RSA_BITS <= number.bit_length() <= MAX_RSA_BITS
