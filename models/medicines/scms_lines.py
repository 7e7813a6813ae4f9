"""What the shipment lines of the HIV-medicines programme say: lead times, lateness, orders.

`derive.py` writes what is measured here into the tables of `medicines`.
"""

import math
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from assumed import CODES, REGION_OF_SITE
from scipy import optimize, stats

from twin.quantity import parse_quantity

HISTORY = Path("scms_delivery") / "scms_delivery_history.csv.gz"
#: Lines delivered before this day are fitted; the year that follows is kept for comparison.
FIT_UNTIL = pd.Timestamp("2012-01-01")
LATER_UNTIL = pd.Timestamp("2013-01-01")
#: Sizes, rhythm and lateness from a distribution centre use the last two fitted years: before 2010
#: nearly every line from a centre was recorded as delivered on its scheduled day (see README).
RECENT_FROM = pd.Timestamp("2010-01-01")
RECENT_DAYS = (FIT_UNTIL - RECENT_FROM).days
MODES = {"Air": "air", "Air Charter": "charter", "Ocean": "sea", "Truck": "road"}
FAMILIES = ("lognormal", "gamma", "weibull")
LEAST_LINES = 20  # of a supplier's mode to have a lead time of its own
LEAST_SIZES = 8  # of a stream to have a spread of sizes of its own


class Time(NamedTuple):
    """A fitted time: its family and parameters in days, and how many lines it rests on."""

    family: str
    first: float  # lognormal and gamma: mean; weibull: shape
    second: float  # lognormal and gamma: sd; weibull: scale
    lines: int

    def mean(self) -> float:
        """Mean, days."""
        if self.family == "weibull":
            return self.second * math.gamma(1 + 1 / self.first)
        return self.first

    def sd(self) -> float:
        """Standard deviation, days."""
        if self.family == "weibull":
            square = self.second**2 * math.gamma(1 + 2 / self.first)
            return math.sqrt(square - self.mean() ** 2)
        return self.second

    def law(self) -> object:
        """The same as a frozen distribution of scipy."""
        if self.family == "lognormal":
            spread = math.sqrt(math.log(1 + (self.second / self.first) ** 2))
            return stats.lognorm(spread, scale=self.first * math.exp(-(spread**2) / 2))
        if self.family == "gamma":
            shape = (self.first / self.second) ** 2
            return stats.gamma(shape, scale=self.first / shape)
        return stats.weibull_min(self.first, scale=self.second)

    def text(self) -> str:
        """As a planner writes it."""
        if self.family == "weibull":
            return f"weibull(shape={self.first:.2f}, scale={self.second:.1f}d)"
        return f"{self.family}(mean={self.first:.1f}d, sd={self.second:.1f}d)"


def read_lines(folder: Path) -> pd.DataFrame:
    """The usable shipment lines, one row each, with short names and days."""
    raw = pd.read_csv(folder / HISTORY, dtype=str, keep_default_na=False)

    def day(column: str) -> pd.Series:
        return pd.to_datetime(raw[f"{column} (ISO)"], errors="coerce")

    def number(column: str) -> pd.Series:
        return pd.to_numeric(raw[column], errors="coerce")

    lines = pd.DataFrame(
        {
            "country": raw["Country"].map(CODES),
            "channel": raw["Fulfill Via"].map({"Direct Drop": "direct", "From RDC": "rdc"}),
            "mode": raw["Shipment Mode"].map(MODES),
            "vendor": raw["Vendor"],
            "made_at": raw["Manufacturing Site"],
            "order": raw["PO / SO #"],
            "shipment": raw["ASN/DN #"],
            "product": _products(raw),
            "ordered": day("PO Sent to Vendor Date"),
            "due": day("Scheduled Delivery Date"),
            "delivered": day("Delivered to Client Date"),
            "packs": number("Line Item Quantity"),
            "value": number("Line Item Value"),
            "kg": number("Weight (Kilograms)"),
            "freight": number("Freight Cost (USD)"),
        }
    )
    lines["late"] = (lines.delivered - lines.due).dt.days
    lines["planned"] = (lines.due - lines.ordered).dt.days
    lines["lead"] = (lines.delivered - lines.ordered).dt.days
    return lines[(lines["product"] != "") & lines["mode"].notna()].reset_index(drop=True)


