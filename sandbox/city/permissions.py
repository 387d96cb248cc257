"""Who may reset the sandbox of an app: who may change the app, and the app itself with `platform:sandbox:write`."""

from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import PERMISSION_DENIED
from api.core.problems import Refusal, Text
from api.identity.permissions import SANDBOX_WRITE, check_can_edit_app, passes


def check_can_reset(caller: Caller, app_id: str, organisation_id: str) -> None:
    """An app resets itself only, with its scope; people by their role in the organisation that owns the app."""
    if caller.kind == CallerKind.APP:
        if caller.id != app_id or SANDBOX_WRITE not in caller.scopes:
            raise Refusal(
                PERMISSION_DENIED,
                reason=Text(
                    f"应用只能重置自己的沙箱,并须有 {SANDBOX_WRITE} 权限。",
                    f"An app resets its own sandbox only, with the scope {SANDBOX_WRITE}.",
                ),
                role=Text("所有者或开发者", "owner or developer"),
            )
        return
    check_can_edit_app(caller, organisation_id)


def can_reset(caller: Caller, app_id: str, organisation_id: str) -> bool:
    return passes(check_can_reset, caller, app_id, organisation_id)
