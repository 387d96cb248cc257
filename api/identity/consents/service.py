"""Consent, from the question to its end: the functions that pages, endpoints and commands use.

    read_details ──▶ offer ──▶ (the page shows the text) ──▶ give ──▶ Grant ──▶ withdraw
                                                             │ the text is made again, its hash has to be the one shown

Who gives is a Subject, never a Caller: a developer consents to nothing here. What rests on another legal ground
is recorded by `record_ground` without a text. The gateway decides by the token's details, see api.gateway.
"""

from api.identity.consents.asking import offer, organisations_for
from api.identity.consents.delegation import delegate, revoke_mandate
from api.identity.consents.details import Detail, DetailsError, read_details, read_granted
from api.identity.consents.giving import give
from api.identity.consents.grounds import record_ground
from api.identity.consents.mandates import can_speak_for, check_can_speak_for, mandates_for, mandates_of
from api.identity.consents.register import follow_everybody, follow_register
from api.identity.consents.text import ConsentText, lines_of
from api.identity.consents.withdrawing import (
    end_grant,
    find_grant,
    grants_of,
    is_in_force,
    text_of,
    withdraw,
)

__all__ = [
    "ConsentText", "Detail", "DetailsError", "can_speak_for", "check_can_speak_for", "delegate", "end_grant",
    "find_grant", "follow_everybody", "follow_register", "give", "grants_of", "is_in_force", "lines_of",
    "mandates_for", "mandates_of", "offer", "organisations_for", "read_details", "read_granted", "record_ground",
    "revoke_mandate", "text_of", "withdraw",
]  # fmt: skip
