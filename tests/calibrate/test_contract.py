"""What every estimator promises, asked of all of them; a new one is found by itself."""

from __future__ import annotations

import importlib
import json
import math
import pkgutil
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twin.calibrate
from twin.calibrate.estimator import Cell, Estimator
from twin.calibrate.sample import Batch
from twin.network.attributes import TABLES
from twin.parameters import Parameter
from twin.quantity import parse_quantity

for module in pkgutil.iter_modules(twin.calibrate.__path__):
    importlib.import_module(f"twin.calibrate.{module.name}")


def _siblings(cls):
    for child in cls.__subclasses__():
        if child.__module__.startswith("twin.calibrate"):
            yield child
            yield from _siblings(child)


#: An estimator, a cell for it, and how its observations look.
WORLDS = {
    "Distribution": (Cell("lanes", "A,B,sea", "transit", "lognormal(mean=20h, sd=5h)"),
                     lambda g, n: (g.lognormal(3.0, 0.3, n), 1.0)),
    "Total": (Cell("routings", "P,tea,10", "process_time", "gamma(mean=3min, sd=1min)"),
              lambda g, n: (g.gamma(9.0 * 40, 0.05 / 9, n), 40.0)),
    "Share": (Cell("branches", "P,tea,10,scrap", "share", "0.1"),
              lambda g, n: (g.binomial(20, 0.1, n).astype(float), 20.0)),
    "Ratio": (Cell("trucks", "van", "speed_kmh", "60"),
              lambda g, n: (g.normal(50.0, 4.0, n), 1.0)),
    "Burn": (Cell("trucks", "van", "fuel_l_per_100km", "by_load(20, 20)"),
             lambda g, n: (g.normal(22.0, 1.0, n), 1.0)),
    "Error": (Cell("sites", "W", "record_error", "normal(mean=0, sd=0.02)"),
              lambda g, n: (g.normal(0.0, 3.0, n), 100.0)),
}
ESTIMATORS = sorted(set(_siblings(Estimator)), key=lambda each: each.__name__)
every = pytest.mark.parametrize("kind", ESTIMATORS, ids=lambda kind: kind.__name__)


def world(kind):
    assert kind.__name__ in WORLDS, f"{kind.__name__} is new: say in WORLDS how its data look"
    return WORLDS[kind.__name__]


def batch_of(kind, n, seed=1):
    _, look = world(kind)
    value, size = look(np.random.default_rng(seed), n)
    return Batch.of(np.arange(n) + 1000 * seed, value, at=np.arange(n) * 2.0, size=size)


def of_rows(batch, rows):
    return Batch(*(getattr(batch, each.name)[rows] for each in fields(Batch)))


@every
def test_nothing_seen_gives_the_plan(kind):
    cell, _ = world(kind)
    row = kind(cell).get(10.0)
    assert (row.table, row.key, row.column, row.n) == (cell.table, cell.key, cell.column, "0")
    time = TABLES[cell.table].by_column[cell.column].base == "rq_time"
    if cell.quantity is None:  # words, such as a law of fuel
        assert row.value == cell.planned
    else:
        assert parse_quantity(row.value, time) == parse_quantity(cell.planned, time)
    assert "as planned" in row.source


@every
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_neither_order_nor_cuts_matter(kind, data):
    cell, _ = world(kind)
    whole = batch_of(kind, 30)
    order = np.array(data.draw(st.permutations(range(30))))
    cuts = sorted(data.draw(st.sets(st.integers(1, 29), max_size=4)))
    once, pieces = kind(cell), kind(cell)
    once.update(whole)
    for rows in np.split(order, cuts):
        pieces.update(of_rows(whole, rows))
    assert pieces.get(100.0) == once.get(100.0)


@every
def test_what_comes_twice_counts_once(kind):
    cell, _ = world(kind)
    once, twice = kind(cell), kind(cell)
    batch = batch_of(kind, 25)
    once.update(batch)
    twice.update(batch)
    twice.update(of_rows(batch, np.arange(10)))
    assert twice.get(100.0) == once.get(100.0)


@every
def test_more_data_narrows(kind):
    cell, _ = world(kind)
    widths = []
    for n in (8, 40, 400):
        estimators = [kind(cell) for _ in range(20)]
        for seed, each in enumerate(estimators, 1):
            each.update(batch_of(kind, n, seed))
        found = kind.learn(estimators, 1e6)
        widths.append(np.mean([each.high / each.low for each in found]))
    assert widths[0] > widths[1] > widths[2] > 1.0


