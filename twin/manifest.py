"""What a result was made from, so that it can be made again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from twin.clock import excerpt
from twin.network import Network
from twin.network.attributes import TABLES

_LIBRARIES = ("simpy", "numpy", "scipy", "pandas", "networkx")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Model, calibration, scenarios, settings, luck and versions of one result.

    `scenarios` holds the content of each setting by its label, the baseline first. Nothing in it
    names a machine, a user or an address.

    Examples
    --------
    >>> manifest = Manifest(model="tea", model_digest="ab12", horizon="30d")
    >>> Manifest.from_text(manifest.text()) == manifest
    True
    """

    model: str
    model_digest: str
    calibration: str = "nominal"
    calibration_digest: str = ""
    scenarios: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, list[str]] = field(default_factory=dict)
    horizon: str = "365d"
    warmup: str = "0d"
    replications: int = 30
    seed: int = 1
    confidence: float = 0.95
    precision: float | None = None
    state_digest: str = ""
    draws: int = 0
    ledgers: dict[str, str] = field(default_factory=dict)
    kpis_digest: str = ""
    made: str = ""
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_text(cls, text: str, name: str = "manifest.json") -> Manifest:
        """Read it back.

        Raises
        ------
        ValueError
            If it is not a manifest.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{excerpt(name)} is not JSON: {error}. Give a manifest.json that "
                             "twin run wrote.") from None
        known = {f.name for f in fields(cls)}
        if not isinstance(values, dict) or not {"model", "model_digest"} <= set(values) <= known:
            raise ValueError(f"{excerpt(name)} is not the manifest of one run. Give a "
                             "manifest.json that twin run wrote.")
        return cls(**values)

    @classmethod
    def from_file(cls, path: Path) -> Manifest:
        """Read ``manifest.json``."""
        try:
            return cls.from_text(path.read_text(encoding="utf-8"), path.name)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise ValueError(f"{excerpt(str(path))} cannot be read: {reason}. Give a manifest.json "
                             "that twin run wrote.") from None


def network_digest(network: Network) -> str:
    """A fingerprint of everything a model says; where its files lie does not count.

    Examples
    --------
    >>> from twin.network import Network
    >>> tea = Network(sites=[{"site": "W", "kind": "warehouse"}])
    >>> network_digest(tea) == network_digest(tea.replace(folder=Path("elsewhere")))
    True
    >>> network_digest(tea) == network_digest(tea.with_cell("sites[W].record_delay", "1d"))
    False
    """
    digest = hashlib.sha256()
    head = (network.name, network.start.isoformat(), network.currency, network.review,
            network.warmup)
    digest.update(repr(head).encode())
    for table in TABLES:
        for row in network.table(table).values():
            digest.update(repr(row).encode())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python, the twin and the libraries that a figure may depend on."""
    found = {"python": platform.python_version()}
    for library in ("twin", *_LIBRARIES):
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "unknown"
    return found


def scenario_contents(scenarios: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The content of each setting's scenario, under its label."""
    return {label: {"name": s.name} | s.document() for label, s in scenarios.items()}


def now() -> str:
    """The moment, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
