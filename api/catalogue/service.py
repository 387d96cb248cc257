"""The catalogue's front: every function that other packages use, from the module that keeps its concern.

Import this once in a process that decides approvals: the concerns register there what a decision brings about.
"""

from api.catalogue.approvals import (
    approvals_for,
    ask_for,
    cancel,
    comment,
    decide,
    get_approval,
    on_decision,
    view,
)
from api.catalogue.browsing import browse, services, versions_of
from api.catalogue.drafts import delete_draft, edit_overlay, get_version
from api.catalogue.impact import changes_between, preview
from api.catalogue.lifecycle import retire, retire_due, set_status, unretire, withdraw
from api.catalogue.onboarding import import_contract, lint
from api.catalogue.plans import ensure_plans, plan, plans, set_plan
from api.catalogue.publishing import checklist_of, publications_of, publish, published, releases_of
from api.catalogue.readings import ImportReport, load_upload
from api.catalogue.rights import (
    get_subscription,
    granted_scopes,
    opened,
    owner_of,
    scopes_of,
    subscribers_of,
    subscriptions_of,
)
from api.catalogue.subscribing import (
    SubscriptionEntry,
    parse_entry,
    resume_subscription,
    subscribe,
    suspend_subscription,
    unsubscribe,
)

version = get_version

__all__ = [
    "ImportReport", "SubscriptionEntry", "approvals_for", "ask_for", "browse", "cancel", "changes_between",
    "checklist_of", "comment", "decide", "delete_draft", "edit_overlay", "ensure_plans", "get_approval",
    "get_subscription", "get_version", "granted_scopes", "import_contract", "lint", "load_upload", "on_decision",
    "opened", "owner_of", "parse_entry", "plan", "plans", "preview", "publications_of", "publish", "published",
    "releases_of", "resume_subscription", "retire", "retire_due", "scopes_of", "services", "set_plan", "set_status",
    "subscribe", "subscribers_of", "subscriptions_of", "suspend_subscription", "unretire", "unsubscribe", "version",
    "versions_of", "view", "withdraw",
]  # fmt: skip
