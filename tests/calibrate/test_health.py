"""Machine health: remaining life from signals, calibrated by asset, played by the simulation."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from twin.calibrate.health import Health, Outlook
from twin.calibrate.health_learners import learner
from twin.calibrate.health_signals import WINDOW, Life, Scale
from twin.network import Network
from twin.parameters import Calibration
from twin.quantity import parse_quantity
from twin.scenario import Scenario
from twin.simulate import play
from twin.simulate.draws import left


def asset(name: str, rng: np.random.Generator) -> Life:
    """A life of 100 to 300 h; wear grows as the square of its share, in vibration and heat.

    A third signal is noise, a fourth never moves.
    """
    life = rng.uniform(100, 300)
    age = np.arange(1.0, life, 2.0)
    wear = (age / life) ** 2
    signals = np.column_stack([
        2.0 + 3.0 * wear + rng.normal(0, 0.15, len(age)),
        60.0 + 15.0 * wear + rng.normal(0, 1.0, len(age)),
        rng.normal(0, 1, len(age)), np.full(len(age), 7.0)])
    return Life(name, age, signals)


def stopped(life: Life, share: float) -> tuple[Life, float]:
    """The record up to a share of the life, and what remains."""
    n = max(3, int(share * len(life.age_h)))
    return (Life(life.asset, life.age_h[:n], life.signals[:n], failed=False),
            float(life.age_h[-1] - life.age_h[n - 1]))


@pytest.fixture(scope="module")
def fleet() -> list[Life]:
    rng = np.random.default_rng(1)
    return [asset(f"M{i}", rng) for i in range(60)]


@pytest.fixture(scope="module")
def health(fleet: list[Life]) -> Health:
    return Health.learn(fleet, how="ridge")


def test_features_look_back_only() -> None:
    """A reading's features do not change when later readings come."""
    rng = np.random.default_rng(2)
    life = asset("M", rng)
    scale = Scale.of([life])
    whole = scale.features(life.age_h, life.signals)
    for n in (2, 7, WINDOW, len(life.age_h) - 1):
        assert scale.features(life.age_h[:n], life.signals[:n])[-1] == pytest.approx(whole[n - 1])
    assert whole.shape[1] == 4 * 3 + 1  # the signal that never moves is left out


def test_slopes_are_those_of_a_straight_line() -> None:
    age = np.arange(0.0, 100.0, 2.5)
    life = Life("M", age, np.column_stack([3.0 + 0.5 * age]))
    scale = Scale(np.zeros(1), np.ones(1), np.array([True]))
    assert scale.features(life.age_h, life.signals)[10:, 2] == pytest.approx(0.5)


def test_intervals_hold_as_often_as_they_say(health: Health) -> None:
    rng = np.random.default_rng(3)
    held, errors, blind = [], [], []
    for i in range(300):
        life, truth = stopped(asset(f"T{i}", rng), rng.uniform(0.3, 0.95))
        outlook = health.outlook(life)
        held.append(outlook.quantile(0.05) <= truth <= outlook.quantile(0.95))
        errors.append(outlook.expected_h - min(truth, health.cap_h))
        blind.append(max(200 - outlook.age_h, 0) - min(truth, health.cap_h))
    assert 0.84 <= np.mean(held) <= 0.96
    assert np.sqrt(np.mean(np.square(errors))) < 0.6 * np.sqrt(np.mean(np.square(blind)))


def test_health_falls_as_an_asset_wears(health: Health) -> None:
    life = asset("M", np.random.default_rng(4))
    index = [health.outlook(stopped(life, share)[0]).index for share in (0.3, 0.7, 0.95)]
    assert index[0] > index[1] > index[2]
    near = health.outlook(stopped(life, 0.97)[0])
    far = health.outlook(stopped(life, 0.4)[0])
    assert near.chance(24.0) > 0.5 > far.chance(24.0)


@pytest.mark.long
@pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="needs extra analytics")
def test_trees_learn_too(fleet: list[Life]) -> None:
    trees = Health.learn(fleet[:20], how="trees")
    assert trees.error_h < 0.5 * trees.cap_h


def test_too_few_failures_and_unfit_records_are_refused(fleet: list[Life]) -> None:
    with pytest.raises(ValueError, match="3 assets have failed, at least 8"):
        Health.learn(fleet[:3])
    with pytest.raises(ValueError, match="ages do not rise"):
        Life("M", np.array([1.0, 1.0]), np.ones((2, 1)))
    with pytest.raises(ValueError, match="learner 'oracle' is unknown"):
        learner("oracle")


def test_without_scikit_learn_the_ridge_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    from twin.calibrate import health_learners

    monkeypatch.setattr(health_learners, "find_spec", lambda name: None)
    assert learner() is health_learners.Ridge
    with pytest.raises(ValueError, match=r"pip install 'twin\[analytics\]'"):
        learner("trees")


def test_the_law_of_a_life_gives_back_what_remains() -> None:
    """Given the present age, what is left of `time_to_failure` is the outlook's distribution."""
    outlook = Outlook("M3", 100.0, 0.5, 30.0, tuple(np.linspace(10, 50, 41)))
    law = parse_quantity(outlook.parameter("M3,wear").value, True)
    rests = [left(law, 100.0, luck) for luck in np.linspace(0.01, 0.99, 99)]
    assert np.quantile(rests, [0.1, 0.5, 0.9]) == pytest.approx([14, 30, 46], abs=1.5)


def test_the_simulation_plays_the_outlook_from_the_state() -> None:
    """A worn machine with 10 to 14 h left fails within a day in every replication, a new law later.
    """
    shop = Network(
        name="shop", sites=[{"site": "P", "kind": "plant"}], products=[{"product": "part"}],
        groups=[{"site": "P", "group": "G"}],
        machines=[{"machine": "M3", "site": "P", "group": "G"}],
        routings=[{"site": "P", "product": "part", "step": 1, "group": "G",
                   "process_time": "1h"}],
        demand=[{"site": "P", "product": "part", "interarrival": "2h"}],
        failures=[{"asset": "M3", "cause": "wear", "clock": "elapsed",
                   "time_to_failure": "weibull(shape=2, scale=1000h)", "time_to_repair": "1h"}])
    state = play(shop, Scenario.baseline(), horizon_h=100.0, save_at=100.0).state
    assert state is not None
    assert state.actors["failure M3/wear"]["age"] == 100.0
    outlook = Outlook("M3", 100.0, 0.1, 12.0, tuple(np.linspace(10, 14, 41)))
    learned = Calibration("worn", rows=(outlook.parameter("M3,wear"),)).apply(shop)
    for replication in range(10):
        worn = play(learned, Scenario.baseline(), horizon_h=24.0, state=state,
                    replication=replication).tally
        assert worn.total("failures") == 1.0
    plain = [play(shop, Scenario.baseline(), horizon_h=24.0, state=state,
                  replication=i).tally.total("failures") for i in range(10)]
    assert sum(plain) <= 3
