"""A run: the baseline and what-ifs on the same luck, played, compared, and made into a result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.clock import format_duration
from twin.guesses import Drawer, Guesses
from twin.ledger import Ledger
from twin.manifest import Manifest, network_digest, now, scenario_contents, versions
from twin.network import ModelError, Network
from twin.parameters import Calibration
from twin.result import Result, digest_of
from twin.scenario import Scenario, ScenarioError
from twin.settings import KEYS, SettingError
from twin.tally import Tally
from twin.targets import fit
from twin.workspace import Workspace

#: Told after each replication: label of the setting, how many are done, how many there will be.
Progress = Callable[[str, int, int], None]

_SAMPLE_EVERY_H = 24.0
_LUCKS = 2  #: replications of each draw of the parameters: the fewest that tell luck from ignorance
_PILOTS = 5
_MOST_REPLICATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Task:
    """One replication of one setting."""

    label: str
    network: Network
    scenario: Scenario
    horizon_h: float
    warmup_h: float
    seed: int
    replication: int
    with_ledger: bool = False
    state: Any = None


@dataclass(frozen=True, slots=True)
class Played:
    """What a task left."""

    label: str
    tally: Tally
    ledger: Ledger | None = None


def perform(task: Task) -> Played:
    """Play one task; runs in a worker."""
    from twin.simulate import play

    ledger = Ledger() if task.with_ledger else None
    done = play(task.network, task.scenario, horizon_h=task.horizon_h, warmup_h=task.warmup_h,
                seed=task.seed, replication=task.replication, ledger=ledger,
                sample_every_h=_SAMPLE_EVERY_H, state=task.state)
    return Played(task.label, done.tally, ledger)


def run(
    network: Network | str,
    scenarios: Sequence[Scenario | str] | Mapping[str, Scenario | str] = (),
    *,
    horizon: str | float = "365d",
    warmup: str | float | None = None,
    replications: int = 30,
    seed: int = 1,
    workers: int | None = None,
    engine: str = "joblib",
    address: str | None = None,
    precision: float | None = None,
    confidence: float = 0.95,
    progress: Progress | None = None,
    calibration: Calibration | str | None = None,
    uncertainty: Drawer | bool = False,
    state: Any = None,
    ledger: bool = False,
    workspace: Workspace | None = None,
) -> Result:
    """Play the baseline and each scenario on common random numbers, and compare them.

    Parameters
    ----------
    network
        A network, or the name of a model in the workspace.
    scenarios
        Scenarios or their names (``a+b`` for two at once), or a mapping of labels to them.
    horizon, warmup
        Durations (text, or hours). The warm-up is played before day 0, on which the horizon and
        the clock of every scenario start, and is not counted: the model's own if None (none from
        a state), found by MSER-5 on pilot runs if ``"auto"``.
    replications, seed
        Replication i of every scenario has the same luck.
    precision
        Add replications until each headline half-width is this share of its mean (luck alone).
    uncertainty
        Carry what the calibration does not know: every two replications are played with a draw of
        its parameters, the same for all scenarios, by `draw(calibration, rng)` (True: within the
        evidence that the calibration gives). Intervals then cover luck and ignorance.
    state
        A state document (or its file) to start from, instead of the opening stock.
    ledger
        Keep the events of the first replication of each scenario.

    Returns
    -------
    Result
        KPIs with intervals, paired differences and verdicts; tallies; ledgers; manifest.

    Raises
    ------
    ValueError
        If anything asked for is wrong: `ModelError`, `ScenarioError`, `SettingError` and others.

    Examples
    --------
    >>> from twin.network import Network
    >>> shop = Network(
    ...     sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
    ...     products=[{"product": "tea"}],
    ...     supply=[{"site": "S", "product": "tea", "lead_time": "1d"}],
    ...     lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "2d"}],
    ...     stock=[{"site": "W", "product": "tea", "policy": "base_stock", "order_up_to": 9}],
    ...     demand=[{"site": "W", "product": "tea", "interarrival": "exponential(mean=8h)"}],
    ... )
    >>> spike = Scenario(name="spike", events={"more": {"type": "demand", "factor": 2}})
    >>> result = run(shop, [spike], horizon="60d", replications=4, workers=1)
    >>> row = result.headline.query("scenario == 'spike' and kpi == 'fill_rate'").iloc[0]
    >>> bool(row["difference"] < 0), row["verdict"]
    (True, 'worse')
    """
    began = time.perf_counter()
    workspace = workspace or Workspace()
    if isinstance(network, str):
        network = workspace.network(network)
    learned = workspace.calibration(calibration) if isinstance(calibration, str) else calibration
    plain = learned.apply(network) if learned else network
    labelled = _labelled(scenarios, workspace)
    horizon_h = _hours("horizon", horizon)
    for key, value in (("seed", seed), ("confidence", confidence), ("precision", precision),
                       ("simulate.engine", engine), ("simulate.workers", workers)):
        if value is not None:
            _checked(key, value)
    state, state_digest = _state(state)
    settings = {label: _fitted(plain, scenario) for label, scenario in labelled.items()}
    n = _checked("replications", replications)
    if state is not None:
        _taken_up(plain, state)
    guess = (Guesses(network, learned, _drawer(uncertainty), seed)
             if uncertainty is not False else None)
    if guess:
        n = max(2 * _LUCKS, n + n % _LUCKS)

    def task(label: str, replication: int, warmup_h: float, *, events: bool = False,
             nominal: bool = False) -> Task:
        fitted, scenario = settings[label]
        if guess and not nominal:
            drawn = guess.network(replication // _LUCKS)
            fitted, scenario = _fitted(drawn, labelled[label])
        return Task(label, fitted, scenario.later(warmup_h), warmup_h + horizon_h, warmup_h, seed,
                    replication, events, state)

    def play_all(tasks: Sequence[Task], report: Progress | None) -> list[Played]:
        from twin.simulate.replications import replicate

        counts = dict.fromkeys(labelled, 0)
        totals = {label: sum(t.label == label for t in tasks) for label in labelled}

        def on_done(index: int) -> None:
            label = tasks[index].label
            counts[label] += 1
            if report:
                report(label, counts[label], totals[label])

        return list(replicate(perform, tasks, workers=workers, engine=engine, address=address,
                              on_done=on_done))

    if warmup is None:
        warmup = network.warmup if state is None else 0.0
    warmup_h = _warmup_h(warmup, horizon_h, lambda: [
        played.tally for played in
        play_all([task(next(iter(labelled)), i, 0.0, nominal=True) for i in range(_PILOTS)],
                 None)])

    from twin.measure import compare, enough, more_needed
    from twin.measure.kpis import KPIS
    from twin.measure.worth import worth_table

    tallies: dict[str, list[Tally]] = {label: [] for label in labelled}
    ledgers: dict[str, Ledger] = {}
    first = 0
    while first < n:
        batch = [task(label, i, warmup_h, events=ledger and i == 0)
                 for i in range(first, n) for label in labelled]
        for played in play_all(batch, progress):
            tallies[played.label].append(played.tally)
            if played.ledger is not None:
                ledgers[played.label] = played.ledger
        for kept in tallies.values():
            kept.sort(key=lambda tally: tally.replication)
        first = n
        if precision and n < _MOST_REPLICATIONS and not enough(tallies, precision, confidence):
            n = min(n + min(more_needed(tallies, precision, confidence), 2 * n),
                    _MOST_REPLICATIONS)
            n += n % _LUCKS if guess else 0
    draws = [i // _LUCKS for i in range(n)] if guess else None
    kpis = compare(tallies, next(iter(labelled)), confidence, model=network.name, network=plain,
                   draws=draws)
    worth = worth_table(tallies, draws, guess.inputs()) if guess and draws else None
    manifest = Manifest(
        model=network.name, model_digest=network_digest(network),
        calibration=learned.name if learned else "nominal",
        calibration_digest=learned.digest() if learned and learned.rows else "",
        scenarios=scenario_contents(labelled),
        horizon=format_duration(horizon_h), warmup=format_duration(warmup_h),
        replications=n, seed=seed, confidence=confidence, precision=precision,
        state_digest=state_digest, draws=n // _LUCKS if guess else 0,
        ledgers={label: book.digest() for label, book in ledgers.items()},
        kpis_digest=digest_of(kpis), made=now(),
        seconds=round(time.perf_counter() - began, 2), versions=versions(),
    )
    headlines = tuple(name for name, kpi in KPIS.items() if kpi.headline)
    return Result(kpis, tallies, ledgers, manifest, headlines, state, worth)


def _drawer(uncertainty: Drawer | bool) -> Drawer:
    """What draws parameters: as given, or within the evidence that a calibration holds."""
    if callable(uncertainty):
        return uncertainty
    from twin.calibrate import draw

    return draw


def read_model(name: str, workspace: Path | str | None = None) -> Network:
    """Read and check a model of the workspace by its name.

    Examples
    --------
    >>> read_model("harbour").sites["juicery"].kind
    'plant'
    """
    return Workspace(workspace).network(name)


def read_scenario(name: str, workspace: Path | str | None = None) -> Scenario:
    """Read a scenario of the workspace by its name, or several at once as ``a+b``.

    Examples
    --------
    >>> read_scenario("demand_spike").events["demand_spike"].factor
    1.5
    """
    return Workspace(workspace).scenario(name)


def _labelled(scenarios: Sequence[Scenario | str] | Mapping[str, Scenario | str],
              workspace: Workspace) -> dict[str, Scenario]:
    """Scenarios by label, the baseline first."""
    if isinstance(scenarios, str):
        scenarios = [scenarios]
    pairs: list[tuple[str | None, Scenario | str]]
    pairs = (list(scenarios.items()) if isinstance(scenarios, Mapping)
             else [(None, scenario) for scenario in scenarios])
    found: dict[str, Scenario] = {"baseline": Scenario.baseline()}
    for label, item in pairs:
        scenario = workspace.scenario(item) if isinstance(item, str) else item
        name = label or scenario.name
        if name == "baseline" and not scenario.events and not scenario.settings:
            found[name] = scenario
        elif name in found:
            raise ScenarioError(f"scenario {name} is given twice. Give each a name of its own.")
        else:
            found[name] = scenario
    return found


def _fitted(network: Network, scenario: Scenario) -> tuple[Network, Scenario]:
    """The network with the cells that the scenario changes, and the scenario fitted to it."""
    if scenario.settings:
        try:
            network = network.with_cells(scenario.settings)
        except ModelError as error:
            raise ModelError(f"scenario {scenario.name}: {p}" for p in error.problems) from None
    return network, fit(scenario, network)


def _hours(key: str, value: str | float) -> float:
    return float(_checked(key, value if isinstance(value, str) else format_duration(value)))


def _checked(key: str, value: object) -> Any:
    """A setting given in code, read as on the command line."""
    try:
        return KEYS[key].read(str(value))
    except ValueError as error:
        raise SettingError(f"{key} {error}") from None


def _warmup_h(warmup: str | float, horizon_h: float, pilots: Callable[[], list[Tally]]) -> float:
    if warmup == "auto":
        from twin.measure import warmup as find

        return min(find(pilots()).hours, horizon_h / 2)
    return _hours("warmup", warmup)


def _taken_up(network: Network, state: Any) -> None:
    """Refuse a state that does not fit the network before anything is played."""
    from twin.simulate.play import play

    try:
        play(network, Scenario.baseline(), horizon_h=0.0, state=state)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SettingError(f"from: the state cannot be taken up: {error}") from None


def _state(state: Any) -> tuple[Any, str]:
    """The state document and its fingerprint."""
    if state is None:
        return None, ""
    from twin.state import State

    if isinstance(state, str | Path):
        try:
            state = State.read(state)
        except OSError as error:
            raise SettingError(f"from '{state}' cannot be read: {error.strerror}. Give a state "
                               "document.") from None
    return state, state.digest()
