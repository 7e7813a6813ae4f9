"""The chain of `medicines`: measured figures and assumptions put into the tables of a model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import assumed as a
from measured import Measured, Stream
from scms_lines import Time, promise

from twin.network import Site, great_circle_km

Row = dict[str, object]
Table = list[Row]
KIT, INGREDIENT, KIT_SUPPLIER, INGREDIENT_SUPPLIER = (
    "cold_tests", "ingredient", "supplier_kits", "supplier_ingredient")


@dataclass(frozen=True)
class Flow:
    """Demand of a product at a centre: mean a day, and variance a day."""

    mean: float
    variance: float


class Chain:
    """What the tables have in common."""

    def __init__(self, measured: Measured) -> None:
        self.m = measured
        self.streams = measured.streams
        ranked = sorted(measured.inbound_value, key=lambda who: -measured.inbound_value[who])
        self.plants = sorted(ranked[: a.PLANTS])
        self.products = [p for p in measured.values if any(s.product == p for s in self.streams)]
        self.flows = self._flows()

    def centre(self, stream: Stream) -> str:
        """The distribution centre that serves a stream."""
        return f"centre_{a.BY_CODE[stream.country].centre}"

    def _flows(self) -> dict[tuple[str, str], Flow]:
        flows: dict[tuple[str, str], Flow] = {}
        for s in self.streams:
            if s.channel == "rdc":
                key = self.centre(s), s.product
                old = flows.get(key, Flow(0.0, 0.0))
                variance = s.per_day * (s.sd**2 + s.gap_spread**2 * s.mean**2)
                flows[key] = Flow(old.mean + s.per_day * s.mean, old.variance + variance)
        return dict(sorted(flows.items()))

    def sources(self, product: str) -> dict[str, float]:
        """Sites that fill the centres with a product, and their shares of it."""
        return {
            self.maker(who): share
            for (what, who), share in sorted(self.m.inbound.items()) if what == product
        }

    def maker(self, letter: str) -> str:
        """The plant or the supplier of that letter."""
        return f"plant_{letter}" if letter in self.plants else f"supplier_{letter}"

    def inbound_mode(self, letter: str) -> str:
        """Tests come by air, medicines by sea (assumed)."""
        made = {product for product, who in self.m.inbound if who == letter}
        return "air" if made == {"hiv_tests"} else "sea"

    def lead(self, product: str) -> tuple[float, float]:
        """Mean and sd of days from a centre's order to receipt, over its sources."""
        found = []
        for (what, who), share in sorted(self.m.inbound.items()):
            if what == product:
                mode = self.inbound_mode(who)
                late, spread = self.m.late["direct", mode].moments()
                ready = self.m.ready(who)
                days, sd = (a.MAKE_DAYS, a.MAKE_DAYS / 2) if who in self.plants else (
                    ready.mean(), ready.sd())
                found.append((share, days + a.BASE_DAYS[mode] + late, math.hypot(sd, spread)))
        total = sum(share for share, _, _ in found)
        mean = sum(share * days for share, days, _ in found) / total
        square = sum(share * (days**2 + sd**2) for share, days, sd in found) / total
        return mean, math.sqrt(square - mean**2)

    def made(self) -> list[tuple[str, str, float]]:
        """Plant letter, product, and packs a day that it makes for the centres."""
        packs: dict[str, float] = {}
        for (_, product), flow in self.flows.items():
            packs[product] = packs.get(product, 0.0) + flow.mean
        weight = self.m.inbound_value
        found = []
        for product, who in sorted(self.m.inbound):
            if who in self.plants and product in packs:
                rivals = sum(weight[w] for p, w in self.m.inbound if p == product)
                found.append((who, product, packs[product] * weight[who] / rivals))
        return found

    def ingredient_needs(self) -> list[tuple[str, float]]:
        """Plant letter and kilograms of active ingredient a day."""
        return [
            (letter, sum(packs * self.m.weights[product][0] * a.INGREDIENT_KG_PER_KG
                         for who, product, packs in self.made() if who == letter))
            for letter in self.plants
        ]


