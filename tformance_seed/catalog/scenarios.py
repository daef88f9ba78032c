"""Scenarios: eight weeks of a team that make one point each. The figures are in ``scenarios.toml``."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: How many weeks a scenario tells of.
WEEKS = 8


@dataclass(frozen=True)
class Ramp:
    """A value that moves on a straight line from the first week to the last."""

    start: float
    end: float

    def at(self, progress: Any) -> Any:
        """The value where ``progress`` (a number or an array) is 0 in the first week and 1 in the last."""
        return self.start + (self.end - self.start) * progress


@dataclass(frozen=True)
class Guesses:
    """How often a reviewer's guess is right, by the kind of author it is about: (least, most)."""

    obvious: tuple[float, float]
    stealthy: tuple[float, float]
    ai_like: tuple[float, float]
    human: tuple[float, float]


@dataclass(frozen=True)
class Scenario:
    """One scenario; rates are shares of 1, hours are means, quality is a mean rating of 1 to 3."""

    name: str
    point: str
    members: int
    prs_per_member_week: tuple[int, int]
    ai_adoption_rate: Ramp
    cycle_hours: Ramp
    review_hours: Ramp
    quality: Ramp
    revert_rate: Ramp
    ci_pass_rate: Ramp
    top_reviewer_share: float | None = None
    guesses: Guesses | None = None


def _scenario(name: str, table: dict[str, Any]) -> Scenario:
    ramps = {}
    for key in ("ai_adoption_rate", "cycle_hours", "review_hours", "quality", "revert_rate", "ci_pass_rate"):
        value = table.pop(key)
        ramps[key] = Ramp(*value) if isinstance(value, list) else Ramp(value, value)
    guesses = {key.replace("-", "_"): tuple(pair) for key, pair in table.pop("guesses", {}).items()}
    table["prs_per_member_week"] = tuple(table["prs_per_member_week"])
    return Scenario(name=name, guesses=Guesses(**guesses) if guesses else None, **table, **ramps)


def _load() -> dict[str, Scenario]:
    text = Path(__file__).with_name("scenarios.toml").read_text(encoding="utf-8")
    return {name: _scenario(name, table) for name, table in tomllib.loads(text).items()}


#: The built-in scenarios by name.
SCENARIOS = _load()
