"""The folder of a result: manifest, KPIs, events, report and pictures."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twin.network import Network
from twin.result import COLUMNS, Result

if TYPE_CHECKING:
    import pandas as pd

    from twin.commands.show import Screen

#: The state that the runs of a folder started from, beside its manifest.
STATE = "state.json"

#: A result, the network it is about, and the text of the keys that set its run apart.
Made = tuple[Result, Network, str]


def write(made: Sequence[Made], output: Path, screen: Screen, *, with_report: bool = True) -> Path:
    """Write results into ``<time>-<model>/`` and point ``latest`` to it; the folder."""
    models = "+".join(dict.fromkeys(network.name for _, network, _ in made))
    folder = fresh(output, f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{models[:80]}")
    if len(made) == 1:
        _write_one(made[0][0], folder)
    else:
        for number, (result, network, _) in enumerate(made, start=1):
            part = folder / f"{number}-{network.name}"
            part.mkdir()
            _write_one(result, part)
            if with_report:
                _write_pictures(result, network, part, screen)
        runs = [asdict(result.manifest) for result, _, _ in made]
        (folder / "manifest.json").write_text(json.dumps({"runs": runs}, indent=2) + "\n", "utf-8")
        _write_csv(joined([(result, text) for result, _, text in made]), folder / "kpis.csv")
    if with_report and len({network.name for _, network, _ in made}) == 1:
        _write_pictures(_joined_result(made), made[0][1], folder, screen)
    point(output / "latest", folder)
    return folder


def joined(made: Sequence[tuple[Result, str]]) -> pd.DataFrame:
    """The KPIs of several runs in one table; `settings` says which is which."""
    import pandas as pd

    frames = []
    for result, text in made:
        frame = result.kpis.copy()
        if text:
            frame["settings"] = [f"{old} {text}".strip() for old in frame["settings"]]
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _joined_result(made: Sequence[Made]) -> Result:
    """Runs of one model as one result, for one picture."""
    if len(made) == 1:
        return made[0][0]
    tallies = {f"{label} {text}".strip(): runs for result, _, text in made
               for label, runs in result.tallies.items()}
    kpis = joined([(result, text) for result, _, text in made])
    return replace(made[0][0], kpis=kpis, tallies=tallies, ledgers={}, worth=None)


def _write_one(result: Result, folder: Path) -> None:
    (folder / "manifest.json").write_text(result.manifest.text(), "utf-8")
    _write_csv(result.kpis, folder / "kpis.csv")
    if result.state is not None:
        result.state.write(folder / STATE)
    if result.worth is not None:
        result.worth.to_csv(folder / "worth.csv", index=False, float_format="%.6g",
                            lineterminator="\n")
    if result.ledgers:
        from twin.ledger import write_ledgers

        write_ledgers(folder / "ledger.parquet", result.ledgers)


def _write_csv(kpis: pd.DataFrame, path: Path) -> None:
    others = [column for column in kpis.columns if column not in COLUMNS]
    kpis[[*COLUMNS, *others]].to_csv(path, index=False, float_format="%.9g", lineterminator="\n")


def _write_pictures(result: Result, network: Network, folder: Path, screen: Screen) -> None:
    from twin.measure.figures import draw, pictures
    from twin.measure.report import write_report

    with screen.working("Drawing"):
        drawn = pictures(result, network)
        draw(result, network, folder, drawn)
        write_report(result, network, folder, drawn)


def fresh(output: Path, name: str) -> Path:
    """A new folder of that name, numbered if there is one already."""
    for number in range(1, 1000):
        folder = output / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise ValueError(f"output '{output}' cannot be written: {error.strerror}. Choose "
                             "another with --output FOLDER.") from None
        return folder
    raise ValueError(f"output '{output}' is full of '{name}'. Choose another with --output FOLDER.")


def point(latest: Path, folder: Path) -> None:
    """Let `latest` be the folder: a link, or a copy where links are impossible."""
    if not latest.is_symlink() and latest.exists():
        if not (latest / "manifest.json").is_file():
            return  # not ours
        shutil.rmtree(latest)  # a copy made here earlier
    link = latest.with_name(f".latest-{os.getpid()}")
    try:
        os.symlink(folder.name, link, target_is_directory=True)
        os.replace(link, latest)
    except OSError:
        shutil.copytree(folder, latest, dirs_exist_ok=True)
