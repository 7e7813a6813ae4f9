"""What the lines say on the fitted dates and on later ones, and a list of the assumptions."""

import assumed
import pandas as pd
import scms_lines as scms
from measured import Measured

Table = list[dict[str, object]]
FIT, RECENT = "delivered before 2012", "delivered 2010-2011"


def evidence(lines: pd.DataFrame, measured: Measured) -> Table:
    """One row a figure: its source, and what it is on fitted and on later dates."""
    rows: Table = []
    fit, recent, later = scms.fitted(lines), scms.recent(lines), scms.later(lines)
    for mode in sorted(set(scms.timed(lines)["mode"])):
        _leads(rows, f"direct {mode}", *(
            part[part["mode"] == mode] for part in (scms.timed(fit), scms.timed(later))))
    _leads(rows, "direct", scms.timed(fit), scms.timed(later))
    for channel, old, when in (("direct", fit, FIT), ("rdc", recent, RECENT)):
        for mode in ["", *sorted(mode for who, mode in measured.late if who == channel)]:
            first, second = (
                part[(part.channel == channel) & (part["mode"].isin([mode] if mode else MODES))]
                for part in (old, later))
            _lateness(rows, f"{channel} {mode}".strip(), first, second, when)
    _orders(rows, recent, later, measured)
    _pooled(rows, fit, later, measured)
    _assumptions(rows)
    return rows


MODES = tuple(scms.MODES.values())


def _add(rows: Table, figure: str, group: str, unit: str, column: str, chosen: str,
         first: tuple[int, float], second: tuple[int, float]) -> None:
    def shown(pair: tuple[int, float]) -> object:
        return f"{pair[1]:.4g}" if pair[0] and pair[1] == pair[1] else ""

    rows.append({"figure": figure, "group": group, "unit": unit, "source": "data",
                 "column": column, "lines": chosen, "fit_count": first[0], "fit": shown(first),
                 "later_count": second[0], "later": shown(second)})


def _leads(rows: Table, group: str, fit: pd.DataFrame, later: pd.DataFrame) -> None:
    column = "PO Sent to Vendor Date, Delivered to Client Date"
    chosen = f"{group}, ordered before scheduled day and delivery, {FIT}"
    for name, take in (("mean", "mean"), ("sd", "std"), ("median", "median")):
        _add(rows, f"lead_time_{name}", group, "d", column, chosen,
             (len(fit), fit.lead.agg(take)), (len(later), later.lead.agg(take)))


def _lateness(rows: Table, group: str, fit: pd.DataFrame, later: pd.DataFrame, when: str) -> None:
    column = "Scheduled Delivery Date, Delivered to Client Date"
    for figure, unit, measure in (
        ("on_time_share", "1", lambda late: (late <= 0).mean()),
        ("on_scheduled_day_share", "1", lambda late: (late == 0).mean()),
        ("lateness_of_late_lines", "d", lambda late: late[late > 0].mean()),
        ("lateness_past_schedule", "d", lambda late: late.clip(lower=0).mean()),
    ):
        _add(rows, figure, group, unit, column, f"{group}, {when}",
             (len(fit), measure(fit.late)), (len(later), measure(later.late)))


def _orders(rows: Table, recent: pd.DataFrame, later: pd.DataFrame, measured: Measured) -> None:
    """Rhythm and sizes by channel, region and product; shares of modes."""
    old, new = scms.orders(recent), scms.orders(later)
    years = scms.RECENT_DAYS / 365
    column = "PO / SO #, Delivered to Client Date"
    sites = {(s.country, s.channel, s.mode, s.product) for s in measured.streams}
    for channel in ("direct", "rdc"):
        first, second = (part[part.channel == channel] for part in (old, new))
        _add(rows, "orders_a_year", channel, "1/y", column, f"{channel}, {RECENT}",
             (len(first), len(first) / years), (len(second), len(second)))
        kept = [
            part[[key in sites for key in zip(part.country, part.channel, part["mode"],
                                              part["product"], strict=True)]].value.sum()
            / part.value.sum() if len(part) else float("nan")
            for part in (first, second)]
        _add(rows, "share_of_value_in_streams", channel, "1", "Line Item Value",
             f"{channel}, {RECENT}", (len(first), kept[0]), (len(second), kept[1]))
        for mode in MODES:
            shares = [part[part["mode"] == mode].value.sum() / part.value.sum()
                      if len(part) else float("nan") for part in (first, second)]
            _add(rows, "share_of_value_by_mode", f"{channel} {mode}", "1",
                 "Shipment Mode, Line Item Value", f"{channel}, {RECENT}",
                 (int((first["mode"] == mode).sum()), shares[0]),
                 (int((second["mode"] == mode).sum()), shares[1]))
    regions = {place.code: place.region for place in assumed.PLACES.values()}
    for region in sorted(set(regions.values())):
        first, second = (part[part.country.map(regions) == region] for part in (old, new))
        _add(rows, "orders_a_year", region, "1/y", column, RECENT,
             (len(first), len(first) / years), (len(second), len(second)))
        _add(rows, "value_a_year", region, "USD/y", "Line Item Value", RECENT,
             (len(first), first.value.sum() / years), (len(second), second.value.sum()))
    for product in sorted(measured.values):
        first, second = (part[part["product"] == product] for part in (old, new))
        for name, take in (("mean", "mean"), ("median", "median")):
            _add(rows, f"order_size_{name}", product, "packs", "Line Item Quantity", RECENT,
                 (len(first), first.packs.agg(take)), (len(second), second.packs.agg(take)))
        _add(rows, "value_of_a_pack", product, "USD", "Line Item Value, Line Item Quantity",
             RECENT, (len(first), first.value.sum() / first.packs.sum()),
             (len(second), second.value.sum() / second.packs.sum()))