def sites(chain: Chain) -> Table:
    """Suppliers, plants, ports, centres, cold stores, and a customer a country, channel, mode."""
    rows: Table = []

    def add(site: str, kind: str, region: str, place: tuple[float, float], country: str,
            sourcing: str = "") -> None:
        rows.append({"site": site, "kind": kind, "region": region, "latitude": place[0],
                     "longitude": place[1], "country": country, "sourcing": sourcing})

    for letter, region in sorted(chain.m.suppliers.items()):
        latitude, longitude, country = a.REGIONS[region]
        add(f"supplier_{letter}", "supplier", region, (latitude, longitude), country)
    for letter in chain.plants:
        region = chain.m.suppliers[letter]
        latitude, longitude, country = a.REGIONS[region]
        add(f"plant_{letter}", "plant", region, (latitude, longitude), country)
    add(INGREDIENT_SUPPLIER, "supplier", "china", a.REGIONS["china"][:2], "CN")
    add(KIT_SUPPLIER, "supplier", "germany", a.REGIONS["germany"][:2], "DE")
    for port, (latitude, longitude, country) in a.PORTS.items():
        add(port, "port", "", (latitude, longitude), country)
    for name, (latitude, longitude, country, region, _) in a.CENTRES.items():
        add(f"centre_{name}", "warehouse", region, (latitude, longitude), country, "split")
    for store, (latitude, longitude, country, centre, clinics) in a.COLD_STORES.items():
        region = a.CENTRES[centre][3]
        add(store, "warehouse", region, (latitude, longitude), country)
        for clinic, place in clinics.items():
            add(clinic, "customer", region, place, country)
    for site, stream in customers(chain).items():
        at = a.BY_CODE[stream.country]
        add(site, "customer", at.region, (at.latitude, at.longitude), at.code,
            "split" if stream.channel == "direct" else "")
    return rows


def customers(chain: Chain) -> dict[str, Stream]:
    """Each customer site with one of its streams."""
    return {s.site: s for s in chain.streams}


def products(chain: Chain) -> Table:
    """Product groups, with the value and weight of a pack."""
    density = a.PACK_KG_PER_M3
    rows: Table = []
    for product in chain.products:
        kg = chain.m.weights[product][0]
        made = any(who in chain.plants and what == product for what, who in chain.m.inbound)
        rows.append({"product": product, "value": chain.m.values[product], "weight_kg": kg,
                     "volume_m3": round(kg / density, 6), "lot_size": a.LOT_PACKS if made else ""})
    rows.append({"product": KIT, "value": a.KIT_USD, "weight_kg": a.KIT_KG,
                 "volume_m3": a.KIT_KG / density, "shelf_life": "365d", "min_c": 2, "max_c": 8})
    rows.append({"product": INGREDIENT, "value": a.INGREDIENT_USD, "weight_kg": 1,
                 "volume_m3": 0.002})
    return rows


def supply(chain: Chain) -> Table:
    """What suppliers sell: lead times are measured, the price is the value of a pack."""
    pairs = set(chain.m.sold) | {
        (who, what) for what, who in chain.m.inbound if who not in chain.plants}
    rows: Table = [
        {"site": f"supplier_{who}", "product": product,
         "lead_time": chain.m.ready(who).text(), "price": chain.m.values[product]}
        for who, product in sorted(pairs) if product in chain.products
    ]
    need = sum(kg for _, kg in chain.ingredient_needs())
    rows.append({"site": INGREDIENT_SUPPLIER, "product": INGREDIENT,
                 "lead_time": a.INGREDIENT_LEAD[0], "price": a.INGREDIENT_USD,
                 "capacity_per_day": round(3 * need)})
    rows.append({"site": KIT_SUPPLIER, "product": KIT, "lead_time": "gamma(mean=30d, sd=10d)",
                 "price": a.KIT_USD})
    return rows


# -- lanes and demand ------------------------------------------------------------------------------


def km(first: Site, second: Site, mode: str) -> int:
    """Kilometres on the way: great circle, with detours by sea and road."""
    detour = {"sea": a.SEA_DETOUR, "road": a.ROAD_DETOUR}.get(mode, 1.0)
    return round((great_circle_km(first, second) or 0.0) * detour)


def placed(row: Mapping[str, object]) -> Site:
    """A site as the network knows it."""
    return Site(site=str(row["site"]), kind=str(row["kind"]),
                latitude=float(str(row["latitude"])), longitude=float(str(row["longitude"])))


