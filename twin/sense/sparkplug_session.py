"""What a host application knows of Sparkplug edge nodes: births, aliases, sequence, deaths.

Without a broker: topics and bytes come in, messages of readings and wishes for a rebirth go out
(Sparkplug B 3.0, chapters 4 to 6).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from twin.clock import excerpt
from twin.kinds import KINDS
from twin.readings import BadReading, format_instant
from twin.sense.declared import Dictionary, Meaning, column_of, missing
from twin.sense.sparkplug_payload import Metric, Payload, decode_payload
from twin.sense.sparkplug_values import flat

NAMESPACE = "spBv1.0"
_TYPES = ("NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH")
_NOT_MEASURED = ("bdSeq", "Node Control/", "Device Control/", "Node Info/", "Properties/")
#: Ignition's quality codes, which Sparkplug took over.
_QUALITY = {192: "good", 500: "uncertain", 0: "bad"}
_MOST_NODES = 100_000

Message = dict[str, Any]


@dataclass(slots=True)
class Node:
    """One edge node, as its last birth and its messages since then tell it."""

    bdseq: int | None = None
    seq: int = 0
    born: bool = False
    asked: float = -math.inf
    devices: set[str] = field(default_factory=set)
    #: alias -> (device, metric of the birth)
    aliases: dict[int, tuple[str, Metric]] = field(default_factory=dict)
    #: (device, name) -> metric of the birth
    metrics: dict[tuple[str, str], Metric] = field(default_factory=dict)
    #: columns said last, by device and group: a report by exception sends only what changed
    last: dict[tuple[str, tuple[str, str, str]], Message] = field(default_factory=dict)
    sensors: dict[str, set[str]] = field(default_factory=dict)


class Session:
    """All edge nodes that a host application hears.

    Parameters
    ----------
    words
        What the names of metrics mean.
    patience_s
        Seconds before an edge node is asked again for a rebirth.

    Attributes
    ----------
    wishes
        Edge nodes (group, node) to be asked for a rebirth; whoever asks takes them out.
    unknown
        Names of metrics that say nothing that the twin knows -> how often they came.
    """

    def __init__(self, words: Dictionary, patience_s: float = 5.0) -> None:
        self.words = words
        self.patience_s = patience_s
        self.nodes: dict[tuple[str, str], Node] = {}
        self.wishes: set[tuple[str, str]] = set()
        self.unknown: dict[str, int] = {}

    def hear(self, topic: str, raw: bytes, received: float) -> list[Message]:
        """The readings of one message, and what it changes about its edge node.

        Parameters
        ----------
        topic
            ``spBv1.0/GROUP/TYPE/NODE[/DEVICE]``.
        raw
            The payload.
        received
            Seconds since 1970-01-01 UTC.

        Raises
        ------
        BadReading
            If it is no Sparkplug B, or tells of aliases that no birth has named.
        """
        group, kind, name, device = _parse_topic(topic)
        payload = decode_payload(raw)
        if (group, name) not in self.nodes and len(self.nodes) >= _MOST_NODES:
            raise BadReading("oversize", f"more than {_MOST_NODES:,} edge nodes speak.")
        node = self.nodes.setdefault((group, name), Node())
        path = f"{group}/{name}"
        if kind == "NDEATH":
            return list(self._death(node, path, payload, received))
        if kind == "NBIRTH":
            self._born(node, payload)
        else:
            self._count(node, (group, name), payload, received)
        if not node.born:
            raise BadReading("missing", f"edge node '{excerpt(path)}' speaks before its birth, or "
                             "after its death. It was asked for a rebirth.")
        if kind == "DDEATH":
            return list(self._gone(node, path, [device], received))
        if kind in ("NBIRTH", "DBIRTH"):
            self._learn(node, device, payload)
        try:
            said = list(self._said(node, path, device, payload, received))
        except BadReading:
            self._wish(node, (group, name), received)
            raise
        if kind in ("NBIRTH", "DBIRTH"):
            said.insert(0, self._alive(path, device, 1.0, received, payload.timestamp))
        return said

    # -- births and deaths -------------------------------------------------------------------------
    def _born(self, node: Node, payload: Payload) -> None:
        node.born, node.seq, node.asked = True, payload.seq or 0, -math.inf
        node.bdseq = _number(payload.metric("bdSeq"))
        node.devices.clear()
        node.aliases.clear()
        node.metrics.clear()

    def _learn(self, node: Node, device: str, payload: Payload) -> None:
        """The names and aliases of a birth."""
        if device:
            node.devices.add(device)
        for metric in payload.metrics:
            if metric.name:
                node.metrics[device, metric.name] = metric
                if metric.alias is not None:
                    node.aliases[metric.alias] = (device, metric)

    def _death(self, node: Node, path: str, payload: Payload,
               received: float) -> Iterator[Message]:
        """An edge node has gone; the will of an earlier session says nothing."""
        bdseq = _number(payload.metric("bdSeq"))
        if not node.born or (bdseq is not None and node.bdseq is not None
                             and bdseq != node.bdseq):
            return
        yield from self._gone(node, path, ["", *sorted(node.devices)], received)
        node.born = False

    def _gone(self, node: Node, path: str, devices: list[str],
              received: float) -> Iterator[Message]:
        """What these devices said last is stale: each of their sensors has gone."""
        for device in devices:
            death = self._alive(path, device, 0.0, received, None)
            for sensor in sorted(node.sensors.pop(device, set()) | {death["sensor"]}):
                yield {**death, "sensor": sensor}
            node.devices.discard(device)
            for key in [key for key in node.last if key[0] == device]:
                del node.last[key]

    def _alive(self, path: str, device: str, value: float, received: float,
               stamp: int | None) -> Message:
        when = received if stamp is None else stamp / 1000.0
        word = "birth" if value else "death"
        return {"sensor": f"{path}/{device}" if device else path, "kind": "alive", "value": value,
                "id": f"{word}@{round(when * 1000)}", "ts": _stamp(when),
                "quality": "good" if value else "uncertain"}

    def _count(self, node: Node, key: tuple[str, str], payload: Payload, received: float) -> None:
        """Every message has the next number; after a gap the node is asked for a rebirth."""
        expected = (node.seq + 1) % 256
        if payload.seq is not None:
            node.seq = payload.seq
        if not node.born or payload.seq != expected:
            self._wish(node, key, received)

    def _wish(self, node: Node, key: tuple[str, str], received: float) -> None:
        if received - node.asked >= self.patience_s:
            node.asked = received
            self.wishes.add(key)

    # -- readings ----------------------------------------------------------------------------------
    def _said(self, node: Node, path: str, device: str, payload: Payload,
              received: float) -> Iterator[Message]:
        """The readings of a payload; values of one group and time are one reading."""
        found: dict[tuple[Any, ...], Message] = {}
        singles: list[tuple[str, Metric, Metric]] = []
        for metric in payload.metrics:
            known = self._known(node, path, device, metric)
            if known.name.startswith(_NOT_MEASURED):
                continue
            whole = f"{path}/{device}/{known.name}" if device else f"{path}/{known.name}"
            singles += [(*single, known) for single in self._singles(metric, whole)]
        for whole, metric, known in singles:
            meaning = self.words.meaning(whole)
            if meaning is None or isinstance(metric.value, bytes):
                if len(self.unknown) < 10_000 or whole in self.unknown:
                    self.unknown[whole] = self.unknown.get(whole, 0) + 1
                continue
            if metric.value is None:
                continue
            stamp = metric.timestamp if metric.timestamp is not None else payload.timestamp
            last = node.last.setdefault((device, meaning.group), {})
            message = found.setdefault((meaning.group, stamp), dict(last))
            message |= self._filled(path, device, meaning, metric, known)
            if not metric.historical:
                last |= message
            when = received if stamp is None else stamp / 1000.0
            name = "/".join(filter(None, meaning.group[1:]))
            message |= {"ts": _stamp(when), "id": f"{name}@{round(when * 1000)}"}
            node.sensors.setdefault(device, set()).add(message["sensor"])
        yield from (one for one in found.values() if not missing(one))

    @staticmethod
    def _singles(metric: Metric, whole: str) -> list[tuple[str, Metric]]:
        try:
            return list(flat(metric, whole))
        except ValueError as error:
            raise BadReading("malformed", f"{error}.") from None

    def _known(self, node: Node, path: str, device: str, metric: Metric) -> Metric:
        """The metric of the birth that a metric is a new value of."""
        if metric.name:
            return node.metrics.get((device, metric.name), metric)
        if metric.alias is None or metric.alias not in node.aliases:
            raise BadReading("missing", f"edge node '{excerpt(path)}' sends alias {metric.alias}, "
                             "which no birth has named. It was asked for a rebirth.")
        of, known = node.aliases[metric.alias]
        if of != device:
            raise BadReading("identity", f"edge node '{excerpt(path)}': device '{excerpt(device)}' "
                             f"sends an alias of '{excerpt(of)}'.")
        return known

    @staticmethod
    def _filled(path: str, device: str, meaning: Meaning, metric: Metric,
                known: Metric) -> Message:
        """What one value says of a reading."""
        value, column = metric.value, column_of(meaning, metric.value)
        if isinstance(value, bool) and column != "state":
            value = float(value)
        if isinstance(value, tuple):  # refused at the door, which takes one value a reading
            value = f"an array of {len(value)} values"
        sender = f"{path}/{device}" if device else path
        said: Message = {"kind": meaning.kind, "sensor": meaning.sensor or sender,
                         "asset": sender.rpartition("/")[2], **meaning.shared, column: value}
        properties = {**known.properties, **metric.properties}
        unit = properties.get("engUnit")
        if column == "value" and isinstance(unit, str) and KINDS[meaning.kind].unit:
            said.setdefault("unit", unit)
        quality = properties.get("Quality")
        if isinstance(quality, int) and not isinstance(quality, bool):
            said["quality"] = _QUALITY.get(quality, "uncertain")
        return said


def _parse_topic(topic: str) -> tuple[str, str, str, str]:
    parts = topic.split("/")
    if len(parts) not in (4, 5) or parts[0] != NAMESPACE or parts[2] not in _TYPES \
            or (parts[2][0] == "D") != (len(parts) == 5) or not all(parts):
        raise BadReading("malformed", f"topic '{excerpt(topic)}' is not of Sparkplug B. Publish to "
                         "spBv1.0/GROUP/TYPE/NODE or spBv1.0/GROUP/TYPE/NODE/DEVICE.")
    return parts[1], parts[2], parts[3], parts[4] if len(parts) == 5 else ""


def _number(metric: Metric | None) -> int | None:
    value = metric.value if metric is not None else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _stamp(seconds: float) -> str:
    try:
        return format_instant(seconds)
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f} s after 1970"  # refused at the door, as it should be
