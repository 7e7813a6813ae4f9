"""Alerts: conditions that somebody should look at, raised once each, with all that became of them.

An alert is known by what it is about and when it began, so that listening to the same readings
again finds the same alert. What happened to alerts is a list of steps, one JSON line each; the
alerts as they stand at any time follow from the steps until then.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from twin.readings import format_instant

#: Worst last.
SEVERITIES = ("info", "warning", "critical")
#: What can happen to an alert.
STEPS = ("raised", "escalated", "eased", "acknowledged", "cleared")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to an alert.

    Attributes
    ----------
    alert
        Its id.
    what
        A word of `STEPS`.
    time
        Seconds since 1970.
    kind, subject, meaning
        Of the alert: what kind of condition, of what, and what it means in a sentence.
    severity
        From then on.
    since
        When the condition began.
    value, limit
        Measured, and what it is held against; NaN when it is no number.
    at_risk
        Value of the goods concerned, in the model's currency.
    by, comment
        Who acknowledged it, and what they said.
    """

    alert: str
    what: str
    time: float
    kind: str = ""
    subject: str = ""
    severity: str = ""
    since: float = math.nan
    value: float = math.nan
    limit: float = math.nan
    at_risk: float = 0.0
    meaning: str = ""
    by: str = ""
    comment: str = ""

    def line(self) -> str:
        """The step as one line of JSON; blanks are left out.

        Examples
        --------
        >>> Step("A-1", "acknowledged", 0.0, by="ann").line()
        '{"alert":"A-1","what":"acknowledged","time":0.0,"by":"ann"}'
        """
        said = {name: getattr(self, name) for name in self.__slots__}
        kept = {name: value for name, value in said.items()
                if value != "" and value == value and not (name == "at_risk" and value == 0.0)}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def parse(cls, line: str) -> Step:
        """Read a line.

        Raises
        ------
        ValueError
            If it is no step.
        """
        said = json.loads(line)
        if not isinstance(said, dict) or set(said) - set(cls.__slots__):
            raise ValueError("it is not a step of an alert")
        numbers = {"time", "since", "value", "limit", "at_risk"}
        for name, value in said.items():
            wanted = (int, float) if name in numbers else str
            if not isinstance(value, wanted) or isinstance(value, bool):
                raise ValueError(f"{name} has the wrong type")
        if said.get("what") not in STEPS or not {"alert", "time"} <= set(said):
            raise ValueError("it does not say what happened to which alert when")
        return cls(**said)


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands.

    Attributes
    ----------
    id
        Stable: the same kind, subject and beginning give the same id.
    kind, subject, severity, meaning, value, limit, at_risk
        As in its last step.
    since
        When the condition began, seconds since 1970.
    raised, cleared
        When it was raised, and when it was over; NaN while it is not.
    acknowledged_by, comment
        Of the last acknowledgement; empty without one.
    history
        Its steps.
    """

    id: str
    kind: str
    subject: str
    severity: str
    since: float
    raised: float
    cleared: float = math.nan
    value: float = math.nan
    limit: float = math.nan
    at_risk: float = 0.0
    meaning: str = ""
    acknowledged_by: str = ""
    comment: str = ""
    history: tuple[Step, ...] = ()

    @property
    def active(self) -> bool:
        """Whether the condition still holds."""
        return self.cleared != self.cleared

    @property
    def open(self) -> bool:
        """Whether somebody should still look at it: it holds, or it was never acknowledged."""
        return self.active or not self.acknowledged_by

    @property
    def state(self) -> str:
        """In the words of alarm management (ISA-18.2)."""
        if self.active:
            return "acknowledged" if self.acknowledged_by else "active"
        return "over" if self.acknowledged_by else "over, not acknowledged"

    def document(self) -> dict[str, Any]:
        """Plain values, times as ISO text."""
        said: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__
                                if name != "history"}
        for name in ("since", "raised", "cleared"):
            value = said[name]
            said[name] = format_instant(value) if value == value else None
        said["state"] = self.state
        said["history"] = [{"what": step.what, "time": format_instant(step.time),
                            "severity": step.severity, "by": step.by, "comment": step.comment}
                           for step in self.history]
        return said


def alert_id(kind: str, subject: str, since: float) -> str:
    """The id of an alert, from what it is about and when it began (to the second).

    Examples
    --------
    >>> alert_id("temperature", "area W:cold_room", 0.0)
    'A-cb2c92d9'
    """
    mark = hashlib.blake2b(f"{kind}|{subject}|{round(since)}".encode(), digest_size=4)
    return f"A-{mark.hexdigest()}"


def alerts_of(steps: Iterable[Step], at: float = math.inf) -> dict[str, Alert]:
    """The alerts as they stood at a time, by id, in the order in which they were raised.

    Steps that come twice, or of alerts that were never raised, change nothing.

    Examples
    --------
    >>> steps = [Step("A-1", "raised", 5.0, "down", "machine M1", "warning", since=3.0),
    ...          Step("A-1", "cleared", 9.0)]
    >>> alerts_of(steps, at=7.0)["A-1"].active, alerts_of(steps)["A-1"].active
    (True, False)
    """
    found: dict[str, Alert] = {}
    for step in steps:
        if step.time <= at:
            alert = found.get(step.alert)
            after = _first(step) if alert is None else _next(alert, step)
            if after is not None:
                found[step.alert] = after
    return found


def _first(step: Step) -> Alert | None:
    if step.what != "raised":
        return None
    since = step.since if step.since == step.since else step.time
    return Alert(step.alert, step.kind, step.subject, step.severity, since, step.time,
                 value=step.value, limit=step.limit, at_risk=step.at_risk, meaning=step.meaning,
                 history=(step,))


def _next(alert: Alert, step: Step) -> Alert:
    history = (*alert.history, step)
    match step.what:
        case "escalated" | "eased" if alert.active:
            # A worse condition than the one that was acknowledged is to be acknowledged anew.
            worse = step.what == "escalated"
            return replace(alert, severity=step.severity, value=step.value, limit=step.limit,
                           at_risk=step.at_risk, meaning=step.meaning or alert.meaning,
                           acknowledged_by="" if worse else alert.acknowledged_by,
                           comment="" if worse else alert.comment, history=history)
        case "acknowledged":
            return replace(alert, acknowledged_by=step.by, comment=step.comment, history=history)
        case "cleared" if alert.active:
            return replace(alert, cleared=step.time, history=history)
    return alert


def worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    """Active before over, critical before warning, not acknowledged before acknowledged, old first.
    """
    return sorted(alerts, key=lambda alert: (
        not alert.active, -SEVERITIES.index(alert.severity), bool(alert.acknowledged_by),
        alert.raised, alert.id))
