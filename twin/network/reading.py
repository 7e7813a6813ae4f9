"""Reading a model."""

from pathlib import Path

from twin.network.network import Network


def read_network(path: str | Path) -> Network:
    raise NotImplementedError
