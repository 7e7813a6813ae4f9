"""All pictures of a result, as PNG files or inside the report."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from twin.measure.charts import comparison, over_time, settings_of, utilisation
from twin.measure.ignorance_chart import ignorance_picture
from twin.measure.maps import network_map
from twin.measure.shop import busiest_plant, shop_picture
from twin.measure.style import styled
from twin.measure.sweeps import sweep_picture, sweeps
from twin.network import Network
from twin.result import Result

_DPI = 144
_MOST_SWEEPS = 6


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture: the finding that its title says, its PNG, its width in pixels."""

    finding: str
    png: bytes
    width: int = 960


def pictures(result: Result, network: Network) -> dict[str, Picture]:
    """Draw every picture that the result has something to show for, by file name."""
    made: dict[str, Figure] = {}
    plant = busiest_plant(network)
    if len(network.sites) > 1 or plant is None:
        made["network"] = network_map(network, lane_flows(result.kpis))
    if plant is not None:
        made["plant"] = shop_picture(network, result.kpis, plant)
    if len(result.tallies) > 1:
        made["comparison"] = comparison(result.kpis)
    if result.worth is not None:
        doubt = ignorance_picture(result.kpis, result.worth)
        made |= {"ignorance": doubt} if doubt else {}
    if any(tally.samples for runs in result.tallies.values() for tally in runs):
        made["inventory"] = over_time(result.tallies, network)
    if network.machines or network.crews or network.trucks:
        made["utilisation"] = utilisation(result.kpis, network)
    for i, sweep in enumerate(sweeps(result.kpis)):
        if i < _MOST_SWEEPS:
            made[_file_name(f"sweep_{sweep.scenario}_{sweep.key}", made)] = sweep_picture(
                result.kpis, sweep)
    return {name: Picture(str(figure.get_label()), _png(figure), round(96 * figure.get_figwidth()))
            for name, figure in made.items()}


def draw(result: Result, network: Network, folder: Path,
         drawn: Mapping[str, Picture] | None = None) -> list[Path]:
    """Write `figures/*.png` into a folder; gives the files.

    `drawn` spares drawing twice what `pictures` has drawn already.
    """
    target = Path(folder) / "figures"
    target.mkdir(parents=True, exist_ok=True)
    files = []
    for name, picture in (drawn if drawn is not None else pictures(result, network)).items():
        file = target / f"{name}.png"
        file.write_bytes(picture.png)
        files.append(file)
    return files


def lane_flows(kpis: pd.DataFrame) -> dict[str, float]:
    """Units a day on each lane in the baseline."""
    first = settings_of(kpis)[0] if len(kpis) else ""
    scenario, _, settings = first.partition(" ")
    rows = kpis[(kpis["kpi"] == "flow") & (kpis["scenario"] == scenario)
                & (kpis["settings"] == settings) & (kpis["product"] == "")
                & (kpis["stream"] == "") & kpis["place"].str.count(":").eq(2)
                & ~kpis["place"].str.startswith("*:")]
    return dict(zip(rows["place"], rows["mean"], strict=True))


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    with styled():
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def _file_name(text: str, taken: Mapping[str, object]) -> str:
    """A file name of plain letters that no other picture has."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:60]
    unique, i = name, 2
    while unique in taken:
        unique, i = f"{name}_{i}", i + 1
    return unique
