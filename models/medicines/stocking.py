"""Assumed parts of `medicines`: plants, stock levels, cold stores and what they start with.

Everything here follows from the measured demand at the centres by a stated formula.
"""

import math

import assumed as a
from chain import INGREDIENT, INGREDIENT_SUPPLIER, KIT, Chain, Table

from twin.quantity import parse_quantity


def bom(chain: Chain) -> Table:
    """Active ingredient in a pack, by its weight."""
    return [
        {"product": product, "component": INGREDIENT,
         "quantity": round(chain.m.weights[product][0] * a.INGREDIENT_KG_PER_KG, 4)}
        for product in dict.fromkeys(product for _, product, _ in chain.made())
    ]


def plants(chain: Chain) -> dict[str, Table]:
    """Formulation plants: three work centres, sized for the same utilisation (all assumed)."""
    groups: Table = []
    machines: Table = []
    routings: Table = []
    crews: Table = []
    failures: Table = []
    for letter in chain.plants:
        plant = f"plant_{letter}"
        crews.append({"crew": f"fitters_{letter}", "size": 1, "site": plant, "cost_per_hour": 12})
        own = [(product, packs) for who, product, packs in chain.made() if who == letter]
        lots_a_day = sum(packs for _, packs in own) / a.LOT_PACKS
        for group, units, repair, fails, _ in a.WORK_CENTRES:
            machine = f"{group}_{letter}"
            groups.append({"site": plant, "group": group,
                           "dispatch": "family" if group == "compression" else "fifo"})
            machines.append({"machine": machine, "site": plant, "group": group, "units": units,
                             "power_kw": 30, "cost_per_hour": 40})
            failures.append({"asset": machine, "cause": "breakdown",
                             "time_to_failure": f"exponential(mean={fails})",
                             "clock": "operating", "time_to_repair":
                             f"lognormal(mean={repair}, scv=1)", "crew": f"fitters_{letter}",
                             "repair_cost": 500})
        for product, _ in own:
            for place, (group, units, repair, fails, spread) in enumerate(a.WORK_CENTRES, 1):
                up = hours(fails) / (hours(fails) + hours(repair))
                mean = a.UTILISATION * units * 24 * up / lots_a_day
                routings.append({
                    "site": plant, "product": product, "step": 10 * place, "group": group,
                    "process_time": f"gamma(mean={mean:.2f}h, sd={mean * spread:.2f}h)",
                    "per": "lot", "setup_time": "2h" if group == "compression" else "",
                    "setup_family": product})
    return {"groups": groups, "machines": machines, "routings": routings,
            "crews": [*crews, *({"crew": f"drivers_{s}", "size": 1, "site": s,
                                 "cost_per_hour": 6} for s in a.COLD_STORES)],
            "failures": [*failures, *store_failures()]}


def hours(text: str) -> float:
    """Hours of a duration in the assumptions."""
    return parse_quantity(text, time=True).mean()


def store_failures() -> Table:
    """Trucks and cold rooms of the last mile."""
    rows: Table = []
    for store in a.COLD_STORES:
        rows.append({"asset": f"reefer_{store}", "cause": "breakdown",
                     "time_to_failure": "exponential(mean=90d)", "clock": "elapsed",
                     "time_to_repair": "lognormal(mean=2d, sd=1d)", "repair_cost": 800})
    return rows


# -- stock -----------------------------------------------------------------------------------------


def levels(chain: Chain) -> dict[tuple[str, str], tuple[float, float, float, float]]:
    """Of each centre's product: demand a day, lead days, safety stock, its lead-time demand."""
    found = {}
    for (centre, product), flow in chain.flows.items():
        days, sd = chain.lead(product)
        review = a.POLICIES[product][1]
        risk = flow.variance * (days + review) + flow.mean**2 * sd**2
        safety = a.SERVICE_FACTOR * math.sqrt(risk)
        found[centre, product] = (flow.mean, days, safety, flow.mean * (days + review))
    return found


