"""refresh_token: another access token while the consent holds (RFC 6749 §6, RFC 9700 §4.14).

baseline   each token works once; the answer brings its successor. A second use more than ten seconds later is
           taken for a theft: everything that came of the authorization ends.
fapi2      the token stays (FAPI 2.0 forbids rotation); only the client, with the key it was given to, can use it.
"""

from datetime import timedelta
from typing import Any

from api.core import clock
from api.identity.oauth.binding import Binding, check_bound_family
from api.identity.oauth.clients import Client
from api.identity.oauth.errors import GrantRefused, InputRefused
from api.identity.oauth.families import GRACE_SECONDS, RefreshSpent, refresh_used_just_now
from api.identity.oauth.grants.family_grant import FamilyGrant, is_past
from api.identity.oauth.models import RefreshToken
from api.identity.oauth.unit_of_work import UNIT, UnitOfWork


class RefreshTokenGrant(FamilyGrant):
    """Never more than the person agreed to, and nothing once the consent was withdrawn."""

    GRANT_TYPE = "refresh_token"

    def validate_token_request(self) -> None:
        """Everything but the one use, which the commit decides. Raises GrantRefused, InputRefused."""
        client = self.prove_client()
        work = UNIT.get()
        if not work.form.get("refresh_token"):
            raise InputRefused("The parameter refresh_token is missing.")
        row = work.refresh
        if row is None:
            raise GrantRefused("The refresh token is unknown or has expired; start a new authorization.")
        self._family = self.living_family(client, work)
        if is_past(row.expires_at):
            raise GrantRefused("The refresh token has expired; start a new authorization.")
        self._binding: Binding = self.binding(client)
        check_bound_family(self._family, self._binding)
        if row.used_at is not None:
            _refuse_used(row, work)
        self._row = row

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The tokens. Not authlib's own method: that one writes them to its debug log."""
        client: Client = self.request.client
        rotates = not client.is_fapi
        if rotates:
            UNIT.get().steps.append(RefreshSpent(self._row.hash))
        body = self.give(client, self._family, self._binding, with_refresh=rotates)
        return 200, body, self.TOKEN_RESPONSE_HEADER


def _refuse_used(row: RefreshToken, work: UnitOfWork) -> None:
    if row.used_at is not None and clock.now() - row.used_at <= timedelta(seconds=GRACE_SECONDS):
        raise refresh_used_just_now()
    work.ended = row.family_id
    raise GrantRefused(
        "This refresh token was used before, so it may be stolen. Every token of the authorization has been revoked; "
        "start a new one."
    )
