"""Facts about plants: lots that are being made, what machines do, and how worn they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from twin.kinds import KINDS
from twin.knowledge import Fact

if TYPE_CHECKING:
    from twin.sense.knowledge import Telling

_DOING = {"new": "released", "held": "waits to go on", "queue": "waits", "machine": "in work",
          "setup": "set-up", "delay": "in work"}
_CONDITION = ("vibration", "temperature", "pressure", "current", "power", "runtime", "health",
              "humidity", "shock")


def work(telling: Telling) -> Iterator[Fact]:
    """Work in process, then machines."""
    scene = telling.scene
    for number, job in sorted(scene.work.jobs.items()):
        subject = f"{job['site']}/{job['product']} lot {number}"
        step = scene.work.step(job)
        values: list[tuple[str, Any, str]] = [
            ("order", f"order {job['order']}", ""), ("units", float(job["units"]), "units"),
            ("step", "" if step is None else str(step.step), ""),
            ("doing", _DOING[job["phase"]], ""),
            ("since", scene.at - job["since"], "h"),
            ("released", scene.at - job["released"], "h")]
        if job["machine"]:
            values.append(("machine", job["machine"], ""))
        for attribute, value, unit in values:
            yield telling.fact("work", subject, attribute, value, unit, job)
    yield from _machines(telling)


def _machines(telling: Telling) -> Iterator[Fact]:
    scene = telling.scene
    heard: dict[str, list[tuple[dict[str, str], dict[str, Any]]]] = {}
    for about, _, reading in telling.series():
        heard.setdefault(about["asset"], []).append((about, reading))
    for name in scene.work.tables:
        known = scene.work.machines.get(name)
        doing = "idle" if known is None else known["phase"]
        if known is not None and known["stopped"]:
            doing = "down"
        yield telling.fact("machine", name, "doing", doing, "", known)
        if known is not None:
            yield telling.fact("machine", name, "since", scene.at - known["since"], "h", known)
            if known["family"]:
                yield telling.fact("machine", name, "set up for", known["family"], "", known)
            for number in known["jobs"]:
                job = scene.work.jobs[number]
                yield telling.fact("machine", name, "lot",
                                   f"{job['site']}/{job['product']} lot {number}", "", known)
        yield from _wear(telling, name, known)
        for about, reading in heard.get(name, ()):
            if about["kind"] in _CONDITION:
                yield telling.signal("machine", name, about["name"] or about["kind"],
                                     KINDS[about["kind"]].unit, reading)


def _wear(telling: Telling, name: str, known: dict[str, Any] | None) -> Iterator[Fact]:
    """Hours since each cause of failure was last mended, by the clock that counts for it."""
    scene = telling.scene
    for row in scene.network.failures.values():
        if row.asset not in (name, name.split("#")[0]):
            continue
        cause = scene.work.causes.get(f"{name}/{row.cause}")
        if cause is not None and cause["down"] is not None:
            yield telling.fact("machine", name, f"down by {row.cause}", scene.at - cause["down"],
                               "h", cause)
            continue
        if row.clock == "operating":
            age = scene.work.worked(name, scene.at) - (cause["worked"] if cause else 0.0)
        else:
            age = scene.at - (cause["renewed"] if cause else 0.0)
        yield telling.fact("machine", name, f"age by {row.cause}", age, "h", cause or known)