@every
def test_the_truth_lies_inside(kind):
    """95 % intervals of 200 streams of 60 observations cover the truth in 90 to 99 %."""
    cell, look = world(kind)
    value, size = look(np.random.default_rng(99), 2_000_000)
    truth = float(np.std(value) if kind.__name__ == "Error" else np.mean(value)) / size
    estimators = [kind(cell) for _ in range(200)]
    for seed, each in enumerate(estimators, 1):
        each.update(batch_of(kind, 60, seed))
    found = kind.learn(estimators, 1e6)
    assert 0.90 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.99


@every
def test_the_state_goes_to_json_and_back_and_goes_on(kind):
    cell, _ = world(kind)
    estimator = kind(cell, since=4.0, half_life=50.0)
    estimator.update(batch_of(kind, 20))
    again = kind.from_json(json.loads(json.dumps(estimator.to_json())))
    assert again.get(60.0) == estimator.get(60.0)
    for each in (estimator, again):
        each.update(batch_of(kind, 20, seed=2))
    assert again.get(60.0) == estimator.get(60.0)


@every
def test_since_leaves_out_what_began_before(kind):
    cell, _ = world(kind)
    batch = batch_of(kind, 40)
    late, cut = kind(cell), kind(cell, since=40.0)
    late.update(of_rows(batch, np.flatnonzero(batch.at >= 40.0)))
    cut.update(batch)
    assert cut.get(100.0) == late.get(100.0)


@every
def test_forgetting_follows_what_is_new(kind):
    """Values that doubled: half of the weight lies on the newest three tenths."""
    cell, _ = world(kind)
    old, new = batch_of(kind, 100), batch_of(kind, 100, seed=2)
    new = Batch.of(new.id, new.value * (1.0 if kind.__name__ == "Share" else 2.0),
                   at=new.at + 200.0, size=new.size / (2.0 if kind.__name__ == "Share" else 1.0))
    means = []
    for half_life in (None, 60.0):
        estimator = kind(cell, half_life=half_life)
        estimator.update(Batch.joined([old, new]))
        means.append(math.exp(kind.learn([estimator], 400.0)[0].log_mean))
    assert means[1] > 1.15 * means[0]


@every
def test_a_full_sample_stays_bounded_and_fair(kind, monkeypatch):
    cell, _ = world(kind)
    monkeypatch.setattr(kind, "capacity", 200)
    once, pieces = kind(cell), kind(cell)
    whole = batch_of(kind, 1_000)
    once.update(whole)
    for rows in np.split(np.random.default_rng(3).permutation(1_000), 20):
        pieces.update(of_rows(whole, rows))
    assert len(once.sample.rows) == 200
    assert pieces.get(1e6) == once.get(1e6)


@every
def test_planted_outliers_do_little(kind):
    """Five values of 100 that are 20 times too long move the mean by less than a tenth."""
    if kind.__name__ == "Share":
        pytest.skip("a share has no outliers: hits beyond the trials are refused")
    cell, _ = world(kind)
    clean = batch_of(kind, 100)
    value = clean.value.copy()
    value[::20] = 20.0 * (3.0 if kind.__name__ == "Error" else value[::20])
    dirty = Batch.of(clean.id, value, at=clean.at, size=clean.size)
    found = []
    for batch in (clean, dirty):
        estimator = kind(cell)
        estimator.update(batch)
        found.append(kind.learn([estimator], 1e6)[0])
    assert math.exp(found[1].log_mean - found[0].log_mean) == pytest.approx(1.0, abs=0.1)
    assert any("5 of 100 left out" in note for note in found[1].notes)


@every
def test_rubbish_is_left_out(kind):
    cell, _ = world(kind)
    estimator, clean = kind(cell), kind(cell)
    batch = batch_of(kind, 30)
    clean.update(batch)
    estimator.update(batch)
    estimator.update(Batch.of([-1, -2, -3], [np.nan, -5.0, np.inf], at=1.0, size=[1.0, 1.0, 1.0]))
    assert estimator.get(1e6).value == clean.get(1e6).value


@every
def test_what_is_learned_fits_its_cell(kind):
    cell, _ = world(kind)
    estimator = kind(cell)
    estimator.update(batch_of(kind, 50))
    row = estimator.get(200.0)
    assert isinstance(row, Parameter)
    assert row.value
    assert row.spread
    assert float(row.n) > 0
    assert row.low != row.high
