"""A server in the process: a small chain with two suppliers, two customers, and some history."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.testclient import TestClient

from twin.operate.roles import Role
from twin.readings import Reading
from twin.recommendation import Action, Effect, Recommendation
from twin.serve.app import make_app, shielded
from twin.serve.house import House, Limits
from twin.store import Store
from twin.workspace import Workspace

START = 1767225600.0  # 2026-01-01
DAYS = 16
FILES = {
    "models/tea.yaml": "title: Tea\nstart: 2026-01-01\ncurrency: EUR\ntables: tea\n",
    "models/tea/sites.csv": "site,kind\ngarden,supplier\npottery,supplier\ndepot,warehouse\n"
                            "shop,customer\ncafe,customer\n",
    "models/tea/products.csv": "product,value\ntea,3\ncup,2\n",
    "models/tea/supply.csv": "site,product,lead_time\ngarden,tea,1d\npottery,cup,1d\n",
    "models/tea/lanes.csv": 'origin,destination,mode,transit\ngarden,depot,sea,"uniform(8d, 12d)"\n'
                            "pottery,depot,road,1d\ndepot,shop,road,1d\ndepot,cafe,road,1d\n",
    "models/tea/stock.csv": "site,product,on_hand,policy,reorder_point,order_up_to\n"
                            "depot,tea,400,s_S,40,80\ndepot,cup,90,s_S,40,80\n",
    "models/tea/demand.csv": "site,product,interarrival,promise\nshop,tea,exponential(mean=1d),3d\n"
                             "cafe,tea,exponential(mean=1d),3d\n",
    "models/tea/trucks.csv": "truck,home,capacity_kg,speed_kmh\nvan,depot,900,50\n",
    "governance/tea.yaml": "suppliers:\n  garden: {fields: [stock, consumption, forecast]}\n"
                           "customers:\n  shop: {fields: [promise, eta]}\n"
                           "keep: {telemetry: 9000d}\n",
}
NO_LIMITS = Limits(calls_per_s=1e6, burst=1e6, address_per_s=1e6, address_burst=1e6,
                   failures_per_min=1e6, poll_s=0.02)


def readings() -> list[Reading]:
    """Sixteen days: six or eight units of tea leave the depot each day; two orders stay open."""
    made = []
    for day in range(DAYS):
        made.append(Reading(sensor="wms", id=f"p{day}", time=START + 86_400.0 * day + 3600.0,
                            kind="picking", site="depot", product="tea",
                            quantity=6.0 + 2.0 * (day % 2)))
        made.append(Reading(sensor="phone-ann", id=f"g{day}", time=START + 86_400.0 * day + 7200.0,
                            kind="position", asset="van", latitude=52.0, longitude=5.0))
    now = START + 86_400.0 * DAYS
    made += [Reading(sensor="erp", id=f"o{number}", time=now - 12 * 3600.0, kind="ordering",
                     site=site, to_site="depot", product="tea", order=str(number), quantity=4.0)
             for number, site in ((71, "shop"), (72, "cafe"))]
    made.append(Reading(sensor="tms", id="d1", time=now - 6 * 3600.0, kind="departing",
                        site="depot", to_site="shop", asset="depot:shop:road", shipment="9",
                        order="71"))
    return made


def advice(target: str = "depot/tea", quantity: float = 40.0) -> Recommendation:
    """To order tea."""
    return Recommendation(
        "tea", "replenishment",
        (Action("order", target, quantity, when_h=24.0 * DAYS + 1, detail={"source": "garden"}),),
        (Effect("running_cost", "EUR/d", -12.0, -15.0, -9.0, 0.99, "better", 900.0,
                (800.0, 990.0)),),
        made_h=24.0 * DAYS, expires_h=24.0 * DAYS + 24.0, seed=7)


def write(folder: Path, files: Mapping[str, str] = FILES) -> Workspace:
    """The workspace on disk, with what was heard."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copytree(Path(_heard().name), folder / "store" / "tea")
    return Workspace(folder)


@cache
def _heard() -> TemporaryDirectory[str]:
    """A store that has heard the readings, written once."""
    folder = TemporaryDirectory()
    Store(folder.name).write(readings())
    return folder


class Served:
    """A house, a client, and a token for each role."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.app = make_app(house)
        self.asgi = shielded(self.app)
        self.client = TestClient(self.asgi)
        self.tokens = {role: house.tokens.add(f"{role.value} person", role, site={
            Role.SUPPLIER: "garden", Role.CUSTOMER: "shop"}.get(role, "")) for role in Role}

    def call(self, method: str, path: str, role: Role | None = None, *, token: str = "",
             headers: Mapping[str, str] | None = None, **options: Any) -> Any:
        """The response to one call."""
        said = token or (self.tokens[role] if role else "")
        bearer = {"Authorization": f"Bearer {said}"} if said else {}
        return self.client.request(method, path, headers={**bearer, **(headers or {})}, **options)

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Rows of the log of a kind: subject, name of the person, body."""
        from twin.operate import audit
        from twin.operate.people import name_of

        with self.house.desk.engine.connect() as connection:
            return [{"subject": row.subject, "person": name_of(connection, row.person),
                     "body": json.loads(row.body)}
                    for row in list(audit.entries(connection)) if row.kind == kind]


@contextmanager
def serving(folder: Path, limits: Limits = NO_LIMITS,
            files: Mapping[str, str] = FILES) -> Iterator[Served]:
    """A server of the small chain."""
    before = os.environ.get("TWIN_AUDIT_KEY")
    os.environ["TWIN_AUDIT_KEY"] = "5e" * 32
    house = House(write(folder, files), "tea", limits=limits, workers=1)
    try:
        one = Served(house)
        with one.client:
            yield one
    finally:
        house.close()
        if before is None:
            del os.environ["TWIN_AUDIT_KEY"]
        else:
            os.environ["TWIN_AUDIT_KEY"] = before
