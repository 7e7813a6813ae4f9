"""From settings to what is played: blocks of runs, and in each the settings to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twin.clock import excerpt
from twin.network import Network
from twin.scenario import Scenario, ScenarioError
from twin.settings import KEYS, check, is_cell, is_event, product
from twin.targets import unmet
from twin.workspace import Workspace

#: Keys whose values make a run of their own, with a baseline of its own.
BLOCK = ("models", "calibration", "horizon", "warmup", "replications", "seed", "precision", "from")

#: Keys that a manifest does not tell: they name a machine or a place on it, and change no figure.
_UNTOLD = ("simulate.workers", "simulate.engine", "simulate.address", "from")


@dataclass(frozen=True, slots=True)
class Block:
    """One run: its plain keys, the text of those that are swept, its scenarios by label."""

    values: dict[str, Any]
    text: str
    network: Network
    scenarios: dict[str, Scenario]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one command plays."""

    blocks: tuple[Block, ...]
    once: dict[str, Any]
    settings: dict[str, list[str]]


def plan(settings: Mapping[str, Sequence[str]], workspace: Workspace) -> Plan:
    """Read every setting, every document and every target before anything is played.

    Raises
    ------
    ValueError
        `SettingError`, `ScenarioError`, `ModelError` or another, with all offenders of its kind.
    """
    check(settings)
    whole = {key: tuple(settings.get(key, (KEYS[key].default,))) for key in KEYS}
    if "scenarios" not in settings:
        whole["scenarios"] = tuple(KEYS["scenarios"].default.split(","))
    variants = {key: tuple(v) for key, v in settings.items() if is_cell(key) or is_event(key)}
    networks = {name: workspace.network(name) for name in whole["models"]}
    for name in whole["calibration"]:
        calibration = workspace.calibration(name)
        for network in networks.values():
            calibration.apply(network)
    blocks = []
    for values in product({key: whole[key] for key in BLOCK}):
        network = networks[values["models"]]
        names, notes = _chosen(whole["scenarios"], "scenarios" in settings, network, variants,
                               workspace)
        text = " ".join(f"{key}={_short(values[key])}" for key in BLOCK[1:] if len(whole[key]) > 1)
        blocks.append(Block({key: KEYS[key].read(value) for key, value in values.items()}, text,
                            network, _variants(names, variants, workspace), notes))
    once = {key: KEYS[key].read(whole[key][0])
            for key in ("simulate.workers", "simulate.engine", "simulate.address", "confidence",
                        "uncertainty", "ledger", "report")}
    told = {key: list(values) for key, values in settings.items() if key not in _UNTOLD}
    return Plan(tuple(blocks), once, told)


def _chosen(names: Sequence[str], named: bool, network: Network,
            variants: Mapping[str, Sequence[str]], workspace: Workspace,
            ) -> tuple[list[str], tuple[str, ...]]:
    """Scenarios to play: all that were named; of the usual ones those that the model can play."""
    if named:
        return list(names), ()
    wanted = {key.split(".")[1] for key in variants if is_event(key)}
    chosen, notes = [], []
    for name in names:
        scenario = workspace.scenario(name)
        if wanted and not wanted <= set(scenario.events):
            continue
        lacking = unmet(scenario, network)
        if lacking:
            notes.append(f"{name} is left out: model {network.name} has no {', '.join(lacking)}.")
        else:
            chosen.append(name)
    if wanted and not chosen:
        raise ScenarioError(f"events.{excerpt(min(wanted))}: name the scenario that has it, such "
                            f"as scenarios={excerpt(min(wanted))}.")
    return chosen, tuple(notes)


def _variants(names: Sequence[str], variants: Mapping[str, Sequence[str]],
              workspace: Workspace) -> dict[str, Scenario]:
    """Every scenario with every combination of its changed keys and of changed cells."""
    cells = {key: values for key, values in variants.items() if is_cell(key)}
    found: dict[str, Scenario] = {}
    problems: list[str] = []
    if cells:
        names = ["baseline", *(name for name in names if name != "baseline")]
    for name in names:
        keys = cells if name == "baseline" else variants
        for overrides in product(keys):
            text = " ".join(f"{key}={_short(value)}" for key, value in overrides.items())
            try:
                found[f"{name} {text}".strip()] = workspace.scenario(name, overrides)
            except ScenarioError as error:
                problems += error.problems
    if problems:
        raise ScenarioError(dict.fromkeys(problems))
    return found


def _short(value: str) -> str:
    """A value as one word, for labels."""
    return "".join(value.split())