def stock(chain: Chain) -> Table:
    """Levels from mean and sd of demand over the lead time; centres, plants and cold stores."""
    rows: Table = []
    for (centre, product), (daily, days, safety, needed) in levels(chain).items():
        policy, review = a.POLICIES[product]
        point, cover = needed + safety, daily * a.COVER_DAYS
        row: dict[str, object] = {
            "site": centre, "product": product,
            "on_hand": round(safety + cover + daily * (days % a.COVER_DAYS)), "policy": policy,
            "review": f"{review}d" if review else "",
            "holding_cost": held(chain.m.values[product])}
        if policy == "s_S":
            row |= {"reorder_point": round(point), "order_up_to": round(point + cover)}
        elif policy == "forecast":
            start = daily * review
            row |= {"forecast": f"smoothing(alpha=.1, start={start:.0f})",
                    "cover": f"{days + review:.0f}d", "safety_stock": round(safety)}
        else:
            row |= {"order_up_to": round(point)}
        rows.append(row)
    for letter, kg in chain.ingredient_needs():
        point = a.INGREDIENT_LEADS * kg * a.INGREDIENT_LEAD[1]
        rows.append({"site": f"plant_{letter}", "product": INGREDIENT, "policy": "s_S",
                     "on_hand": round(point + 60 * kg), "reorder_point": round(point),
                     "order_up_to": round(point + 60 * kg), "source": INGREDIENT_SUPPLIER,
                     "holding_cost": held(a.INGREDIENT_USD)})
    for store, (_, _, _, centre, clinics) in a.COLD_STORES.items():
        daily = len(clinics) * a.CLINIC_KITS / 7
        for site, review, wait in ((f"centre_{centre}", 7, 40.0), (store, 7, 5.0)):
            most = round(daily * (review + wait) * 1.6)
            rows.append({"site": site, "product": KIT, "on_hand": most, "policy": "base_stock",
                         "review": f"{review}d", "order_up_to": most,
                         "holding_cost": held(a.KIT_USD)})
    return rows


def held(value: float) -> str:
    """Holding cost of a unit and day."""
    return f"{value * a.HOLDING_SHARE_A_YEAR / 365:.6f}"


def storage(chain: Chain) -> Table:
    """A hall for one and a half times all order-up-to levels, and a cold room, at each centre."""
    rows: Table = []
    for name in a.CENTRES:
        centre = f"centre_{name}"
        volume = sum(
            (needed + safety + daily * a.COVER_DAYS) * chain.m.weights[product][0]
            for (site, product), (daily, _, safety, needed) in levels(chain).items()
            if site == centre) / a.PACK_KG_PER_M3
        rows.append({"site": centre, "area": "hall", "capacity_m3": math.ceil(1.5 * volume)})
        rows.append({"site": centre, "area": "cold_room", "capacity_m3": 20, "min_c": 2,
                     "max_c": 8})
    rows += [{"site": store, "area": "cold_room", "capacity_m3": 10, "min_c": 2, "max_c": 8}
             for store in a.COLD_STORES]
    return rows


def receipts(chain: Chain) -> Table:
    """Goods on their way to the centres at the start: a month of demand every month."""
    rows: Table = []
    for (centre, product), (daily, days, _, _) in levels(chain).items():
        sources = chain.sources(product)
        source = max(sources, key=lambda site: sources[site])
        for month in range(1, int(days / a.COVER_DAYS) + 1):
            due = month * a.COVER_DAYS
            rows.append({"order": f"{centre}-{product}-{month}", "site": centre,
                         "product": product, "quantity": round(daily * a.COVER_DAYS),
                         "placed": f"{due - round(days):g}d", "due": f"{due:g}d",
                         "source": source, "status": "shipped"})
    return rows


def last_mile() -> dict[str, Table]:
    """Refrigerated trucks of the cold stores, and doors of the centres."""
    return {
        "trucks": [
            {"truck": f"reefer_{store}", "units": 1, "home": store, "capacity_kg": 600,
             "capacity_m3": 4, "speed_kmh": 50, "cost_per_km": 0.4, "cost_per_hour": 2,
             "fuel": "diesel", "fuel_l_per_100km": "by_load(11, 12.5, 14)", "refrigerated": "yes",
             "crew": f"drivers_{store}", "calendar": "driving"}
            for store in a.COLD_STORES],
        "docks": [{"site": f"centre_{name}", "direction": "in", "doors": 2, "time": "3h"}
                  for name in a.CENTRES],
    }
