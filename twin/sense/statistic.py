"""What every streaming statistic of this room is: told one thing at a time, asked at any time.

One statistic a file. `update` takes what was heard and says nothing; `get` answers from what was
heard so far and changes nothing. A statistic keeps no more than it needs, and can be pickled in the
middle of a stream. Larger ones are composed of smaller ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Self, TypeVar

Heard = TypeVar("Heard")
Said = TypeVar("Said", covariant=True)


class Statistic(ABC, Generic[Heard, Said]):
    """A number, score or verdict kept up to date.

    Attributes
    ----------
    hears
        ``("number",)``, ``("numbers",)`` for one row of several channels, ``("timed",)`` for pairs
        of time and value, or the words of `twin.kinds.KINDS` of the readings that it takes.

    Examples
    --------
    >>> class Count(Statistic[float, int]):
    ...     hears = ("number",)
    ...     def __init__(self) -> None:
    ...         self.n = 0
    ...     def update(self, heard: float) -> None:
    ...         self.n += 1
    ...     def get(self) -> int:
    ...         return self.n
    >>> count = Count.sample()
    >>> count.update(3.5)
    >>> count.get()
    1
    """

    hears: ClassVar[tuple[str, ...]]

    @abstractmethod
    def update(self, heard: Heard) -> None:
        """Take in one thing."""

    @abstractmethod
    def get(self) -> Said:
        """What is known so far."""

    @classmethod
    def sample(cls, *given: Any) -> Self:
        """One to try, with the settings that a user would start from."""
        return cls(*given)
