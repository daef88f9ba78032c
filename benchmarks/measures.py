"""What is measured, and how it stands to its target."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One way over one set of rows."""

    table: str
    way: str
    state: str
    rows: int
    seconds: float
    extrapolated: bool = False


@dataclass(frozen=True)
class Ratio:
    """A ratio of two measures of one run, and what it should be: at least, or at most."""

    name: str
    target: float
    got: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is what it should be."""
        return self.got <= self.target if self.at_most else self.got >= self.target
