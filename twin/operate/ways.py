"""Ways out: the connectors that a configuration describes, opened when something is pushed."""

from __future__ import annotations

import os
from pathlib import Path

from twin.operate.configuration import (
    Configuration,
    ConfigurationError,
    FolderWay,
    RestWay,
    TableWay,
    TopicWay,
    Way,
)
from twin.operate.connectors.contract import Connector
from twin.operate.forms import Form, form_of
from twin.operate.forms.movement import Writer

#: The connector of a model that describes none: files beside its store.
FILES = "files"


def open_ways(configuration: Configuration, home: Path, beside: Path,
              to_epcis: Writer | None = None) -> dict[str, Connector]:
    """Every connector by name.

    Parameters
    ----------
    home
        Of the workspace: folders are seen from it.
    beside
        Where files go if no connector is described.
    to_epcis
        Writes readings as EPCIS, for the form of that name; given by a door.

    Raises
    ------
    ConfigurationError
        If a secret is not set or a connector cannot be.
    """
    if not configuration.connectors:
        return {FILES: _opened(FILES, FolderWay(type="folder", folder=str(beside)), home,
                               to_epcis)}
    return {name: _opened(name, way, home, to_epcis)
            for name, way in configuration.connectors.items()}


def _opened(name: str, way: Way, home: Path, to_epcis: Writer | None) -> Connector:
    try:
        if isinstance(way, RestWay):
            from twin.operate.connectors.rest import Rest

            return Rest(name, way.url, _secret(name, way.secret).encode(),
                        headers={key: _secret(name, said) for key, said in way.headers.items()},
                        timeout_s=way.timeout * 3600.0, form=_form(way, to_epcis))
        if isinstance(way, TableWay):
            from twin.operate.connectors.table import Table

            return Table(name, _secret(name, way.address), way.table)
        if isinstance(way, FolderWay):
            from twin.operate.connectors.folder import Folder

            return Folder(name, home / way.folder,
                          _form(way, to_epcis) or form_of("cloudevents"))
        from twin.operate.connectors.topic import Topic

        return Topic(name, way.url, way.topic, form=_form(way, to_epcis), replies=way.replies,
                     secret=_secret(name, way.secret).encode() if way.secret else None)
    except ConfigurationError:
        raise
    except ValueError as error:
        raise ConfigurationError(f"connector {name}: {error}") from None


def _form(way: RestWay | TopicWay | FolderWay, to_epcis: Writer | None) -> Form | None:
    """The form of a way, None for its own."""
    if not way.format:
        if way.settings:
            raise ValueError("settings are of a format, and there is none. Add format.")
        return None
    wired = {"to_epcis": to_epcis} if way.format == "epcis" and to_epcis is not None else {}
    return form_of(way.format, {**way.settings, **wired})


def _secret(name: str, variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigurationError(f"connector {name} needs the environment variable {variable}, "
                                 "which is not set. Set it and push again.")
    return value
