"""Every statistic of the room keeps the two verbs: found by introspection, none is named here."""

from __future__ import annotations

import importlib
import inspect
import math
import pickle
import pkgutil
from typing import Any

import numpy as np
import pytest

import twin.sense
from twin.readings import Reading
from twin.sense.statistic import Statistic

Heard = Any


def every_statistic() -> list[type[Statistic[Any, Any]]]:
    """Each concrete subclass of `Statistic` in a module of the room."""
    found = {}
    for module in pkgutil.iter_modules(twin.sense.__path__):
        loaded = importlib.import_module(f"twin.sense.{module.name}")
        for _, kind in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(kind, Statistic) and not inspect.isabstract(kind):
                if kind.__module__ == loaded.__name__:
                    found[f"{module.name}.{kind.__name__}"] = kind
    return [found[name] for name in sorted(found)]


STATISTICS = every_statistic()


def stream(kind: type[Statistic[Any, Any]], n: int, seed: int = 1) -> list[Heard]:
    """Something that it could hear: noisy, with a spike, a frozen spell and a jump."""
    rng = np.random.default_rng(seed)
    values = 5.0 + rng.normal(size=n) + np.where(np.arange(n) > n // 2, 4.0, 0.0)
    values[40:41] += 60.0
    values[60:90] = values[60:61]
    if kind.hears == ("number",):
        return [float(value) for value in values]
    if kind.hears == ("numbers",):
        rest = rng.normal(size=(n, 3))
        return [tuple(map(float, (value, *row))) for value, row in zip(values, rest, strict=True)]
    if kind.hears == ("timed",):
        return [(300.0 * place, float(value)) for place, value in enumerate(values)]
    return [_reading(kind.hears[place % len(kind.hears)], place, float(value), rng)
            for place, value in enumerate(values)]


def _reading(kind: str, place: int, value: float, rng: np.random.Generator) -> Reading:
    said: dict[str, Any] = {"sensor": "s", "id": str(place), "time": 300.0 * place,
                            "recorded": 300.0 * place + 2.0, "kind": kind, "site": "W",
                            "asset": "T1", "value": abs(value)}
    if kind == "odometer":
        said["value"] = float(place)
    if kind == "position":
        # to and fro between two places 111 km apart, with four hours at each
        way = min(1.0, max(0.0, (abs(place % 140 - 70) - 25) / 20))
        said |= {"latitude": 53.0 - way, "longitude": 5.0 + rng.normal() * 1e-4}
        said["value"] = math.nan
    elif kind == "driving":
        said["state"] = "braking"
    elif kind == "door":
        said["value"] = float(place % 2)
    elif kind in ("departing", "arriving", "ordering", "delivering"):
        name = f"{place % 20}" if kind == "departing" else f"{place % 10}"
        said |= {"to_site": "V", "lot": f"L{place % 3}", "shipment": name, "order": name,
                 "product": "tea", "quantity": 9.0 if kind == "ordering" else 1.0}
    elif kind in ("receiving", "shipping", "storing", "sighting"):
        said |= {"lot": f"L{place % 3}", "product": "tea", "quantity": 4.0, "shipment": "S1"}
    elif kind == "count":
        said |= {"product": "tea", "quantity": abs(value)}
    return Reading(**said)


def told(kind: type[Statistic[Any, Any]], heard: list[Heard]) -> Statistic[Any, Any]:
    statistic = kind.sample()
    for one in heard:
        statistic.update(one)
    return statistic


def test_there_are_statistics() -> None:
    assert len(STATISTICS) >= 5


@pytest.mark.parametrize("kind", STATISTICS, ids=lambda kind: kind.__name__)
class TestContract:
    """What a listener counts on."""

    def test_answers_before_it_has_heard_anything(self, kind: type[Statistic[Any, Any]]) -> None:
        kind.sample().get()

    def test_update_says_nothing(self, kind: type[Statistic[Any, Any]]) -> None:
        assert kind.sample().update(stream(kind, 1)[0]) is None

    def test_get_changes_nothing(self, kind: type[Statistic[Any, Any]]) -> None:
        heard = stream(kind, 120)
        asked, unasked = kind.sample(), kind.sample()
        for one in heard:
            asked.update(one)
            asked.get()
            asked.get()
            unasked.update(one)
        assert repr(asked.get()) == repr(unasked.get())

    def test_same_stream_same_answer(self, kind: type[Statistic[Any, Any]]) -> None:
        heard = stream(kind, 200)
        assert repr(told(kind, heard).get()) == repr(told(kind, heard).get())

    def test_its_answer_depends_on_the_stream(self, kind: type[Statistic[Any, Any]]) -> None:
        assert repr(told(kind, stream(kind, 600)).get()) != repr(kind.sample().get())

    def test_pickled_in_the_middle_it_goes_on(self, kind: type[Statistic[Any, Any]]) -> None:
        heard = stream(kind, 400)
        half = pickle.loads(pickle.dumps(told(kind, heard[:200])))
        for one in heard[200:]:
            half.update(one)
        assert repr(half.get()) == repr(told(kind, heard).get())

    def test_its_memory_is_bounded(self, kind: type[Statistic[Any, Any]]) -> None:
        # a day-long tally may grow with days, never with readings
        short, long = (len(pickle.dumps(told(kind, stream(kind, n)))) for n in (2_000, 8_000))
        assert long < 1.6 * short + 2_000

    def test_it_has_a_docstring_with_an_example(self, kind: type[Statistic[Any, Any]]) -> None:
        assert ">>>" in (kind.__doc__ or "")
