"""Where the operational store of a model is, and what its model file says under ``operate:``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twin.document import read_document
from twin.operate.configuration import Configuration, read_configuration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twin.network import Network
    from twin.readings import Reading
    from twin.store import Store

STORE = "TWIN_OPERATE_STORE"  #: environment variable of the store's address; it comes first


class Places(Protocol):
    """What a desk asks of a workspace."""

    home: Path

    def path(self, group: str, name: str) -> Path:
        """The file of a document."""
        ...

    def network(self, name: str) -> Network:
        """A model."""
        ...

    def store(self, model: str) -> Store:
        """What was heard about it."""
        ...

    def to_epcis(self, readings: Iterable[Reading], *, created: float,
                 base: str = ...) -> dict[str, Any]:
        """Readings as an EPCIS document."""
        ...


def described(workspace: Places, model: str) -> tuple[Configuration, str]:
    """The configuration of a model, and the address of its store."""
    path = workspace.path("models", model)
    configuration = read_configuration(read_document(path).get("operate"), f"models/{model}.yaml")
    address = os.environ.get(STORE) or configuration.store
    if not address:
        address = str(workspace.store(model).folder / "operate.db")
    elif "://" not in address:
        address = str(workspace.home / address)
    return configuration, address