def _products(raw: pd.DataFrame) -> pd.Series:
    """Product groups by classification and dosage form; malaria lines (38) are left out."""
    kind, form = raw["Sub Classification"], raw["Dosage Form"]
    liquid = form.str.contains("solution|suspension|powder|Injection", regex=True)
    fixed = form.str.contains("FDC", regex=False)
    groups = np.select(
        [
            kind.str.startswith("HIV test"),
            (kind == "Adult") & fixed,
            kind == "Adult",
            (kind == "Pediatric") & liquid,
            kind == "Pediatric",
        ],
        ["hiv_tests", "adult_combined", "adult_single", "child_liquid", "child_solid"],
        default="",
    )
    return pd.Series(groups, index=raw.index)


def fitted(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines delivered on the dates used for fitting."""
    return lines[lines.delivered < FIT_UNTIL]


def recent(lines: pd.DataFrame) -> pd.DataFrame:
    """The last two fitted years."""
    return lines[(lines.delivered >= RECENT_FROM) & (lines.delivered < FIT_UNTIL)]


def later(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines of the year after the fitted dates."""
    return lines[(lines.delivered >= FIT_UNTIL) & (lines.delivered < LATER_UNTIL)]


def region_of(made_at: str) -> str:
    """The part of the world of a manufacturing site, whose name appears nowhere in this folder."""
    return REGION_OF_SITE[sha256(made_at.encode()).hexdigest()[:10]]


# -- lead time -------------------------------------------------------------------------------------


def timed(lines: pd.DataFrame) -> pd.DataFrame:
    """Direct-drop lines ordered before their scheduled day and before their delivery."""
    return lines[(lines.channel == "direct") & (lines.planned > 0) & (lines.lead > 0)]


def fit_time(days: np.ndarray, room: np.ndarray, family: str) -> tuple[Time, float]:
    """Fit by conditional likelihood: each line is seen only because it took less than its room.

    Parameters
    ----------
    days
        What each line took.
    room
        The most that it could have taken and still be delivered before the cut.

    Returns
    -------
    The fit and its log likelihood.
    """
    mean, sd = float(days.mean()), float(days.std())
    start = (1.5, mean * 1.1) if family == "weibull" else (mean, sd)

    def loss(logs: Sequence[float]) -> float:
        law = Time(family, math.exp(logs[0]), math.exp(logs[1]), 0).law()
        seen = law.logpdf(days) - law.logcdf(room)  # type: ignore[attr-defined]
        total = -float(seen.sum())
        return total if math.isfinite(total) else 1e12

    bounds = [(math.log(x) - 1.5, math.log(x) + 1.5) for x in start]
    found = optimize.minimize(
        loss, np.log(start), method="Nelder-Mead", bounds=bounds,
        options={"xatol": 1e-6, "fatol": 1e-6, "maxiter": 4000},
    )
    first, second = np.exp(found.x)
    return Time(family, float(first), float(second), len(days)), -float(found.fun)


def lead_samples(lines: pd.DataFrame, base: float) -> tuple[np.ndarray, np.ndarray]:
    """Days from order to readiness, and the room that the cut left for them.

    Readiness is delivery less lateness and less `base` days on the way; so what came early was
    ready early. A line is in the file if readiness, way and lateness fit between its order and the
    cut; given its lateness, which hardly goes with the rest, readiness was cut off at what is left.
    """
    past = lines.late.clip(lower=0)
    days = (lines.lead - past - base).clip(lower=0.5).to_numpy(float)
    left = (FIT_UNTIL - lines.ordered).dt.days - past - base
    return days, np.maximum(left.to_numpy(float), days)


def best_family(samples: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[str, dict[str, float]]:
    """The family with the highest total likelihood over all suppliers, and each family's total."""
    totals = {
        family: sum(fit_time(days, room, family)[1] for days, room in samples)
        for family in FAMILIES
    }
    return max(totals, key=lambda family: totals[family]), totals


# -- lateness --------------------------------------------------------------------------------------


class Lateness(NamedTuple):
    """Days around the scheduled day: shares and values; 0 is the atom."""

    values: tuple[float, ...]
    weights: tuple[float, ...]
    lines: int

    @property
    def on_time(self) -> float:
        """Share delivered by the scheduled day."""
        return sum(w for v, w in zip(self.values, self.weights, strict=True) if v <= 0)

    def text(self, base: float) -> str:
        """A transit that takes `base` days when delivery is on the scheduled day."""
        pairs = zip(self.values, self.weights, strict=True)
        return f"discrete({', '.join(f'{base + v:g}d:{w:.4f}' for v, w in pairs)})"

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation, days."""
        values, weights = np.array(self.values), np.array(self.weights)
        mean = float(values @ weights)
        return mean, math.sqrt(float(weights @ (values - mean) ** 2))


def lateness(lines: pd.DataFrame, earliest: float, *, early: int = 3, late: int = 8) -> Lateness:
    """The atom at zero, and means of equal groups of early and of late lines.

    Early lines are taken as at most `earliest` days early: with 0, all of them join the atom.
    """
    days = lines.late.clip(lower=-earliest).to_numpy(float)
    counts: dict[float, int] = {}
    for part, groups in ((days[days < 0], early), (days[days == 0], 1), (days[days > 0], late)):
        for group in np.array_split(np.sort(part), min(groups, len(part)) or 1):
            if len(group):
                value = round(float(group.mean()), 1)
                counts[value] = counts.get(value, 0) + len(group)
    weights = {value: round(count / len(days), 4) for value, count in counts.items()}
    weights[0.0] = round(weights.get(0.0, 0.0) + 1 - sum(weights.values()), 4)
    return Lateness(tuple(weights), tuple(weights.values()), len(days))


def promise(parts: Sequence[tuple[float, float, Time]], late: Lateness) -> int:
    """Whole days that the data's on-time share of orders keep to.

    Parameters
    ----------
    parts
        Of each supplier: its share, the base transit in days and its lead time.
    late
        Lateness around the schedule.
    """

    def kept(days: float) -> float:
        return sum(
            share * weight * float(lead.law().cdf(days - base - value))  # type: ignore[attr-defined]
            for share, base, lead in parts
            for value, weight in zip(late.values, late.weights, strict=True)
        )

    return math.ceil(_root(lambda days: kept(days) - late.on_time, 1.0, 2000.0))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(optimize.brentq(function, low, high, xtol=1e-3))


# -- orders, weights, freight ----------------------------------------------------------------------


def orders(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines of one order number, product and delivery day together."""
    keys = ["country", "channel", "mode", "vendor", "product", "order", "delivered"]
    return lines.groupby(keys, as_index=False).agg(packs=("packs", "sum"), value=("value", "sum"))


def gap_text(days: pd.Series) -> str:
    """Time between orders: the recent rate, and the spread of gaps where it can be told."""
    mean = RECENT_DAYS / len(days)
    gaps = days.sort_values().diff().dt.days.dropna()
    if len(gaps) < LEAST_SIZES:
        return f"exponential(mean={mean:.2f}d)"
    spread = min(2.0, max(0.5, float(gaps.std() / gaps.mean()))) if gaps.mean() else 2.0
    return f"gamma(mean={mean:.2f}d, sd={mean * spread:.2f}d)"


def gap_spread(text: str) -> float:
    """Coefficient of variation of a time that `gap_text` wrote."""
    gap = parse_quantity(text, time=True)
    return gap.sd() / gap.mean()


def size_moments(packs: pd.Series, pooled: float) -> tuple[float, float]:
    """Mean and sd of an order's packs; few orders take the pooled coefficient of variation."""
    mean = float(packs.mean())
    spread = float(packs.std() / mean) if len(packs) >= LEAST_SIZES else pooled
    return mean, mean * min(3.0, max(0.1, spread))


def pack_weights(lines: pd.DataFrame) -> dict[str, tuple[float, int]]:
    """Median kilograms of a pack, from shipments of one line, since weights are of shipments."""
    alone = lines[~lines.shipment.duplicated(keep=False) & (lines.kg > 0) & (lines.packs > 0)]
    weights = (alone.kg / alone.packs).groupby(alone["product"])
    return {str(k): (round(float(v.median()), 3), len(v)) for k, v in weights}


def freight_rates(lines: pd.DataFrame) -> dict[tuple[str, str], tuple[float, int]]:
    """USD a kilogram by channel and mode: all freight over all weight where both are numbers."""
    known = lines[(lines.kg > 0) & lines.freight.notna()]
    groups = known.groupby(["channel", "mode"])
    return {
        (str(c), str(m)): (round(float(g.freight.sum() / g.kg.sum()), 2), len(g))
        for (c, m), g in groups
    }