def lanes(chain: Chain) -> Table:
    """Supplier to customer, maker to centre, centre to customer, and the cold chain."""
    where = {str(row["site"]): placed(row) for row in sites(chain)}
    rows: Table = []

    def add(origin: str, destination: str, mode: str, transit: str, channel: str, share: float = 1,
            port: str = "", **more: object) -> None:
        rate = chain.m.freight.get((channel, mode), (0.0, 0))
        if rate[1] < 2:  # too few direct lines by road name their freight
            rate = chain.m.freight["rdc", mode]
        rows.append({"origin": origin, "destination": destination, "mode": mode, "via": port,
                     "transit": transit, "distance_km": km(where[origin], where[destination], mode),
                     "cost_per_kg": rate[0], "share": f"{share:.4f}", "owner": "", **more})

    for (country, mode, letter), share in sorted(chain.m.shares.items()):
        if share < 0.01 and not only_source(chain, country, mode, letter):
            continue
        late = chain.m.late["direct", mode]
        add(f"supplier_{letter}", f"{country}-{mode}", mode,
            late.text(chain.m.base(letter, mode)), "direct", share,
            a.PORT_OF[country] if mode == "sea" else "")
    for letter, value in sorted(chain.m.inbound_value.items()):
        mode = chain.inbound_mode(letter)
        share = value / sum(chain.m.inbound_value.values())
        for name, (_, _, _, _, port) in a.CENTRES.items():
            add(chain.maker(letter), f"centre_{name}", mode,
                chain.m.late["direct", mode].text(a.BASE_DAYS[mode]), "direct", share,
                port if mode == "sea" else "", owner="destination")
    for site, stream in customers(chain).items():
        if stream.channel == "rdc":
            late = chain.m.late["rdc", stream.mode]
            add(chain.centre(stream), site, stream.mode, late.text(a.CENTRE_DAYS), "rdc")
    for letter in chain.plants:
        add(INGREDIENT_SUPPLIER, f"plant_{letter}", "sea", "gamma(mean=25d, sd=5d)", "direct")
    for store, (_, _, _, centre, clinics) in a.COLD_STORES.items():
        add(KIT_SUPPLIER, f"centre_{centre}", "air", "gamma(mean=4d, sd=1d)", "direct",
            refrigerated="yes")
        add(f"centre_{centre}", store, "road", "gamma(mean=3d, sd=1d)", "rdc", refrigerated="yes")
        for clinic in clinics:
            rows.append({"origin": store, "destination": clinic, "mode": "truck", "fleet": store,
                         "distance_km": km(where[store], where[clinic], "road"),
                         "refrigerated": "yes", "min_load": 0.05, "max_wait": "2d"})
    return rows


def only_source(chain: Chain, country: str, mode: str, letter: str) -> bool:
    """Whether a product asked for there is sold by nobody of one per cent or more but this one."""
    asked = {s.product for s in chain.streams
             if (s.country, s.mode, s.channel) == (country, mode, "direct")}
    large = [who for (c, m, who), share in chain.m.shares.items()
             if (c, m) == (country, mode) and share >= 0.01]
    return any((letter, product) in chain.m.sold
               and not any((who, product) in chain.m.sold for who in large) for product in asked)


def demand(chain: Chain) -> Table:
    """Orders as measured; promised so that the data's share of orders keeps the promise."""
    rows: Table = []
    for s in chain.streams:
        if s.channel == "rdc":
            days = math.ceil(a.CENTRE_DAYS)
        else:
            days = promise(weighed(chain, s), chain.m.late["direct", s.mode])
        spread = math.sqrt(math.log(1 + (s.sd / s.mean) ** 2))
        rows.append({
            "site": s.site, "product": s.product, "interarrival": s.gap,
            "size": f"lognormal(mean={s.mean:.0f}, sd={s.sd:.0f})" if spread > 0 else
            f"{s.mean:.0f}", "region": a.BY_CODE[s.country].region, "promise": f"{days}d",
            "late": a.SAME_DAY, "price": chain.m.values[s.product]})
    for _, _, _, centre, clinics in a.COLD_STORES.values():
        rows += [{"site": clinic, "product": KIT, "interarrival": "exponential(mean=7d)",
                  "size": f"poisson(mean={a.CLINIC_KITS:g})", "region": a.CENTRES[centre][3],
                  "promise": "5d", "late": a.SAME_DAY, "price": a.KIT_USD} for clinic in clinics]
    return rows


def weighed(chain: Chain, s: Stream) -> list[tuple[float, float, Time]]:
    """Suppliers that may serve a stream: share, base transit, time to ready."""
    sellers = {who: share for (c, m, who), share in chain.m.shares.items()
               if (c, m) == (s.country, s.mode) and (who, s.product) in chain.m.sold}
    total = sum(sellers.values())
    return [(share / total, chain.m.base(who, s.mode), chain.m.ready(who))
            for who, share in sorted(sellers.items())]


def sensors() -> Table:
    """What would measure the cold chain and the lanes."""
    cold = [*a.COLD_STORES, *(f"centre_{name}" for name in a.CENTRES)]
    rows: Table = [
        {"sensor": f"temperature_{site}", "site": site, "asset": f"{site}:cold_room",
         "measure": "temperature", "unit": "C", "interval": "10min"} for site in cold]
    rows += [{"sensor": f"position_{store}", "site": store, "asset": f"reefer_{store}",
              "measure": "position", "unit": "degrees", "interval": "5min"}
             for store in a.COLD_STORES]
    return rows
