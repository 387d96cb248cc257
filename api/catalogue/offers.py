"""What a published version offers, cut down to what rights are decided by: one small row per operation.

Made once at publish and stored beside the document, so that a subscription or a token needs no document of
megabytes. It decides nothing itself; `reach` answers which operations a subscription would open.
"""

from collections.abc import Iterable

from msgspec import Struct

from api.contract.model import Grade, Level, Service


class OfferedOperation(Struct, frozen=True):
    """The policy of one operation; the fields are those of contract.model.Operation."""

    id: str
    level: Level
    grade: Grade
    purposes: tuple[str, ...] = ()
    share: str = "conditional"
    open: str = "conditional"
    audience: str = "public"
    scopes: tuple[str, ...] = ()


class Offer(Struct, frozen=True):
    """All operations of a published version, and the aliases of its scopes."""

    operations: tuple[OfferedOperation, ...]
    aliases: dict[str, tuple[str, ...]] = {}

    @property
    def purposes(self) -> tuple[str, ...]:
        """Every purpose that some operation allows, in the contract's order."""
        return tuple(dict.fromkeys(purpose for one in self.operations for purpose in one.purposes))

    @property
    def level(self) -> Level:
        """The highest level of any operation."""
        return max((one.level for one in self.operations), default=Level.L1)


class Subscriber(Struct, frozen=True):
    """Who would subscribe: kind of the app's organisation, and whether it owns the service itself."""

    kind: str  # department, company, individual or "" = unknown
    is_owner: bool = False


def offer_of(service: Service) -> Offer:
    """The offer of a service as published."""
    return Offer(
        operations=tuple(
            OfferedOperation(
                id=one.id,
                level=one.level,
                grade=one.grade,
                purposes=one.purposes,
                share=one.share,
                open=one.open,
                audience=one.audience,
                scopes=one.scopes,
            )
            for one in service.operations
        ),
        aliases={scope.name: scope.aliases for scope in service.scopes if scope.aliases},
    )


def obstacle_of(operation: OfferedOperation, subscriber: Subscriber) -> str:
    """What keeps this operation from this subscriber, in both environments: "" for nothing, else

    - `classification`: important and core data leave through no face, L4 data only through the clean room,
      and data of L3 for which the contract names no purpose through none either;
    - `audience`: `x-audience: department` is for departments;
    - `share`: `x-share: none` is not shared with another department.

    `x-audience: third-party` and `public` differ in what the open-data pages offer, not here: whoever
    subscribes is a registered third party. A department's own apps meet neither audience nor share.
    """
    if operation.grade != Grade.GENERAL or operation.level == Level.L4:
        return "classification"
    if operation.level == Level.L3 and not operation.purposes:
        return "classification"
    if subscriber.is_owner:
        return ""
    if operation.audience == "department" and subscriber.kind != "department":
        return "audience"
    if operation.share == "none" and subscriber.kind == "department":
        return "share"
    return ""


def reach(offer: Offer, subscriber: Subscriber, purpose: str) -> tuple[OfferedOperation, ...]:
    """The operations that a subscription for `purpose` opens.

    An operation that names purposes is opened by one of them; one that names none is opened by any.
    """
    return tuple(
        one
        for one in offer.operations
        if not obstacle_of(one, subscriber) and (not one.purposes or purpose in one.purposes)
    )


def deciding_level(operations: Iterable[OfferedOperation]) -> Level:
    """The level that decides about a subscription: the highest that it reaches, whatever the basis.

    Consent does not lower it. Consent is the citizen's word for one use of his data; the subscription is the
    department's word for the app, and an app that nobody looked at must not even ask citizens. Operations
    that stay closed to the subscriber (another purpose, L4, another audience) do not raise it.
    """
    return max((one.level for one in operations), default=Level.L1)


def is_open_at_once(operations: Iterable[OfferedOperation], subscriber: Subscriber) -> bool:
    """Whether a live subscription needs nobody's decision: L1 only, and to a department only where it is
    shared unconditionally or the same data are open to the public anyway.
    """
    return all(
        one.level == Level.L1
        and (subscriber.kind != "department" or subscriber.is_owner or one.share != "conditional" or one.open == "open")
        for one in operations
    )  # fmt: skip
