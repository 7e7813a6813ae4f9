"""Which parameters are worth more data: whose ignorance a result feels most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from twin.measure.ignorance import nested
from twin.measure.intervals import Array
from twin.measure.kpis import KPIS, kpi_arrays
from twin.tally import Tally

if TYPE_CHECKING:
    import pandas as pd

#: Columns of `worth_table`; `kpi` is blank where all headline KPIs are taken together.
COLUMNS = ("scenario", "settings", "kpi", "rank", "parameter", "share", "low", "high", "p",
           "shown")
_TOP = 5


@dataclass(frozen=True, slots=True)
class Worth:
    """What knowing one parameter exactly would take off the ignorance about a result.

    Attributes
    ----------
    share
        First-order index: share of the between-draw variance that goes with this parameter alone.
    low, high
        Its interval at 95 %.
    p
        Chance of so strong a link by luck, corrected for the number of parameters looked at.
    """

    parameter: str
    share: float
    low: float
    high: float
    p: float

    @property
    def shown(self) -> bool:
        """Whether the link is more than luck."""
        return self.p <= 0.05


def worth(result: Array, parameters: Mapping[str, Array], *,
          reliability: float = 1.0) -> list[Worth]:
    """Which parameters are worth more data, the most telling first.

    Parameters
    ----------
    result
        Mean result of each draw, length d.
    parameters
        Value of each parameter in each draw, length d. They are drawn independently.
    reliability
        Share of the variance of `result` that is not luck.

    Notes
    -----
    The index is the squared rank correlation, which any monotone response keeps, less what d draws
    give by chance (Ezekiel), over the reliability. Its interval is Fisher's for ranks (Bonett &
    Wright 2000); it is honest about few draws: with 15, indices below a third look like luck.

    Examples
    --------
    >>> x, noise = np.arange(40.0), np.tile([3.0, 1.0, 2.0, 0.0], 10)
    >>> first, second = worth(2 * x + noise, {"rate": x, "other": noise})
    >>> first.parameter, round(first.share, 2), first.shown, second.shown
    ('rate', 1.0, True, False)
    """
    from scipy import stats

    d = len(result)
    names = [name for name, values in parameters.items() if np.ptp(values) > 0.0]  # NaN is not
    if d < 5 or not names or np.ptp(result) == 0.0 or not reliability > 0.0:
        return []
    ranks = stats.rankdata(np.vstack([result, *(parameters[name] for name in names)]), axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    ranks /= np.sqrt((ranks**2).sum(axis=1, keepdims=True))
    r = np.clip(ranks[1:] @ ranks[0], -1.0, 1.0)
    with np.errstate(divide="ignore"):
        t = np.abs(r) * np.sqrt((d - 2) / np.maximum(1.0 - r**2, 1e-300))
    p = np.minimum(2.0 * special.stdtr(d - 2, -t) * len(names), 1.0)
    z = np.arctanh(np.clip(np.abs(r), 0.0, 1.0 - 1e-12))
    half = 1.96 * np.sqrt((1.0 + r**2 / 2.0) / (d - 3))
    low, high = np.tanh(np.maximum(z - half, 0.0)) ** 2, np.tanh(z + half) ** 2
    share = np.maximum(1.0 - (1.0 - r**2) * (d - 1) / (d - 2), 0.0)
    low, share, high = (np.minimum(v / reliability, 1.0).tolist() for v in (low, share, high))
    found = [Worth(*each) for each in zip(names, share, low, high, p.tolist(), strict=True)]
    return sorted(found, key=lambda one: (-one.share, one.p, one.parameter))


def worth_table(runs: Mapping[str, Sequence[Tally]], draws: Sequence[int],
                parameters: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """The five parameters that each headline KPI of each setting would gain most from knowing.

    Rows with a blank `kpi` take the headline KPIs of a setting together: shares are averaged with
    the ignorant share of each KPI's interval as its weight, p-values are corrected for the KPIs.

    Parameters
    ----------
    draws
        Which draw each replication was played with.
    parameters
        Value of each parameter, draw by draw.
    """
    import pandas as pd

    arrays = {name: np.asarray(values, dtype=float) for name, values in parameters.items()}
    number = {draw: i for i, draw in enumerate(sorted(set(draws)))}
    member = np.eye(len(number))[[number[draw] for draw in draws]]
    rows: list[dict[str, Any]] = []
    for setting, tallies in runs.items():
        scenario, _, settings = setting.partition(" ")
        found: list[tuple[float, list[Worth]]] = []
        for (kpi, *_), values in kpi_arrays(tallies, chain_only=True).items():
            if not KPIS[kpi].headline or not np.isfinite(values).all():
                continue
            spread = nested(values[None, :], draws)
            reliable = float(np.nan_to_num(spread.reliability[0]))
            each = worth(values @ member / member.sum(axis=0), arrays, reliability=reliable)
            found.append((float(np.nan_to_num(spread.share[0])), each))
            rows += [_row(scenario, settings, kpi, i, one) for i, one in enumerate(each[:_TOP], 1)]
        rows += [_row(scenario, settings, "", i, one)
                 for i, one in enumerate(_together(found)[:_TOP], 1)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(scenario: str, settings: str, kpi: str, rank: int, one: Worth) -> dict[str, Any]:
    return dict(zip(COLUMNS, (scenario, settings, kpi, rank, one.parameter, one.share, one.low,
                              one.high, one.p, one.shown), strict=True))


def _together(found: Sequence[tuple[float, list[Worth]]]) -> list[Worth]:
    """Parameters by their weighted mean share over several results."""
    found = [(weight, each) for weight, each in found if each and weight > 0.0]
    total = sum(weight for weight, _ in found)
    sums: dict[str, list[float]] = {}
    for weight, each in found:
        for one in each:
            mine = sums.setdefault(one.parameter, [0.0, 0.0, 0.0, 1.0])
            for i, value in enumerate((one.share, one.low, one.high)):
                mine[i] += weight / total * value
            mine[3] = min(mine[3], one.p * len(found))
    return sorted((Worth(name, *values) for name, values in sums.items()),
                  key=lambda one: (-one.share, one.p, one.parameter))
