"""A small chain as files: a supplier, a plant, a warehouse, a customer."""

from collections.abc import Callable
from pathlib import Path

import pytest

TEA: dict[str, str] = {
    "../tea.yaml": "title: Tea\nstart: 2026-03-01\ncurrency: EUR\ntables: tea\n",
    "sites.csv": (
        "site,kind,latitude,longitude\n"
        "S,supplier,10,20\nP,plant,11,21\nW,warehouse,12,22\nC,customer,13,23\n"
    ),
    "products.csv": "product,value,weight_kg,shelf_life\nleaf,1,1,\nbox,5,2,1y\n",
    "bom.csv": "product,component,quantity\nbox,leaf,2\n",
    "supply.csv": (
        'site,product,lead_time,price,currency\nS,leaf,"lognormal(mean=5d, sd=2d)",2,USD\n'
    ),
    "machines.csv": "machine,site,group,units\nM1,P,pack,2\n",
    "routings.csv": "site,product,step,group,process_time\nP,box,1,pack,2min\n",
    "failures.csv": "asset,time_to_failure,time_to_repair\nM1,exponential(mean=30d),4h\n",
    "lanes.csv": (
        "origin,destination,mode,transit,fleet\n"
        "S,P,road,2d,\nP,W,road,empirical(lags.csv),\nW,C,road,,W\n"
    ),
    "lags.csv": "lag\n1d\n2d 4h\n3d\n",
    "trucks.csv": 'truck,home,capacity_kg,fuel_l_per_100km\nT,W,1000,"by_load(24, 36)"\n',
    "stock.csv": (
        "site,product,on_hand,policy,reorder_point,order_up_to,source\n"
        "P,leaf,50,s_S,20,80,S\nW,box,20,base_stock,,40,\n"
    ),
    "demand.csv": (
        "site,product,stream,interarrival,size\nC,box,web,exponential(mean=8h),poisson(mean=3)\n"
    ),
    "orders.csv": "order,site,product,quantity,placed,due\n1,C,box,5,-2d,2026-03-05\n",
    "calendars.csv": "calendar,day,from,to\nnight,mon-fri,22:00,06:00\nnight,2026-12-25,,\n",
    "fx.csv": "currency,rate\nUSD,0.5\n",
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the tea model, with files replaced (text or bytes) or left out (None)."""

    def written(**changes: str | bytes | None) -> Path:
        return write_model(tmp_path / "models", changes)

    return written


def write_model(models: Path, changes: dict[str, str | bytes | None]) -> Path:
    """The tea model in a folder; a change is named after its file, without the ending."""
    folder = models / "tea"
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, str | bytes | None] = dict(TEA)
    for name, content in changes.items():
        files["../tea.yaml" if name == "yaml" else f"{name}.csv"] = content
    for name, content in files.items():
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
    return models / "tea.yaml"
