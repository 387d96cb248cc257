"""The device grant (RFC 8628 §3.4): a device asks, again and again, whether its person has decided."""

from typing import Any

from authlib.oauth2.rfc6749 import errors as authlib_errors

from api.identity.oauth import device
from api.identity.oauth.binding import Binding, check_bound_family
from api.identity.oauth.clients import Client
from api.identity.oauth.device import DeviceSpent, device_code_spent
from api.identity.oauth.errors import GrantRefused, InputRefused, ascii_text
from api.identity.oauth.grants.family_grant import FamilyGrant, is_past
from api.identity.oauth.unit_of_work import UNIT


class PollRefused(authlib_errors.OAuth2Error):
    """`authorization_pending`, `slow_down`, `access_denied` or `expired_token` (RFC 8628 §3.5)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description=ascii_text(description), error=error, status_code=400)


class DeviceCodeGrant(FamilyGrant):
    """The tokens once, to the client that started, after its person agreed."""

    GRANT_TYPE = device.GRANT_TYPE

    def validate_token_request(self) -> None:
        """Everything but the one use, which the commit decides. Raises PollRefused, GrantRefused, InputRefused."""
        client = self.prove_client()
        work = UNIT.get()
        if not work.form.get("device_code"):
            raise InputRefused("The parameter device_code is missing.")
        found: device.Device | None = work.preloaded.get("device")
        if found is None or found.client_id != client.client_id:
            raise GrantRefused("The device code is unknown; start a new device authorization.")
        if found.state == device.SPENT:
            raise device_code_spent()
        if is_past(found.expires_at):
            raise PollRefused(
                "expired_token", "The device code has expired; start a new device authorization."
            )
        _check_decided(found)
        self._family = self.living_family(client, work)
        self._binding: Binding = self.binding(client)
        check_bound_family(self._family, self._binding)
        self._device = found

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The tokens. Not authlib's own method: that one writes them to its debug log."""
        client: Client = self.request.client
        UNIT.get().steps.append(DeviceSpent(self._device.hash))
        body = self.give(
            client, self._family, self._binding, with_refresh=client.check_grant_type("refresh_token")
        )
        return 200, body, self.TOKEN_RESPONSE_HEADER


def _check_decided(found: device.Device) -> None:
    if found.state == device.REFUSED:
        raise PollRefused("access_denied", "The person refused; do not ask again with this code.")
    if found.state == device.WAITING and found.is_hasty:
        raise PollRefused(
            "slow_down", "Poll less often: wait five seconds longer between two polls from now on."
        )
    if found.state == device.WAITING:
        raise PollRefused("authorization_pending", "The person has not decided yet; ask again later.")
