"""Playing a recommendation again: from what it stood on then, to the last digit."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from twin.commands.trials import COST, Stage, player
from twin.manifest import network_digest
from twin.network import Network
from twin.operate.gate import Trial
from twin.operate.inbox import DecisionError
from twin.parameters import Calibration
from twin.plan import Plan
from twin.recommendation import Recommendation
from twin.state import State


def keep(folder: Path, stage: Stage) -> str:
    """Write down what a round stood on, once; its fingerprint.

    Parameters
    ----------
    folder
        Of the model's store.
    """
    text = json.dumps({
        "state": stage.state.document(), "in_force": dict(stage.in_force),
        "base": None if stage.base is None else stage.base.document(),
        "calibration": stage.learned.name, "horizon_h": stage.horizon_h, "seed": stage.seed},
        sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = _path(folder, digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        draft.write_bytes(gzip.compress(text.encode(), mtime=0))
        draft.replace(path)
    return digest


def _path(folder: Path, digest: str) -> Path:
    return folder / "rounds" / f"{digest[:20]}.json.gz"


def again(advice: Recommendation, folder: Path, model: Network,
          calibration: Callable[[str], Calibration], workers: int | None) -> tuple[float, float]:
    """The mean difference in money, as it was said and as it is played again.

    Raises
    ------
    DecisionError
        If what it stood on is gone, or has changed.
    """
    digest = advice.digests.get("stage", "")
    path = _path(folder, digest)
    if not digest or not path.exists():
        raise DecisionError(f"what the advice stood on is not in {path.parent.name}/ of the store "
                            "any more: it cannot be played again.")
    text = gzip.decompress(path.read_bytes()).decode()
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise DecisionError(f"{path.name} was changed: it is not what the advice stood on.")
    said = json.loads(text)
    learned = calibration(said["calibration"])
    for what, now, then in (("model", network_digest(model), advice.digests["model"]),
                            ("calibration", learned.digest(), advice.digests["calibration"])):
        if now != then:
            raise DecisionError(f"the {what} has changed since ({then[:8]}, now {now[:8]}): the "
                                "advice cannot be played again.")
    stage = Stage(model, learned, State.from_document(said["state"]), said["horizon_h"],
                  said["seed"], said["in_force"],
                  None if said["base"] is None else Plan.from_document(said["base"]))
    plan, pairs = Plan.from_document(advice.plan), range(advice.replications)
    play = player(stage, workers)
    new = [one[COST] for one in play([Trial(plan, run) for run in pairs])]
    old = [one[COST] for one in play([Trial(None, run) for run in pairs])]
    mean = sum(a - b for a, b in zip(new, old, strict=True)) / len(new)
    return advice.effects[0].mean, mean
