"""A rehearsal as a source to listen to, without a broker: its clock runs as fast as it is heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from twin.rehearse.fault import encoded
from twin.rehearse.rehearsal import Rehearsal
from twin.rehearse.wire import topic_of
from twin.sense.source import Message, decode_json

_STEP_H = 6.0
_EPS = 1e-9  #: a step that is shorter is none


class Earshot:
    """Gives a listener what a rehearsal sends until a time.

    Every message goes through the same bytes as over a broker: faults, identities and units too.

    Parameters
    ----------
    until_h
        The end, hours from the start of the model.

    Examples
    --------
    >>> from twin.experiment import read_model
    >>> from twin.rehearse.truth import hide
    >>> harbour = read_model("harbour")
    >>> source = Earshot(Rehearsal(harbour, hide(harbour, seed=3), sensing=False), until_h=6.0)
    >>> first = source.take(10, 0.0)[0]
    >>> first.sender, source.ended
    ('wms_juicery', False)
    """

    live = True

    def __init__(self, rehearsal: Rehearsal, until_h: float) -> None:
        self.rehearsal, self.until_h = rehearsal, until_h
        self._waiting: list[Message] = []

    @property
    def ended(self) -> bool:
        """Whether the rehearsal has come to its end and all was taken."""
        return not self._waiting and self.rehearsal.now >= self.until_h - _EPS

    def take(self, most: int, wait_s: float) -> Sequence[Message]:
        """Up to `most` messages; the operation lives on when none waits."""
        rehearsal = self.rehearsal
        while not self._waiting and rehearsal.now < self.until_h - _EPS:
            sent = rehearsal.step(min(self.until_h, rehearsal.now + _STEP_H))
            self._waiting = [Message(encoded(row), came, sensor,
                                     topic_of(rehearsal.network.name, sensor, row))
                             for came, (sensor, row) in zip(rehearsal.times, sent,
                                                            strict=True)]
        out, self._waiting = self._waiting[:most], self._waiting[most:]
        return out

    def readings(self, message: Message) -> Iterable[Mapping[str, Any]]:
        """The JSON readings of a payload."""
        return decode_json(message.payload)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Nothing comes again: the rehearsal has gone on."""

    def close(self) -> None:
        """Nothing to leave."""
