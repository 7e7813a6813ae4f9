"""Ways out: the connectors that a configuration describes, opened when something is pushed."""

from __future__ import annotations

import os
from pathlib import Path

from twin.clock import excerpt
from twin.network.problems import guess
from twin.operate.configuration import (
    Configuration,
    ConfigurationError,
    FolderWay,
    RestWay,
    TableWay,
    Way,
)
from twin.operate.connectors.contract import Connector

#: The connector of a model that describes none: files beside its store.
FILES = "files"


def open_ways(configuration: Configuration, home: Path, beside: Path) -> dict[str, Connector]:
    """Every connector by name.

    Parameters
    ----------
    home
        Of the workspace: folders are seen from it.
    beside
        Where files go if no connector is described.

    Raises
    ------
    ConfigurationError
        If a secret is not set or a connector cannot be.
    """
    if not configuration.connectors:
        return {FILES: _opened(FILES, FolderWay(type="folder", folder=str(beside)), home)}
    return {name: _opened(name, way, home) for name, way in configuration.connectors.items()}


def _opened(name: str, way: Way, home: Path) -> Connector:
    try:
        if isinstance(way, RestWay):
            from twin.operate.connectors.rest import Rest

            return Rest(name, way.url, _secret(name, way.secret).encode(),
                        headers={key: _secret(name, said) for key, said in way.headers.items()},
                        timeout_s=way.timeout * 3600.0)
        if isinstance(way, TableWay):
            from twin.operate.connectors.table import Table

            return Table(name, _secret(name, way.address), way.table)
        if isinstance(way, FolderWay):
            from twin.operate.connectors.folder import Folder
            from twin.operate.connectors.forms import FORMS

            if way.format not in FORMS:
                raise ValueError(f"format '{excerpt(way.format)}' is unknown. "
                                 f"{guess(way.format, FORMS)}")
            return Folder(name, home / way.folder, *FORMS[way.format])
        from twin.operate.connectors.topic import Topic

        return Topic(name, way.url, way.topic)
    except ConfigurationError:
        raise
    except ValueError as error:
        raise ConfigurationError(f"connector {name}: {error}") from None


def _secret(name: str, variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigurationError(f"connector {name} needs the environment variable {variable}, "
                                 "which is not set. Set it and push again.")
    return value