def _pooled(rows: Table, fit: pd.DataFrame, later: pd.DataFrame, measured: Measured) -> None:
    """Weights, freight, and the fitted time to ready."""
    weights, rates = scms.pack_weights(later), scms.freight_rates(later)
    for product, (kg, count) in sorted(measured.weights.items()):
        new = weights.get(product, (float("nan"), 0))
        _add(rows, "kilograms_of_a_pack", product, "kg", "Weight (Kilograms), Line Item Quantity",
             f"shipments of one line with a weight, {FIT}", (count, kg), (new[1], new[0]))
    for (channel, mode), (rate, count) in sorted(measured.freight.items()):
        new = rates.get((channel, mode), (float("nan"), 0))
        _add(rows, "freight_a_kilogram", f"{channel} {mode}", "USD/kg",
             "Freight Cost (USD), Weight (Kilograms)", f"both are numbers, {FIT}",
             (count, rate), (new[1], new[0]))
    column = "PO Sent to Vendor Date, Scheduled Delivery Date, Delivered to Client Date"
    for (who, mode), time in sorted(measured.leads.items()):
        for figure, value in (("ready_mean", time.mean()),
                              ("ready_sd", time.sd())):
            name = "all suppliers" if who == "all" else f"supplier {who}"
            _add(rows, figure, f"{name} {mode}", "d", column,
                 f"{time.family}, conditional on delivery before 2012", (time.lines, value),
                 (0, 0.0))
    for family, total in measured.likelihood.items():
        _add(rows, "log_likelihood", family, "1", column, "suppliers' own times together",
             (sum(t.lines for (who, _), t in measured.leads.items() if who != "all"), total),
             (0, 0.0))


def _assumptions(rows: Table) -> None:
    """Figures that are in no line."""
    given: list[tuple[str, object, str, object]] = [
        *(("days_on_the_way", mode, "d", days) for mode, days in assumed.BASE_DAYS.items()),
        ("days_from_centre", "rdc", "d", assumed.CENTRE_DAYS),
        ("sea_detour", "sea", "1", assumed.SEA_DETOUR),
        ("road_detour", "road", "1", assumed.ROAD_DETOUR),
        ("pack_density", "all", "kg/m3", assumed.PACK_KG_PER_M3),
        ("service_factor", "centres", "1", assumed.SERVICE_FACTOR),
        ("order_cover", "centres", "d", assumed.COVER_DAYS),
        ("holding_share", "all", "1/y", assumed.HOLDING_SHARE_A_YEAR),
        ("lot", "plants", "packs", assumed.LOT_PACKS),
        ("utilisation", "plants", "1", assumed.UTILISATION),
        ("time_to_make", "plants", "d", assumed.MAKE_DAYS),
        ("ingredient_share", "plants", "kg/kg", assumed.INGREDIENT_KG_PER_KG),
        ("ingredient_price", "plants", "USD/kg", assumed.INGREDIENT_USD),
        ("kits_a_week", "clinics", "units", assumed.CLINIC_KITS),
        ("kit_price", "clinics", "USD", assumed.KIT_USD),
        *((f"co2e_total_per_{per}", source, "kg", total)
          for (source, per), (_, total) in assumed.EMISSIONS.items() if source != "road"),
    ]
    rows += [{"figure": figure, "group": group, "unit": unit, "source": "assumption",
              "fit": value} for figure, group, unit, value in given]
    rows.append({"figure": "co2e_total_per_tkm", "group": "road", "unit": "kg",
                 "source": "Defra/DECC 2012 annex 7e, all HGVs", "fit": 0.14993})
