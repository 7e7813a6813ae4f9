"""Machines of a maintenance history: lives of their components, foretold.

A life begins when a component is replaced and ends with its failure; a replacement without a
failure, or the end of the record, cuts it short. Failures are recorded from the first of January
2015 only: older lives are known to have reached their age then.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.evidence.line import Line
from twin.calibrate.distribution import Distribution
from twin.calibrate.estimator import Cell
from twin.calibrate.laws import FAMILIES
from twin.calibrate.likelihood import Observed, likelihoods, maximise
from twin.calibrate.sample import Batch

_RECORDED = pd.Timestamp("2015-01-01")
_EARLIER = 0.6  # of the recorded time


def lines() -> list[Line]:
    """Held-out log-likelihood of later failures, a Weibull law against an exponential one."""
    lives, end = _lives()
    split = _EARLIER * end
    early = _seen(lives, -np.inf, split)
    late = _seen(lives, split, end)
    ours = weibull = plain = 0.0
    failures, shapes, laws = 0, [], []
    for component, rows in early.groupby("component"):
        held = late[late["component"] == component]
        life = Distribution(Cell("failures", f"{component},wear", "time_to_failure",
                                 "weibull(shape=1.5, scale=60d)"))
        life.update(Batch.of(rows["id"], rows["value"], at=rows["born"], state=rows["failed"],
                             entry=rows["entry"]))
        law = Distribution.learn([life], split)[0].quantity
        laws.append(f"{component} {law.kind}")
        ours += _loglik(FAMILIES[law.kind].free(law), law.kind, held)
        theta = maximise(FAMILIES["weibull"], _observed(rows), np.log([[1.5, 1500.0]])).theta[0]
        shapes.append(f"{component} {np.exp(theta[0]):.2f}")
        weibull += _loglik(theta, "weibull", held)
        rate = rows["failed"].sum() / (rows["value"] - rows["entry"]).sum()
        plain += _loglik(np.log([1.0 / rate]), "exponential", held)
        failures += int(held["failed"].sum())
    what, beside = f"of {failures} later failures, a failure", plain / failures
    return [
        Line("Azure PdM", f"log-likelihood, Weibull lives, {what}", weibull / failures, ">", beside,
             "exponential lives", beside,
             f"left-truncated and censored lives; shapes: {', '.join(shapes)}"),
        Line("Azure PdM", f"log-likelihood, law chosen, {what}", ours / failures, ">", beside,
             "exponential lives", beside,
             f"chosen by AICc with a leaning to Weibull: {', '.join(laws)}"),
    ]


def _loglik(theta: np.ndarray, kind: str, rows: pd.DataFrame) -> float:
    return float(likelihoods(FAMILIES[kind], theta[None, :], _observed(rows))[0])


def _observed(rows: pd.DataFrame) -> Observed:
    n = len(rows)
    return Observed(np.zeros(n, int), rows["value"].to_numpy(), rows["failed"].to_numpy(),
                    rows["entry"].to_numpy(), np.full(n, np.inf), np.ones(n))


def _lives() -> tuple[pd.DataFrame, float]:
    """Every life with a known beginning: machine, component, born, died (hours), failed."""
    folder = Path(os.environ["TWIN_DATA"]) / "azure_pdm"
    failures = pd.read_csv(folder / "PdM_failures.csv", parse_dates=["datetime"])
    changes = pd.read_csv(folder / "PdM_maint.csv", parse_dates=["datetime"])
    failures = failures.rename(columns={"failure": "comp"})
    end = max(failures["datetime"].max(), changes["datetime"].max())
    found = []
    for key, mine in changes.groupby(["machineID", "comp"]):
        died = set(failures[(failures["machineID"] == key[0]) & (failures["comp"] == key[1])
                            ]["datetime"])
        times = sorted({*mine["datetime"], *died})
        for born, over in zip(times, [*times[1:], end], strict=True):
            if over > max(born, _RECORDED):
                found.append((key[0], key[1], _hours(born), _hours(over), int(over in died)))
    columns = ["machine", "component", "born", "died", "failed"]
    return pd.DataFrame(found, columns=columns), _hours(end)


def _hours(moment: pd.Timestamp) -> float:
    return (moment - _RECORDED).total_seconds() / 3600.0


def _seen(lives: pd.DataFrame, since: float, until: float) -> pd.DataFrame:
    """What a window shows of each life: its age when the window opens, and how it went on."""
    opened = max(since, 0.0)
    rows = lives[(lives["born"] < until) & (lives["died"] > opened)].reset_index(drop=True)
    over = rows["died"].clip(upper=until)
    failed = rows["failed"].where(rows["died"] <= until, 0)
    return rows.assign(id=np.arange(len(rows)), value=over - rows["born"], failed=failed,
                       entry=(opened - rows["born"]).clip(lower=0.0))
