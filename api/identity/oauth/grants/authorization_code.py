"""authorization_code: a person agreed, and the app redeems the code that the browser brought (RFC 6749 §4.1, RFC 7636)."""

import hashlib
import hmac
import re
from typing import Any

from api.identity.oauth.binding import Binding, check_bound_code
from api.identity.oauth.errors import GrantRefused, InputRefused
from api.identity.oauth.families import CodeSpent, code_replayed
from api.identity.oauth.grants.family_grant import FamilyGrant, is_past
from api.identity.oauth.jose import encode_segment
from api.identity.oauth.models import AuthorizationCode
from api.identity.oauth.unit_of_work import UNIT

_is_verifier = re.compile(r"[A-Za-z0-9._~-]{43,128}").fullmatch


class AuthorizationCodeGrant(FamilyGrant):
    """Once, within a minute, by the app it was made for, with the verifier and the key it was bound to."""

    GRANT_TYPE = "authorization_code"

    def validate_token_request(self) -> None:
        """Everything but the one use, which the commit decides. Raises GrantRefused, InputRefused."""
        client = self.prove_client()
        work = UNIT.get()
        if not work.form.get("code"):
            raise InputRefused("The parameter code is missing.")
        code = work.code
        if code is None:
            raise GrantRefused("The code is unknown or has expired; a code lives for one minute.")
        if code.client_id != client.client_id:
            raise GrantRefused("The code was made for another app.")
        if code.used_at is not None:
            work.ended = code.family_id
            raise code_replayed()
        if is_past(code.expires_at):
            raise GrantRefused("The code has expired; a code lives for one minute.")
        self._family = self.living_family(client, work)
        if work.form.get("redirect_uri") != code.redirect_uri:
            raise GrantRefused("The redirect_uri is not the one of the authorization request.")
        _check_verifier(work.form.get("code_verifier"), code)
        self._binding: Binding = self.binding(client)
        check_bound_code(code.jkt, self._binding)
        self._code = code

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The tokens. Not authlib's own method: that one writes them to its debug log."""
        client, code = self.request.client, self._code
        UNIT.get().steps.append(CodeSpent(code.hash, code.family_id))
        body = self.give(
            client, self._family, self._binding, with_refresh=client.check_grant_type("refresh_token")
        )
        return 200, body, self.TOKEN_RESPONSE_HEADER


def _check_verifier(verifier: str, code: AuthorizationCode) -> None:
    if not verifier:
        raise InputRefused("The parameter code_verifier is missing (RFC 7636).")
    if not _is_verifier(verifier):
        raise GrantRefused(
            "A code_verifier has 43 to 128 letters, digits and - . _ ~ (RFC 7636, section 4.1)."
        )
    made = encode_segment(hashlib.sha256(verifier.encode()).digest())
    if not hmac.compare_digest(made, code.challenge.encode()):
        raise GrantRefused("The code_verifier does not fit the code_challenge of the authorization request.")
