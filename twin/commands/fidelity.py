"""``twin fidelity``: how good the twin's forecasts were, per place and horizon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from twin.calibrate import draw
from twin.calibrate.drift import drift_of_pits
from twin.calibrate.learning import learn
from twin.clock import format_duration, parse_duration
from twin.commands.calibrate import evidence_of, streams_of
from twin.commands.logged import tell_log
from twin.commands.show import Screen
from twin.commands.state import sensed
from twin.commands.verbs import Call
from twin.ledger import Ledger
from twin.network import Network
from twin.parameters import Calibration
from twin.sense.history import ledger_of
from twin.settings import KEYS as RUN_KEYS
from twin.settings import (
    Key,
    SettingError,
    describe,
    duration,
    maybe,
    parse,
    read,
    text,
    whole,
    word,
)
from twin.state import State
from twin.tally import Tally

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from twin.measure.fidelity import Case
    from twin.store import Store

KEYS = {key.name: key for key in (
    RUN_KEYS["models"],
    Key("calibration", "what is believed before anything is learned", "nominal", text),
    Key("origins", "moments in the past from which is forecast", "8", whole(2, 1000)),
    Key("horizon", "how far ahead, separated by commas", "7d,28d", text),
    Key("every", "time between origins; blank is the shortest horizon", "", maybe(duration)),
    Key("replications", "plays from each origin", "40", whole(4, 10_000)),
    Key("learn", "learn parameters anew at each origin, from what was known then: yes or no", "yes",
        word("yes", "no")),
    Key("uncertainty", "play what the parameters might be, too: yes or no", "yes",
        word("yes", "no")),
    Key("false_alarms", "chance that any drift is told of though nothing changed", "0.05",
        RUN_KEYS["confidence"].read),
    Key("ledger", "what happened, as a ledger file (Parquet) instead of the store", "",
        maybe(text)),
    RUN_KEYS["seed"], RUN_KEYS["simulate.workers"],
    Key("report", "draw one picture a place: yes or no", "yes", word("yes", "no")),
)}

ABOUT = {"fidelity": """\
twin fidelity [key=value ...]

Goes back to moments in the past, forecasts from what was known then, and holds every KPI against
what happened: how often the 50, 80 and 95 % bands held it (with a binomial interval), the bias, and
the skill over naive forecasts (the last window, that of a season ago, all windows; 1 is perfect, 0
no better, below 0 worse). What drifts is told of. Writes fidelity.csv, fidelity_places.csv and one
picture a place into outputs/<model>-fidelity/.

  twin fidelity models=medicines
  twin fidelity models=harbour origins=12 horizon=7d
  twin fidelity models=harbour ledger=outputs/latest/ledger.parquet horizon=7d,14d

The keys:

""" + describe(KEYS)}

_MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class _Future:
    """One replication played on from an origin."""

    network: Network
    state: State
    horizon_h: float
    seed: int
    replication: int


def _played(future: _Future) -> pd.DataFrame:
    """Its events; runs in a worker."""
    from twin.scenario import Scenario
    from twin.simulate import play

    ledger = Ledger()
    play(future.network, Scenario.baseline(), horizon_h=future.horizon_h, seed=future.seed,
         replication=future.replication, ledger=ledger, state=future.state)
    return ledger.frame()


def fidelity_command(call: Call) -> int:
    """Backtest, score, tell, draw."""
    from twin.measure.fidelity import backtest
    from twin.measure.fidelity_record import Record
    from twin.measure.fidelity_table import by_kpi, by_place

    ahead = [said for said in call.arguments if said.strip().startswith("horizon=")]
    settings = read([said for said in call.arguments if said not in ahead], KEYS, "fidelity")
    horizons = _horizons(parse(ahead).get("horizon", tuple(KEYS["horizon"].default.split(","))))
    screen = call.screen
    past = _Past(call, settings)
    with screen.working("Reading"):
        record = Record(past.ledger.frame(), past.network)
    origins = _origins(record.end_h, horizons, settings["origins"],
                       settings["every"] or min(horizons))
    model = settings["models"]
    with screen.progress(f"{model}: origins", "origins") as progress:
        cases = list(backtest(
            record, origins, horizons, state_at=past.state_at, play=past.player(record),
            calibrate_until=past.calibrate_until if settings["learn"] == "yes" else None,
            progress=(lambda done, of: progress(model, done, of)) if progress else None))
    if not cases:
        raise SettingError(f"no KPI of {settings['models']} can be told from its events in windows "
                           f"of {format_duration(min(horizons))}. Ask for a longer horizon.")
    subjects = len({(case.place, case.kpi, case.horizon_h) for case in cases})
    table = by_kpi(cases, _watch(settings["false_alarms"] / subjects))
    places = by_place(cases, table)
    tell_log(call, settings["models"], "checked", {
        "origins": len(origins), "alarms": list(dict.fromkeys(filter(None, table["drift"])))})
    folder = call.output / f"{settings['models']}-fidelity"
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in (("fidelity.csv", table), ("fidelity_places.csv", places)):
        frame.to_csv(folder / name, index=False, float_format="%.6g", lineterminator="\n")
    if settings["report"] == "yes":
        with screen.progress(f"{model}: pictures", "pictures") as progress:
            _draw(cases, table, past.network, folder,
                  (lambda done, of: progress(model, done, of)) if progress else None)
    _show(places, table, horizons, origins, folder, screen)
    return 0


class _Past:
    """What was known at any moment of the past: events, state, parameters.

    Parameters
    ----------
    call, settings
        What was asked.
    """

    def __init__(self, call: Call, settings: dict[str, Any]) -> None:
        self.call, self.settings, self.screen = call, settings, call.screen
        workspace = call.workspace
        self.believed = workspace.calibration(settings["calibration"])
        self.network = self.believed.apply(workspace.network(settings["models"]))
        self.streams = streams_of(workspace)

    @cached_property
    def ledger(self) -> Ledger:
        """Everything that happened."""
        if self.settings["ledger"] is not None:
            from twin.commands.calibrate import _has_scenarios

            path = Path(self.settings["ledger"]).expanduser()
            return Ledger.read(path, "baseline" if _has_scenarios(path) else None)
        store = self.call.workspace.store(self.settings["models"])
        if not store.day_files():
            raise SettingError(f"nothing was heard about {self.settings['models']} yet: store/"
                               f"{self.settings['models']} is empty. Run twin listen, or give "
                               "ledger=FILE.")
        return ledger_of(store.frame(), self.network.start)

    @cached_property
    def readings(self) -> Store | pd.DataFrame:
        """The same as readings, from which a state is folded."""
        if self.settings["ledger"] is None:
            return self.call.workspace.store(self.settings["models"])
        from twin.readings import to_frame
        from twin.witness import readings_of_ledger

        return to_frame(readings_of_ledger(self.ledger, self.network.start))

    def state_at(self, origin_h: float) -> State:
        """The state at a moment, from readings before it."""
        at = self.network.start.timestamp() + 3600.0 * origin_h
        return sensed(self.readings, self.network, at, checkpoints=False)[1]

    def calibrate_until(self, origin_h: float) -> Calibration | None:
        """Parameters from what happened before a moment."""
        evidence = evidence_of(self.ledger, self.network, origin_h)
        heard = evidence.events["recorded"] <= origin_h
        evidence = replace(evidence, events=evidence.events[heard], memory={})
        learned = learn(evidence, self.streams, name="origin", as_of=f"{origin_h / 24.0:g} d",
                        source="backtest")
        return learned.calibration if learned.calibration.rows else None

    def player(self, record: Any) -> Callable[..., Sequence[Sequence[Tally]]]:
        """Plays on from an origin, each replication with a draw of what was learned."""
        import numpy as np

        from twin.simulate.replications import replicate

        count, seed = self.settings["replications"], self.settings["seed"]
        unsure = self.settings["uncertainty"] == "yes"

        def network_of(learned: Calibration | None, rng: np.random.Generator) -> Network:
            if learned is None:
                return self.network
            return (draw(learned, rng) if unsure else learned).apply(self.network)

        def play(state: State, learned: Calibration | None,
                 horizons: Sequence[float]) -> list[list[Tally]]:
            start = state.clock_h
            luck = np.random.SeedSequence(seed, spawn_key=(round(start * 3600.0),))
            rng = np.random.default_rng(luck)
            number = int(luck.generate_state(1, np.uint32)[0])
            tasks = [_Future(network_of(learned, rng), state, max(horizons), number, i)
                     for i in range(count)]
            events = replicate(_played, tasks, workers=self.settings["simulate.workers"])
            return [[record.tally(one, start, start + horizon) for one in events]
                    for horizon in horizons]

        return play


def _horizons(words: Sequence[str]) -> list[float]:
    try:
        found = sorted({parse_duration(one) for one in words})
    except ValueError as error:
        raise SettingError(f"horizon {error}") from None
    if found[0] < 1.0:
        raise SettingError(f"horizon '{words[0][:40]}' is less than an hour. Write 7d, say.")
    return found


def _origins(end_h: float, horizons: Sequence[float], count: int, every: float) -> list[float]:
    """Whole days, the last one a longest horizon before the end of the record."""
    last = (end_h - max(horizons)) // 24.0 * 24.0
    found = [last - i * every for i in range(count)]
    found = [origin for origin in found if origin >= every]
    if len(found) < 2:
        raise SettingError(f"the record is {end_h / 24.0:.0f} d long, too short for two origins "
                           f"{every / 24.0:g} d apart with a horizon of {max(horizons) / 24.0:g} "
                           "d. Ask for a shorter horizon, or listen longer.")
    return sorted(found)


def _watch(rate: float) -> Callable[[str, Sequence[float]], str]:
    def watch(what: str, pits: Sequence[float]) -> str:
        alarm = drift_of_pits(what, pits, rate=rate, over=len(pits))
        return alarm.words if alarm else ""

    return watch


def _draw(cases: Sequence[Case], table: pd.DataFrame, network: Network, folder: Path,
          told: Callable[[int, int], None] | None = None) -> None:
    from twin.measure.comparison import unit
    from twin.measure.fidelity_chart import place_picture

    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    places = sorted({case.place for case in cases})
    for done, place in enumerate(places, 1):
        name = "".join(letter if letter.isalnum() or letter in "._-" else "_"
                       for letter in place) or "chain"
        place_picture(cases, place, table, lambda kpi: unit(kpi, network)).savefig(
            figures / f"{name[:100]}.png", dpi=120)
        if told is not None:
            told(done, len(places))


def _show(places: pd.DataFrame, table: pd.DataFrame, horizons: Sequence[float],
          origins: Sequence[float], folder: Path, screen: Screen) -> None:
    if screen.as_json:
        screen.print_json({"folder": folder.as_posix(), "origins_d": [o / 24.0 for o in origins],
                           "places": places.astype(object).to_dict("records"),
                           "kpis": table.astype(object).to_dict("records")})
        return
    screen.say(f"{len(origins)} origins, day {origins[0] / 24.0:g} to {origins[-1] / 24.0:g}; "
               "horizons " + ", ".join(format_duration(horizon) for horizon in horizons))
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    shown.add_column("Place", no_wrap=True)
    for name in ("ahead", "KPIs", "50 % held", "80 % held", "95 % held", "skill", ""):
        shown.add_column(name, justify="right" if name else "left")
    for row in places.head(_MOST_ROWS).to_dict("records"):
        shown.add_row(Text(row["place"] or "whole chain"), f"{row['horizon_d']:g} d",
                      str(row["kpis"]), *(_held(row, level) for level in (50, 80, 95)),
                      _skill(row["skill"]),
                      Text("drifts", style="red") if row.get("drift") else "")
    screen.out.print(shown)
    if len(places) > _MOST_ROWS:
        screen.say(f"... and {len(places) - _MOST_ROWS} more in fidelity_places.csv.")
    for said in dict.fromkeys(filter(None, table["drift"])):
        screen.say(said)
    screen.say(f"In {folder.as_posix()}: fidelity.csv, fidelity_places.csv, figures.")
    screen.note("A band that is right holds its share; red: its binomial 95 % interval leaves that "
                "out. Skill is over the best naive forecast of each KPI: 1 is perfect, 0 no "
                "better, below 0 worse.")


def _held(row: dict[Any, Any], level: int) -> Text:
    share, low, high = (row[f"cover_{level}{end}"] for end in ("", "_low", "_high"))
    right = low <= level / 100.0 <= high
    return Text(f"{100 * share:.0f} ({100 * low:.0f}-{100 * high:.0f})",
                style="" if right else "red")


def _skill(value: float) -> str:
    """A skill as a number; far below zero, as a bound."""
    if value != value:
        return "-"
    return f"{value:+.2f}" if value > -9.995 else "below -10"
