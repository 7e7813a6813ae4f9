"""A small chain in files: a garden, a quay, a depot and a shop; quick to play."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "models/tea.yaml": "title: Tea\nstart: 2026-01-01\ncurrency: EUR\ntables: tea\n",
    "models/tea/sites.csv": "site,kind,region\ngarden,supplier,\nquay,port,\ndepot,warehouse,\n"
                            "shop,customer,north\n",
    "models/tea/products.csv": "product,value\ntea,3\n",
    "models/tea/supply.csv": "site,product,lead_time,price\ngarden,tea,1d,2\n",
    "models/tea/lanes.csv": "origin,destination,mode,via,transit\n"
                            'garden,depot,sea,quay,"uniform(8d, 12d)"\ndepot,shop,road,,1d\n',
    "models/tea/stock.csv": "site,product,on_hand,policy,reorder_point,order_up_to,holding_cost\n"
                            "depot,tea,60,s_S,40,80,0.01\n",
    "models/tea/demand.csv": "site,product,interarrival,promise,price\n"
                             "shop,tea,exponential(mean=8h),3d,5\n",
    "calibration/quick.yaml": "title: Quick ships\nas_of: 2026-02-01\n",
    "calibration/quick.csv": "table,key,column,value,n,source\n"
                             'lanes,"garden,depot,sea",transit,4d,12,arrivals\n',
    "scenarios/double.yaml": "title: Double\nmeans: Twice the demand.\nneeds: demand\n"
                             "events:\n  double: {type: demand, factor: 2, start: 10d}\n",
}


def write_tea(folder: Path, **changes: str) -> Path:
    """Write the workspace; `changes` replace a file, its name with ``/`` and ``.`` as ``_``."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changes.get(name.replace("/", "_").replace(".", "_"), text), "utf-8")
    return folder
