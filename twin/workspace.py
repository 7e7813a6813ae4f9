"""A workspace: the folders models/, calibration/ and scenarios/, composed by Hydra into a run.

A planner's own workspace comes first, the starter workspace that ships with the twin second.
Documents are read and refused here before Hydra sees them; nothing in them is ever instantiated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from twin.clock import excerpt
from twin.document import DocumentError, parse_document, read_document, read_text
from twin.network import ModelError, Network, read_network
from twin.parameters import Calibration, read_calibration
from twin.readings import Reading
from twin.scenario import EVENTS, Scenario, ScenarioError
from twin.settings import as_list, is_cell, options
from twin.store import Store

#: Folder -> what one of its documents is called.
GROUPS = {"models": "model", "calibration": "calibration", "scenarios": "scenario"}

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_PACKAGE = re.compile(r"^\s*#\s*@package", re.MULTILINE)


class WorkspaceError(ValueError):
    """Something that the workspace does not hold, or may not hold."""


def starter() -> Path:
    """The workspace that ships with the twin: in the package, or beside it in a checkout."""
    inside = Path(__file__).parent / "starter"
    return inside if inside.is_dir() else Path(__file__).parents[1]


class Workspace:
    """Models, calibrations and scenarios by name.

    Parameters
    ----------
    folder
        Must hold at least one of models/, calibration/, scenarios/. None: the current directory
        if it has models/, else the starter workspace alone.

    Examples
    --------
    >>> workspace = Workspace(starter())
    >>> workspace.scenario("demand_spike+port_closure").name
    'demand_spike+port_closure'
    >>> workspace.scenario("demand_spike", {"events.demand_spike.factor": "2"}).events[
    ...     "demand_spike"].factor
    2.0
    """

    def __init__(self, folder: Path | str | None = None) -> None:
        if folder is None:
            here = Path.cwd()
            roots = [here] if (here / "models").is_dir() else []
        else:
            here = Path(folder).expanduser().absolute()
            if not here.is_dir():
                raise WorkspaceError(f"workspace '{folder}' is not a folder. Make one with: twin "
                                     "init FOLDER.")
            if not any((here / group).is_dir() for group in GROUPS):
                raise WorkspaceError(f"workspace '{folder}' has none of the folders "
                                     f"{', '.join(GROUPS)}. Make one with: twin init FOLDER.")
            roots = [here]
        self.home = here
        self.roots = tuple(dict.fromkeys(root.resolve() for root in (*roots, starter())))

    def store(self, model: str) -> Store:
        """What was heard about a model: ``store/<model>`` in the workspace or current directory."""
        self.path("models", model)
        return Store(self.home / "store" / model)

    def to_epcis(self, readings: Iterable[Reading], *, created: float,
                 base: str = "") -> dict[str, Any]:
        """Readings as an EPCIS document (`twin.sense.epcis_export.to_epcis`), for who acts."""
        from twin.sense.epcis_export import to_epcis

        return to_epcis(readings, created=created, **({"base": base} if base else {}))

    def names(self, group: str) -> list[str]:
        """Names of the documents of a group, sorted."""
        return sorted({path.stem for root in self.roots for path in (root / group).glob("*.yaml")
                       if _NAME.fullmatch(path.stem)})

    def path(self, group: str, name: str) -> Path:
        """The file of a document.

        Raises
        ------
        WorkspaceError
            If the name is no name, there is no such document, or it lies outside the workspace.
        """
        kind = GROUPS[group]
        known = self.names(group)
        if not _NAME.fullmatch(name):
            raise WorkspaceError(f"{kind} '{excerpt(name)}' is not a name: write it without folder "
                                 f"and ending. {options(name, known)}")
        for root in self.roots:
            path = root / group / f"{name}.yaml"
            if path.is_file():
                if not path.resolve().is_relative_to(root):
                    raise WorkspaceError(f"{group}/{name}.yaml is a link that leads outside the "
                                         "workspace. Copy the file.")
                return path
        raise WorkspaceError(f"there is no {kind} '{excerpt(name)}'. {options(name, known)}")

    def document(self, group: str, name: str) -> dict[str, Any]:
        """One document, read by us and composed by Hydra."""
        return dict(_composed(self._read(group, name)))

    def _read(self, group: str, name: str) -> _Document:
        path = self.path(group, name)
        return _Document(group, name, read_text(path, f"{group}/{name}.yaml"), path)

    def read_ahead(self, group: str, names: Iterable[str]) -> None:
        """Compose many documents at once; what is wrong with one is told when it is asked for."""
        roots: dict[Path, list[_Document]] = {}
        for name in names:
            with suppress(ValueError):
                document = self._read(group, name)
                _refuse_references(document)
                if document not in _known:
                    roots.setdefault(document.path.parents[1], []).append(document)
        for documents in roots.values():
            with suppress(ValueError):
                _compose(documents)

    def network(self, name: str) -> Network:
        """A model, read and checked."""
        path = self.path("models", name)
        read_document(path)
        return read_network(path)

    def calibration(self, name: str) -> Calibration:
        """A calibration with its learned values."""
        return read_calibration(self.path("calibration", name), self.document("calibration", name))

    def scenario(self, name: str, overrides: Mapping[str, str] | None = None) -> Scenario:
        """A scenario, or several at once as ``a+b``, with settings and cells changed.

        Parameters
        ----------
        overrides
            ``events.NAME.KEY`` and cells such as ``lanes[A,B,sea].transit``, as text.
        """
        parts = [part.strip() for part in name.split("+")]
        for part in parts:
            if parts.count(part) > 1:
                raise WorkspaceError(f"scenarios={name} names '{part}' twice. Name it once.")
        whole = self._one(parts[0])
        for part in parts[1:]:
            whole = whole + self._one(part)
        return change(whole, overrides) if overrides else whole

    def _one(self, name: str) -> Scenario:
        if name == "baseline" and name not in self.names("scenarios"):
            return Scenario.baseline()
        found = Scenario.from_document(name, self.document("scenarios", name))
        if name != "baseline" and not (found.events or found.settings):
            raise ScenarioError(f"scenario {name} names nothing that happens. Write at least one "
                                "event, or play baseline.")
        return found

    def describe(self, group: str) -> list[tuple[str, dict[str, Any] | str]]:
        """Every document of a group with its content, or what is wrong with it."""
        found: list[tuple[str, dict[str, Any] | str]] = []
        for name in self.names(group):
            try:
                found.append((name, read_document(self.path(group, name))))
            except ValueError as error:
                found.append((name, str(error)))
        return found


def change(scenario: Scenario, overrides: Mapping[str, str]) -> Scenario:
    """The scenario with keys of its events, or cells of the model, changed.

    Examples
    --------
    >>> late = Scenario(name="late", events={"delay": {"type": "transit", "add": "3d"}})
    >>> change(late, {"events.delay.add": "5d"}).events["delay"].add
    120.0
    """
    document = scenario.document()
    events = document.setdefault("events", {})
    problems = []
    for key, text in overrides.items():
        if is_cell(key):
            document.setdefault("settings", {})[key] = text
            continue
        name, _, field = key.removeprefix("events.").rpartition(".")
        if name not in events:
            problems.append(f"scenario {scenario.name} has no {key}. "
                            f"{_event_keys(scenario, name or field)}")
        elif field not in EVENTS[events[name]["type"]].model_fields or field == "type":
            fields = [f for f in EVENTS[events[name]["type"]].model_fields if f != "type"]
            problems.append(f"scenario {scenario.name} has no {key}. {options(field, fields)}")
        else:
            events[name][field] = as_list(text)
    if problems:
        raise ScenarioError(problems)
    return Scenario(name=scenario.name, **document)


def _event_keys(scenario: Scenario, name: str) -> str:
    if not scenario.events:
        return "It has no events: play it in a run of its own."
    return f"{options(name, scenario.events)} Or play it in a run of its own."


@dataclass(frozen=True)
class _Document:
    """A document as it was read; two of one text are the same, wherever they lie."""

    group: str
    name: str
    text: str
    path: Path = field(compare=False)

    @property
    def label(self) -> str:
        """Its name in a message."""
        return f"{self.group}/{self.name}.yaml"


_known: dict[_Document, dict[str, Any]] = {}  #: what Hydra has made of documents
_MOST_KNOWN = 512
_hydra = Lock()  #: Hydra works for one at a time


def _composed(document: _Document) -> dict[str, Any]:
    """What Hydra makes of one document, which names no other."""
    found = _known.get(document)
    if found is None:
        _refuse_references(document)
        [found] = _compose([document])
    return found


def _compose(documents: Sequence[_Document]) -> list[dict[str, Any]]:
    """Let Hydra make what it makes of documents of one workspace: many take hardly longer than one.

    Raises
    ------
    DocumentError
        If one of them cannot be composed; then nothing is known of the others either.
    """
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    label = ", ".join(document.label for document in documents)
    try:
        with _hydra, initialize_config_dir(str(documents[0].path.parents[1]), version_base="1.3"):
            whole = compose(overrides=[f"+{document.group}@content{number}='{document.name}'"
                                       for number, document in enumerate(documents)])
        found = [OmegaConf.to_container(whole[f"content{number}"], resolve=False)
                 for number in range(len(documents))]
    except (HydraException, OmegaConfBaseException) as error:
        reason = " ".join(str(error).split())[:200]
        raise DocumentError(f"{label} cannot be composed: {reason}.") from None
    for document in documents:  # Hydra has read them after us
        if read_text(document.path, document.label) != document.text:
            raise DocumentError(f"{document.label} was changed while it was read. Try again.")
    contents = [{str(key): value for key, value in content.items()} for content in found
                if isinstance(content, dict)]
    if len(_known) > _MOST_KNOWN:
        _known.clear()
    _known.update(zip(documents, contents, strict=True))
    return contents


def _refuse_references(document: _Document) -> None:
    """A document says what it says itself."""
    content = parse_document(document.text, document.label)
    if "defaults" in content or "hydra" in content or _PACKAGE.search(document.text):
        raise DocumentError(f"{document.label}: defaults, hydra and '# @package' are not read. "
                            "Write the values out; play scenarios together as a+b.")
    if any("${" in text for text in _texts(content)):
        raise DocumentError(f"{document.label}: '${{' is not read. Write the value out.")


def _texts(value: object) -> Iterable[str]:
    """Every text of a document, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield str(key)
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


__all__ = ["GROUPS", "ModelError", "Workspace", "WorkspaceError", "change", "starter"]
