"""The result of a run: its KPIs, the sums and events behind them, and how it was made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.manifest import Manifest
from twin.tally import Tally

if TYPE_CHECKING:
    import pandas as pd

    from twin.ledger import Ledger
    from twin.state import State

#: Columns of kpis.csv; `place`, `product` and `stream` are blank for the whole chain.
COLUMNS = ("model", "scenario", "settings", "kpi", "unit", "mean", "low", "high", "difference",
           "difference_low", "difference_high", "verdict", "replications")


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found.

    Parameters
    ----------
    kpis
        One row a setting, KPI, place, product and stream: mean with interval, and the paired
        difference from the baseline with interval and verdict.
    tallies
        The sums of every replication, by setting; the baseline first.
    ledgers
        The events of the first replication, by setting, if they were asked for.
    manifest
        What it was made from.
    headlines
        Names of the KPIs that are compared first.
    state
        The state document that every run started from; None for the tables' opening stock.
    worth
        Where parameters were drawn: how much of the ignorance about each headline KPI goes with
        each parameter, one row a setting, KPI and parameter.
    """

    kpis: pd.DataFrame
    tallies: Mapping[str, Sequence[Tally]]
    ledgers: Mapping[str, Ledger] = field(default_factory=dict)
    manifest: Manifest = field(default_factory=lambda: Manifest("", ""))
    headlines: tuple[str, ...] = ()
    state: State | None = None
    worth: pd.DataFrame | None = None

    @property
    def baseline(self) -> str:
        """The label of the setting that the others are compared with."""
        return next(iter(self.tallies))

    @property
    def headline(self) -> pd.DataFrame:
        """The rows of the headline KPIs for the whole chain."""
        kpis = self.kpis
        whole = (kpis["place"] == "") & (kpis["product"] == "") & (kpis["stream"] == "")
        return kpis[whole & kpis["kpi"].isin(self.headlines)]

    def __repr__(self) -> str:
        labels = ", ".join(self.tallies)
        runs = max((len(tallies) for tallies in self.tallies.values()), default=0)
        return f"Result({self.manifest.model}: {labels}; {runs} replications)"


def digest_of(kpis: pd.DataFrame) -> str:
    """A fingerprint of the figures, to nine digits."""
    text = kpis.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    return hashlib.sha256(text.encode()).hexdigest()
