"""What a row of ``failures`` may stop, by the name of the asset."""

from twin.network.network import Network


def asset_kinds(network: Network, asset: str) -> list[str]:
    """What an asset's name stands for: one kind when it is clear, none when nothing has it.

    A machine or truck (``M3``, or ``M3#2`` for one of several units), a site, a lane
    ``A:B:mode``, a storage area ``A:area`` or a dock ``A:in``.

    Examples
    --------
    >>> from twin.network import Machine, Site
    >>> network = Network(
    ...     sites=[Site(site="P", kind="plant")],
    ...     machines=[Machine(machine="M3", site="P", group="mill", units=2)],
    ... )
    >>> asset_kinds(network, "M3#2"), asset_kinds(network, "M3#3"), asset_kinds(network, "P")
    (['machine'], [], ['site'])
    """
    parts = tuple(part.strip() for part in asset.split(":"))
    if len(parts) == 3:
        return ["lane"] if parts in network.lanes else []
    if len(parts) == 2:
        both = (("storage", network.storage), ("dock", network.docks))
        return [kind for kind, rows in both if parts in rows]
    name, mark, unit = asset.partition("#")
    found = []
    for kind, units in (("machine", network.machines), ("truck", network.trucks)):
        row = units.get(name)
        if row is not None and (not mark or (unit.isdecimal() and 1 <= int(unit) <= row.units)):
            found.append(kind)
    if asset in network.sites:
        found.append("site")
    return found
