"""Roles: who may call what. One strict table; what is not in it nobody may."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a token stands for."""

    VIEWER = "viewer"  #: looks
    PLANNER = "planner"  #: tries what-ifs, asks for advice, acknowledges alerts
    APPROVER = "approver"  #: does what a planner does, and decides
    ADMIN = "admin"  #: gives tokens and devices, reads the log; decides nothing
    FLEET = "fleet"  #: looks, and alone sees vehicles by their names
    SUPPLIER = "supplier"  #: sees its own items, as agreed
    CUSTOMER = "customer"  #: sees its own orders, as agreed

    @property
    def bound(self) -> bool:
        """Whether a token of this role belongs to one site."""
        return self in (Role.SUPPLIER, Role.CUSTOMER)


_OURS = frozenset({Role.VIEWER, Role.PLANNER, Role.APPROVER, Role.ADMIN, Role.FLEET})
_PLANS = frozenset({Role.PLANNER, Role.APPROVER})
_DECIDES = frozenset({Role.APPROVER})
_MANAGES = frozenset({Role.ADMIN})

#: Operation -> the roles that may call it.
RIGHTS: dict[str, frozenset[Role]] = {
    "whoami": frozenset(Role),
    "models": _OURS,
    "scenarios": _OURS,
    "check": _OURS,
    "state": _OURS,
    "alerts": _OURS,
    "acknowledge": _PLANS | {Role.FLEET},
    "inbox": _OURS,
    "show": _OURS,
    "outcomes": _OURS,
    "events": _OURS,
    "run": _PLANS,
    "recommend": _PLANS,
    "jobs": _PLANS,
    "job": _PLANS,
    "job_events": _PLANS,
    "cancel": _PLANS,
    "approve": _DECIDES,
    "reject": _DECIDES,
    "undo": _DECIDES,
    "audit_verify": _MANAGES,
    "audit_export": _MANAGES,
    "devices": _MANAGES,
    "add_device": _MANAGES,
    "revoke_device": _MANAGES,
    "tokens": _MANAGES,
    "add_token": _MANAGES,
    "revoke_token": _MANAGES,
    "forget": _MANAGES,
    "retain": _MANAGES,
    "supplier_items": frozenset({Role.SUPPLIER, Role.PLANNER, Role.APPROVER}),
    "customer_orders": frozenset({Role.CUSTOMER, Role.PLANNER, Role.APPROVER}),
    "customer_events": frozenset({Role.CUSTOMER, Role.PLANNER, Role.APPROVER}),
}


def may(role: Role, operation: str) -> bool:
    """Whether a role may call an operation.

    Examples
    --------
    >>> may(Role.APPROVER, "approve"), may(Role.ADMIN, "approve"), may(Role.ADMIN, "no such thing")
    (True, False, False)
    """
    return role in RIGHTS.get(operation, ())


def may_see(role: Role, bound_to: str, site: str) -> bool:
    """Whether a role may look at what belongs to a partner's site.

    Examples
    --------
    >>> may_see(Role.SUPPLIER, "orchard", "glassworks"), may_see(Role.PLANNER, "", "glassworks")
    (False, True)
    """
    return not role.bound or bound_to == site
