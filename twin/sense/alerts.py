"""The book of alerts of a model: ``store/<model>/alerts.jsonl``, written at the end only."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from twin.alert import SEVERITIES, Alert, Step, alert_id, alerts_of
from twin.clock import excerpt

_MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What a guard says of one condition now.

    Attributes
    ----------
    kind, subject
        What condition, of what.
    severity
        A word of `twin.alert.SEVERITIES`; empty when the condition is over.
    time
        When this was found, seconds since 1970.
    since
        When the condition began.
    value, limit, at_risk, meaning
        As in `twin.alert.Alert`.
    """

    kind: str
    subject: str
    severity: str
    time: float
    since: float = math.nan
    value: float = math.nan
    limit: float = math.nan
    at_risk: float = 0.0
    meaning: str = ""


class AlertBook:
    """Alerts of one model: each persisting condition is raised once.

    Every step is one line, written in one piece and synced before it counts. A line that a crash
    has cut off is not read, and the next one begins on a line of its own.

    Parameters
    ----------
    path
        The file; None keeps the book in memory.

    Examples
    --------
    >>> book = AlertBook()
    >>> warm = Finding("temperature", "area W:cold", "warning", 60.0, 0.0, value=9.0, limit=8.0)
    >>> book.tell([warm])
    ['A-...']
    >>> book.tell([warm, Finding("temperature", "area W:cold", "critical", 3600.0, 0.0)])
    []
    >>> [alert.severity for alert in book.open()]
    ['critical']
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = Path(path) if path is not None else None
        self._size = -1
        self.refresh()

    def refresh(self) -> None:
        """Read the file again if somebody else has written to it."""
        size = self.path.stat().st_size if self.path is not None and self.path.exists() else 0
        if size == self._size:
            return
        self._size = size
        self.steps: list[Step] = _read(self.path) if self.path is not None else []
        self._alerts = alerts_of(self.steps)
        self._now: dict[tuple[str, str], str] = {}
        self._told: dict[tuple[str, str], float] = {}
        for alert in self._alerts.values():
            self._note(alert)

    def tell(self, findings: Iterable[Finding]) -> list[str]:
        """Take in findings, in order of time; the ids of alerts that are new."""
        steps, fresh = [], []
        for finding in findings:
            step = self._step(finding)
            if step is not None:
                steps.append(step)
                self._apply(step)
                if step.what == "raised":
                    fresh.append(step.alert)
        self._write(steps)
        return fresh

    def acknowledge(self, alert: str, by: str, comment: str, time: float) -> Alert:
        """Note that somebody has looked at an alert.

        Parameters
        ----------
        alert
            Its id, or the beginning of it.

        Raises
        ------
        ValueError
            If there is no such alert, or nobody is named.
        """
        found = self.find(alert)
        if not by.strip():
            raise ValueError(f"nobody acknowledges {found.id}. Write --by NAME.")
        step = Step(found.id, "acknowledged", max(time, found.raised), by=_plain(by, 100),
                    comment=_plain(comment, 1000))
        self._apply(step)
        self._write([step])
        return self._alerts[found.id]

    def find(self, alert: str) -> Alert:
        """The alert of an id, or of the beginning of one."""
        wanted = alert.strip()
        found = [name for name in self._alerts if name.lower().startswith(wanted.lower())]
        if len(found) == 1 and len(wanted) > 2:
            return self._alerts[found[0]]
        if wanted in self._alerts:
            return self._alerts[wanted]
        known = ", ".join(one.id for one in self.open()[:5]) or "none is open"
        many = "names several alerts" if len(found) > 1 else "is unknown"
        raise ValueError(f"alert '{excerpt(alert)}' {many}. Open ones: {known}.")

    def all(self, at: float = math.inf) -> dict[str, Alert]:
        """Every alert as it stood at a time, by id."""
        return dict(self._alerts) if math.isinf(at) else alerts_of(self.steps, at)

    def open(self, at: float = math.inf) -> list[Alert]:
        """Alerts that hold or wait for somebody, in the order in which they were raised."""
        return [alert for alert in self.all(at).values() if alert.open]

    def _step(self, finding: Finding) -> Step | None:
        """What a finding adds to the book, if anything."""
        key = finding.kind, finding.subject
        now = self._alerts.get(self._now.get(key, ""))
        # Hearing the past again changes nothing of what has been found since.
        if finding.time < self._told.get(key, -math.inf):
            return None
        if not finding.severity:
            return None if now is None else Step(now.id, "cleared", finding.time)
        if now is not None:
            if finding.severity == now.severity:
                return None
            worse = SEVERITIES.index(finding.severity) > SEVERITIES.index(now.severity)
            return self._said("escalated" if worse else "eased", now.id, finding)
        since = finding.since if finding.since == finding.since else finding.time
        name = alert_id(*key, since)
        return None if name in self._alerts else self._said("raised", name, finding)

    def _said(self, what: str, name: str, finding: Finding) -> Step:
        return Step(name, what, finding.time, finding.kind, finding.subject, finding.severity,
                    finding.since, finding.value, finding.limit, finding.at_risk, finding.meaning)

    def _apply(self, step: Step) -> None:
        self.steps.append(step)
        before = self._alerts.get(step.alert)
        after = alerts_of([*(before.history if before else ()), step])
        self._alerts.update(after)
        self._note(self._alerts[step.alert])

    def _note(self, alert: Alert) -> None:
        """Keep in mind which alert of a kind and subject holds, and when it last changed."""
        key = alert.kind, alert.subject
        if alert.active:
            self._now[key] = alert.id
        elif self._now.get(key) == alert.id:
            del self._now[key]
        self._told[key] = max(self._told.get(key, -math.inf), max(
            step.time for step in alert.history if step.what != "acknowledged"))

    def _write(self, steps: list[Step]) -> None:
        if self.path is None or not steps:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
            torn = size > 0 and file.read(1) != b"\n"
            text = "".join(step.line() + "\n" for step in steps)
            file.write((("\n" if torn else "") + text).encode())
            file.flush()
            os.fsync(file.fileno())
            self._size = file.tell()


def _read(path: Path) -> list[Step]:
    """The steps of a file; a line cut off by a crash is passed over, any other must be right."""
    if not path.exists():
        return []
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path.name} has {path.stat().st_size:,} bytes; at most {_MOST_BYTES:,} "
                         "are read. Move it away to begin a new book.")
    found = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(Step.parse(line.decode("utf-8")))
        except (ValueError, TypeError) as error:
            # Only a crash leaves a line without its closing brace.
            if not line.rstrip().endswith(b"}"):
                continue
            raise ValueError(f"{path.parent.name}/{path.name} line {number}: {error}. Remove the "
                             "line.") from None
    return found


def _plain(text: str, most: int) -> str:
    """One line of printable text."""
    line = " ".join(text.split())
    if not line.isprintable():
        raise ValueError(f"'{excerpt(line)}' has characters that cannot be printed. Write plain "
                         "text.")
    if len(line) > most:
        raise ValueError(f"a text of {len(line)} characters is too long. Write at most {most}.")
    return line
