"""Everything that the model takes from the lines, measured once: suppliers, streams, times."""

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
import scms_lines as scms
from assumed import BASE_DAYS, BY_CODE, CENTRE_DAYS, LEAST_INBOUND, MOST_SUPPLIERS
from scms_lines import Lateness, Time

LEAST_ORDERS = 2  # of a stream in the last two fitted years
LEAST_DIRECT = 30  # direct lines that keep a supplier of little value (a local wholesaler)


class Stream(NamedTuple):
    """Orders of one product from one country through one channel and mode."""

    country: str
    channel: str  # direct or rdc
    mode: str
    product: str
    orders: int
    mean: float  # packs
    sd: float
    gap: str
    gap_spread: float  # coefficient of variation of the gap

    @property
    def site(self) -> str:
        """The customer: the country, what it is served by, and how."""
        middle = "" if self.channel == "direct" else "centre-"
        return f"{self.country}-{middle}{self.mode}"

    @property
    def per_day(self) -> float:
        """Orders a day."""
        return self.orders / scms.RECENT_DAYS


@dataclass(frozen=True)
class Measured:
    """What the lines say."""

    suppliers: dict[str, str]  # letter -> region
    values: dict[str, float]  # product -> USD a pack
    weights: dict[str, tuple[float, int]]
    freight: dict[tuple[str, str], tuple[float, int]]
    streams: list[Stream]
    shares: dict[tuple[str, str, str], float]  # country, mode, letter -> share of direct value
    sold: dict[tuple[str, str], float]  # letter, product -> direct value
    inbound: dict[tuple[str, str], float]  # product, letter -> share of the centres' value
    inbound_value: dict[str, float]  # letter -> value through the centres
    family: str
    likelihood: dict[str, float]
    leads: dict[tuple[str, str], Time]  # letter or "all", mode
    late: dict[tuple[str, str], Lateness]  # channel, mode

    def main_mode(self, letter: str) -> str:
        """The mode with most of a supplier's timed lines; pooled times count for nothing."""
        own = {mode: t.lines for (who, mode), t in self.leads.items() if who == letter}
        if own:
            return max(own, key=lambda mode: own[mode])
        totals: dict[str, float] = {}
        for (_, mode, who), share in self.shares.items():
            if who == letter:
                totals[mode] = totals.get(mode, 0.0) + share
        return max(totals, key=lambda mode: totals[mode])

    def lead(self, letter: str, mode: str) -> Time:
        """A supplier's own time by a mode, or that of all suppliers."""
        return self.leads.get((letter, mode), self.leads["all", mode])

    def ready(self, letter: str) -> Time:
        """From order to the supplier's dock."""
        return self.lead(letter, self.main_mode(letter))

    def base(self, letter: str, mode: str) -> float:
        """Days on the way when not late: by another mode than the main one, its longer plan too."""
        longer = self.lead(letter, mode).mean() - self.ready(letter).mean()
        return round(BASE_DAYS[mode] + max(0.0, longer), 1)


def measure(lines: pd.DataFrame) -> Measured:
    """Measure on the fitted dates only."""
    fit, recent = scms.fitted(lines), scms.recent(lines)
    letters = _letters(recent[recent.channel == "direct"])
    fit = fit.assign(letter=fit.vendor.map(letters))
    recent = recent.assign(letter=recent.vendor.map(letters))
    direct = recent[(recent.channel == "direct") & recent.letter.notna()]
    regions = {
        letter: scms.region_of(rows.groupby("made_at").value.sum().idxmax())
        for letter, rows in direct.groupby("letter")
    }
    value = recent.groupby("product")[["value", "packs"]].sum()
    timed = scms.timed(fit)
    cells = [
        rows for (_, mode), rows in timed[timed.letter.notna()].groupby(["letter", "mode"])
        if len(rows) >= scms.LEAST_LINES
    ]
    samples = [scms.lead_samples(rows, BASE_DAYS[rows["mode"].iloc[0]]) for rows in cells]
    family, totals = scms.best_family(samples)
    leads = {
        (str(rows.letter.iloc[0]), str(rows["mode"].iloc[0])): scms.fit_time(*sample, family)[0]
        for rows, sample in zip(cells, samples, strict=True)
    }
    for mode, rows in timed.groupby("mode"):
        sample = scms.lead_samples(rows, BASE_DAYS[str(mode)])
        leads["all", str(mode)] = scms.fit_time(*sample, family)[0]
    streams = _streams(direct, recent)
    kept = {(s.country, s.mode) for s in streams if s.channel == "direct"}
    by_supplier = direct.groupby(["country", "mode", "letter"]).value.sum()
    totals_by = direct.groupby(["country", "mode"]).value.sum()
    shares = {
        (str(c), str(m), str(who)): float(amount / totals_by[c, m])
        for (c, m, who), amount in by_supplier.items() if (c, m) in kept
    }
    inbound, inbound_value = _inbound(fit, recent)
    return Measured(
        suppliers=regions,
        values={str(p): round(float(row.value / row.packs), 2) for p, row in value.iterrows()},
        weights=scms.pack_weights(fit),
        freight=scms.freight_rates(fit),
        streams=streams,
        shares=shares,
        sold={(str(w), str(p)): float(v)
              for (w, p), v in direct.groupby(["letter", "product"]).value.sum().items()},
        inbound=inbound,
        inbound_value=inbound_value,
        family=family,
        likelihood=totals,
        leads=leads,
        late=_lateness(fit, recent),
    )


