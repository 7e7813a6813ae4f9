"""A guard: watches one kind of condition and says when it begins, gets worse and ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from twin.network import Network
from twin.readings import Reading, format_instant
from twin.sense.alerts import Finding
from twin.sense.eta import Left
from twin.sense.rules import Rules


@dataclass(frozen=True, slots=True)
class Post:
    """What every guard is given: the chain, the rules, and how a time is conditioned on its age."""

    network: Network
    rules: Rules
    left: Left | None = None


class Guard(ABC):
    """One of a few siblings; `hears` are the kinds of reading that it wants.

    A guard may say the same thing twice: the book of alerts keeps it once.
    """

    hears: ClassVar[frozenset[str]]

    def __init__(self, post: Post) -> None:
        self.network, self.rules, self.left = post.network, post.rules, post.left

    @abstractmethod
    def hear(self, reading: Reading) -> list[Finding]:
        """Take in a reading; what it changes."""

    def again(self, reading: Reading) -> list[Finding]:
        """Take note of a reading that has come before."""
        return []

    def refused(self, sensor: str, time: float) -> list[Finding]:
        """Take note of a reading of a sensor that went to the quarantine."""
        return []

    @abstractmethod
    def look(self, now: float) -> list[Finding]:
        """Let time pass to `now` (seconds since 1970); what that changes."""


def clock(time: float) -> str:
    """A moment for a sentence.

    Examples
    --------
    >>> clock(0.0)
    '1970-01-01 00:00'
    """
    return format_instant(time)[:16].replace("T", " ")
