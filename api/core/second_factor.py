"""One rule, asked by the policies of every feature: who approves, publishes live or administers has shown a second factor.

How a factor is shown is api.identity.security's; here is only what its absence means.
"""

from api.core.caller import Caller, CallerKind
from api.core.problem_types_people import MFA_REQUIRED
from api.core.problems import Refusal

WHERE = "/account/security"  # the portal's page on which everything about it is mended


def check_second_factor(caller: Caller) -> None:
    """Refuses (mfa-required) a person whose session or token never showed a second factor.

    Apps and the local operator have none to show: what they may do is bounded otherwise.
    """
    if caller.kind is CallerKind.PERSON and not caller.has_mfa:
        raise Refusal(MFA_REQUIRED, where=WHERE)


def is_only_factor_missing(refusal: Refusal) -> bool:
    """Whether the caller may do it once a second factor is shown: pages then offer it all the same."""
    return refusal.kind is MFA_REQUIRED