def _letters(direct: pd.DataFrame) -> dict[str, str]:
    """Vendors by falling value as A, B, C ...; nothing else of a name is kept."""
    by_vendor = direct.groupby("vendor").value.agg(["sum", "size"])
    by_vendor = by_vendor.sort_values(["sum", "size"], ascending=False)
    often = by_vendor.index[by_vendor["size"] >= LEAST_DIRECT]
    chosen = list(dict.fromkeys([*by_vendor.index[: MOST_SUPPLIERS - 1], *often]))
    return {vendor: chr(ord("A") + place) for place, vendor in enumerate(chosen)}


def _streams(direct: pd.DataFrame, recent: pd.DataFrame) -> list[Stream]:
    lines = pd.concat([direct, recent[recent.channel == "rdc"]])
    orders = scms.orders(lines[lines.country.isin(list(BY_CODE))])
    spread = orders.groupby("product").packs.agg(lambda packs: packs.std() / packs.mean())
    found = []
    keys = ["country", "channel", "mode", "product"]
    for (country, channel, mode, product), rows in orders.groupby(keys):
        if len(rows) < LEAST_ORDERS or (channel, mode) == ("rdc", "sea"):
            continue
        mean, sd = scms.size_moments(rows.packs, float(spread[product]))
        gap = scms.gap_text(rows.delivered)
        found.append(Stream(str(country), str(channel), str(mode), str(product), len(rows),
                            mean, sd, gap, scms.gap_spread(gap)))
    return found


def _inbound(
    fit: pd.DataFrame, recent: pd.DataFrame
) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Who makes what leaves the centres: the supplier that sells most from the same factory."""
    sellers = fit[(fit.channel == "direct") & fit.letter.notna()]
    by_factory = sellers.groupby(["made_at", "letter"]).value.sum().reset_index()
    owner = by_factory.sort_values("value").groupby("made_at").letter.last()
    stocked = recent[recent.channel == "rdc"].assign(
        owner=recent[recent.channel == "rdc"].made_at.map(owner))
    amounts = stocked.groupby(["product", "owner"]).value.sum()
    totals = amounts.groupby("product").sum()
    shares = {(str(p), str(who)): float(v / totals[p]) for (p, who), v in amounts.items()}
    kept = {key: share for key, share in shares.items() if share >= LEAST_INBOUND}
    values: dict[str, float] = {}
    for (product, who) in kept:
        values[who] = values.get(who, 0.0) + float(amounts[product, who])
    return kept, values


def _lateness(fit: pd.DataFrame, recent: pd.DataFrame) -> dict[tuple[str, str], Lateness]:
    """Around the scheduled day, by mode: direct from all fitted lines, centres from recent ones."""
    found = {}
    for mode, rows in fit[fit.channel == "direct"].groupby("mode"):
        found["direct", str(mode)] = scms.lateness(rows, 0.0)
    for mode, rows in recent[recent.channel == "rdc"].groupby("mode"):
        if mode != "sea":
            found["rdc", str(mode)] = scms.lateness(rows, CENTRE_DAYS - 1)
    return found
