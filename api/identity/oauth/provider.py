"""OpenID Connect and the device grant of one plane, joined to its authorization service.

    provider = AuthorizationService(…).provider

It adds the id_token to token answers, looks up what the device grant needs, and answers the endpoints userinfo,
device and logout. What an authorization means, and who may ask for it, is the service's.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from api.core.crypto import Vault
from api.core.problems import Text
from api.identity.oauth import deciding, device
from api.identity.oauth.authorization import Asked
from api.identity.oauth.authorizing import address_with
from api.identity.oauth.details import parsed
from api.identity.oauth.device import Devices
from api.identity.oauth.errors import (
    AuthorizationRefused,
    ClientUnauthorized,
    DetailsRefused,
    RedirectRefused,
)
from api.identity.oauth.forms import Form
from api.identity.oauth.id_tokens import read_hint
from api.identity.oauth.openid import IdTokenAddition, describe_provider
from api.identity.oauth.resources import audience_for
from api.identity.oauth.scopes import IDENTITY, allowed_authorization
from api.identity.oauth.server import Answer
from api.identity.oauth.unit_of_work import UnitOfWork
from api.identity.oauth.userinfo import UserInfo

if TYPE_CHECKING:
    from api.identity.oauth.clients import Client
    from api.identity.oauth.service import AuthorizationService

_WRONG_HINT = Text(
    "id_token_hint 不是本平台签发的身份令牌,或与 client_id 不符。",
    "The id_token_hint is no id token of this issuer, or not one of this client_id.",
)
_WRONG_ADDRESS = Text(
    "post_logout_redirect_uri 不是该应用登记的地址,或缺少 id_token_hint。",
    "The post_logout_redirect_uri is none that the app has registered, or the id_token_hint that names the app is missing.",
)


class Provider:
    """The part of an authorization server that knows people: who they are, and devices that wait for them."""

    def __init__(self, service: "AuthorizationService", vault: Vault, token_seconds: int) -> None:
        self._service = service
        self.devices = Devices(service.environment, vault)
        self.userinfo = UserInfo(
            environment=service.environment, issuer=service.issuer, preloader=service.preloader, clients=service.clients,
            nonces=service.nonces,
        )  # fmt: skip
        service.server.additions.append(IdTokenAddition(service.ring, service.issuer, token_seconds))
        service.prepare = self._prepare
        service.refuse_device = self.refuse_device

    async def metadata(self) -> dict[str, Any]:
        """The document at /.well-known/openid-configuration."""
        return describe_provider(await self._service.metadata())

    # --- devices ----------------------------------------------------------------------------------
    async def start_device(self, form: Form) -> Answer:
        """The answer to a device authorization request (RFC 8628 §3.2)."""
        service = self._service
        work = await service.preloader.for_token(form)
        asked: Asked | None = None

        def decide() -> Answer:
            nonlocal asked
            client = service.proven(work, f"{service.issuer}/oauth/device")
            asked = self._asked_by_device(form, client, work)
            return Answer(200, {}, [])

        answer = service.within(work, decide)
        client = work.client
        if asked is None or client is None:
            return await service.committed(work, answer)
        try:
            await deciding.check_details(client, asked)
        except DetailsRefused as error:
            return await service.committed(work, Answer(*error()))
        answer = await service.committed(work, answer)
        if answer.status != 200:
            return answer
        codes = await self.devices.start(app_id=client.app_id, client_id=client.client_id, asked=asked)
        address = f"{service.issuer}/device"
        body = {
            **msgspec.structs.asdict(codes),
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={codes.user_code}",
        }
        return Answer(200, body, answer.headers)

    def _asked_by_device(self, form: Form, client: "Client", work: UnitOfWork) -> Asked:
        if client.is_fapi or not client.check_grant_type(device.GRANT_TYPE):
            raise ClientUnauthorized(
                "Profile fapi2 has the authorization code only." if client.is_fapi else
                "This app does not use the device grant; add it to the grant types in the app's OAuth settings."
            )  # fmt: skip
        scope = allowed_authorization(form.get("scope"), client.granted, work.published)
        details = parsed(form.get("authorization_details"))
        if not scope and not details:
            raise AuthorizationRefused("invalid_scope", "Name scopes, or authorization_details (RFC 9396).")
        services = " ".join(one for one in scope.split() if one not in IDENTITY)
        return Asked(
            redirect_uri=f"{self._service.issuer}/device",
            scope=scope,
            audience=audience_for(form.get("resource"), services, self._service.issuer),
            challenge="",
            details=details,
            acr_values=form.get("acr_values")[:200],
            ui_locales=form.get("ui_locales")[:200],
        )

    async def claim_device(self, user_code: str, browser: str) -> str:
        """The id (`ar_…`) of the request behind a user code as typed, to be decided in this browser.

        Ends at `{issuer}/device?outcome=done` or `refused`. Raises Refusal NOT_FOUND, alike for every reason.
        Whoever calls it limits the attempts of an address (RFC 8628 §5.1).
        """
        row = await self.devices.find(user_code)
        await self._service.clients.catch_up()
        client = await self._service.clients.find(row.client_id)
        if client is None or client.status != "active":
            raise device.no_device()
        asked = msgspec.structs.replace(msgspec.convert(row.parameters, Asked), device=row.hash)
        return await deciding.keep_request(self._service.environment, client, asked, browser)

    async def refuse_device(self, key: str) -> str:
        """The person said no. Returns the address of the page that says so."""
        await self.devices.refuse(key)
        return f"{self._service.issuer}/device?outcome=refused"

    async def _prepare(self, work: UnitOfWork) -> None:
        """What the device grant looks up before the core decides."""
        form = work.form
        if form.get("grant_type") == device.GRANT_TYPE and form.get("device_code"):
            found = await self.devices.poll(form.get("device_code"))
            work.preloaded["device"] = found
            if found is not None and found.family_id:
                await self._service.preloader.load_family(work, found.family_id)

    # --- the end of a session ---------------------------------------------------------------------
    async def log_out(self, parameters: dict[str, str]) -> tuple[str, bool]:
        """Where to send the browser, and whether its citizen is signed out (OpenID Connect RP-Initiated Logout §2).

        Without an id token of ours nobody is signed out: a link on a stranger's page could have led here. Raises
        RedirectRefused.
        """
        service = self._service
        address = parameters.get("post_logout_redirect_uri", "")
        hint = None
        if parameters.get("id_token_hint"):
            hint = read_hint(parameters["id_token_hint"], service.ring, service.issuer)
            if hint is None or parameters.get("client_id", hint.aud) != hint.aud:
                raise RedirectRefused(_WRONG_HINT)
        if not address:
            return f"{service.issuer}/consents", hint is not None
        await service.clients.catch_up()
        client = await service.clients.find(hint.aud) if hint is not None else None
        if client is None or address not in client.post_logout_redirect_uris:
            raise RedirectRefused(_WRONG_ADDRESS)
        state = parameters.get("state")
        return (address_with(address, state=state) if state is not None else address), True
