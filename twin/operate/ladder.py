"""The ladder of autonomy: how far the twin may go, for each kind of action.

``shadow`` is seen by nobody but the score; ``advise`` is shown; ``approve`` is pushed after a
name; ``automatic`` is pushed at once. A planner sets the rung. *Automatic* has to be earned
besides, and is lost by one alarm of drift or two broken promises; the twin says why it stepped
down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from twin.operate import audit

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Rung(StrEnum):
    """How far the twin may go."""

    SHADOW = "shadow"
    ADVISE = "advise"
    APPROVE = "approve"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Promise:
    """One outcome: what was promised and what happened.

    Attributes
    ----------
    gain
        Realised gain in money against the twin's estimate of doing nothing.
    low, high
        The 80 % band of the KPI that was promised.
    realised
        The KPI.
    """

    gain: float
    low: float
    high: float
    realised: float

    @property
    def kept(self) -> bool:
        """Whether the KPI fell into its band."""
        return self.low <= self.realised <= self.high


@dataclass(frozen=True, slots=True)
class Terms:
    """What *automatic* takes.

    Attributes
    ----------
    outcomes
        So many of the last are looked at; fewer are not enough.
    coverage
        The share of kept promises must lie between: 80 % bands that cover all are too wide.
    broken
        So many broken promises in a row lose it.
    """

    outcomes: int = 30
    coverage: tuple[float, float] = (0.70, 0.90)
    broken: int = 2
    confidence: float = 0.95


def has_earned(promises: Sequence[Promise], terms: Terms) -> tuple[bool, str]:
    """Whether the last outcomes earn *automatic*, and why (not).

    Examples
    --------
    >>> good = [Promise(5.0 + i % 3, 0.0, 10.0, 11.0 if i % 5 == 0 else 5.0) for i in range(30)]
    >>> has_earned(good, Terms())
    (True, '24 of the last 30 promises were kept; the gain is at least 5.7 (95 % confidence).')
    >>> has_earned(good[:8], Terms())
    (False, '8 outcomes are known; 30 are needed.')
    """
    last = list(promises)[-terms.outcomes:]
    if len(last) < terms.outcomes:
        return False, f"{len(last)} outcomes are known; {terms.outcomes} are needed."
    kept = sum(promise.kept for promise in last)
    low, high = terms.coverage
    if not low <= kept / len(last) <= high:
        return False, (f"{kept} of the last {len(last)} promises were kept; of 80 % bands, "
                       f"{100 * low:g} to {100 * high:g} % should be.")
    gains = np.array([promise.gain for promise in last])
    half = float(stats.t.ppf(terms.confidence, len(last) - 1) * gains.std(ddof=1)
                 / np.sqrt(len(last)))
    least = float(gains.mean()) - half
    if least <= 0.0:
        return False, (f"the gain of the last {len(last)} is {gains.mean():.3g}, and may be none: "
                       f"its lower bound is {least:.3g}.")
    return True, (f"{kept} of the last {len(last)} promises were kept; the gain is at least "
                  f"{least:.2g} ({100 * terms.confidence:g} % confidence).")


def has_lost(promises: Sequence[Promise], drifted: str, terms: Terms) -> str:
    """Why *automatic* is lost now; empty if it is not.

    Examples
    --------
    >>> has_lost([Promise(1.0, 0.0, 1.0, 5.0)] * 2, "", Terms())
    'the last 2 promises were broken.'
    >>> has_lost([], "transit of A:B:sea drifted", Terms())
    'transit of A:B:sea drifted.'
    """
    if drifted:
        return f"{drifted}."
    last = list(promises)[-terms.broken:]
    if len(last) == terms.broken and not any(promise.kept for promise in last):
        return f"the last {terms.broken} promises were broken."
    return ""


def rung(connection: Connection, model: str, kind: str, wanted: Rung) -> tuple[Rung, str]:
    """The rung in force: what the planner wants, but *automatic* only while it is earned."""
    import sqlalchemy as sa

    if wanted is not Rung.AUTOMATIC:
        return wanted, "as configured"
    row = connection.execute(sa.text(
        "select rung, why from ladder where model = :model and kind = :kind"),
        {"model": model, "kind": kind}).first()
    if row is None:
        return Rung.APPROVE, "automatic has not been earned yet"
    return Rung(row.rung), str(row.why)


def step(connection: Connection, key: bytes, model: str, kind: str, to: Rung, why: str) -> bool:
    """Stand on a rung from now on, and say why in the log; whether that is news."""
    import sqlalchemy as sa

    values = {"model": model, "kind": kind, "rung": to.value, "why": why, "at": audit.now()}
    before = connection.execute(sa.text(
        "select rung from ladder where model = :model and kind = :kind"), values).scalar()
    if before == to.value:
        return False
    connection.execute(sa.text(
        "insert into ladder (model, kind, rung, why, at) values (:model, :kind, :rung, :why, :at) "
        "on conflict (model, kind) do update set rung = :rung, why = :why, at = :at"), values)
    audit.record(connection, key, "stepped", f"{model} {kind}",
                 {"from": before or Rung.APPROVE.value, "to": to.value, "why": why})
    return True


def review(connection: Connection, key: bytes, model: str, kind: str,
           promises: Sequence[Promise], drifted: str = "",
           terms: Terms | None = None) -> tuple[Rung, str]:
    """Look at the outcomes: step up if *automatic* is earned, down if it is lost."""
    terms = terms or Terms()
    lost = has_lost(promises, drifted, terms)
    if lost:
        step(connection, key, model, kind, Rung.APPROVE, lost)
        return Rung.APPROVE, lost
    earned, why = has_earned(promises, terms)
    if earned:
        step(connection, key, model, kind, Rung.AUTOMATIC, why)
        return Rung.AUTOMATIC, why
    now, _ = rung(connection, model, kind, Rung.AUTOMATIC)
    return now, why
