"""Measurements, and ratios of them with their targets."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """The time that one way took to write one set of rows, into an empty table or again."""

    table: str
    way: str
    state: str
    rows: int
    seconds: float
    extrapolated: bool = False


@dataclass(frozen=True)
class Ratio:
    """A ratio of two measures of one run, and its target: a minimum, or a maximum."""

    name: str
    target: float
    got: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.got <= self.target if self.at_most else self.got >= self.target
