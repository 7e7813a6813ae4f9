"""Checks."""

from twin.network.network import Network, Where


def problems_of(network: Network, where: Where) -> list[str]:
    return []
