"""Scenarios: teams whose figures change from week to week. Each is a table in ``scenarios.toml``."""

import dataclasses
import difflib
import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tformance_seed.errors import InputError

if TYPE_CHECKING:  # the command that lists scenarios stays fast by not loading NumPy
    import numpy as np
    import numpy.typing as npt

#: The file with the scenarios.
SCENARIOS_FILE = Path(__file__).with_name("scenarios.toml")

#: Length of a scenario in weeks.
WEEKS = 8

#: A range of values, minimum and maximum.
Range = tuple[float, float]


@dataclass(frozen=True)
class Ramp:
    """A value that changes linearly from the first week to the last."""

    start: float
    end: float

    def at(self, progress: "npt.NDArray[np.float64]") -> "npt.NDArray[np.float64]":
        """Return the value at each point of progress, from 0 in the first week to 1 in the last."""
        return self.start + (self.end - self.start) * progress


@dataclass(frozen=True)
class Guesses:
    """Ranges of the share of a reviewer's guesses that are right, by the kind of author guessed about."""

    obvious: Range
    stealthy: Range
    ai_like: Range
    human: Range


@dataclass(frozen=True)
class Scenario:
    """One scenario. Rates are from 0 to 1, hours are means, quality is a mean rating from 1 to 3.

    ``team_name`` and ``team_slug`` are those of a team that only shows the scenario.
    """

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
    open_share: float | None = None
    guesses: Guesses | None = None
    team_name: str = ""
    team_slug: str | None = None


def load_scenarios() -> Mapping[str, Scenario]:
    """Return the scenarios by name."""
    return _read(SCENARIOS_FILE)


def find_scenario(name: str) -> Scenario:
    """Return the scenario of that name.

    Raises:
      InputError: there is none.
    """
    scenarios = load_scenarios()
    if name not in scenarios:
        similar = difflib.get_close_matches(name.lower().replace("_", "-").replace(" ", "-"), scenarios, n=1)
        hint = f"did you mean {similar[0]}?" if similar else f"expected one of {', '.join(scenarios)}"
        raise InputError(f"--scenario {name}: no such scenario; {hint}")
    return scenarios[name]


@functools.cache
def _read(path: Path) -> Mapping[str, Scenario]:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _scenario(name, table) for name, table in tables.items()}


def _scenario(name: str, table: Mapping[str, Any]) -> Scenario:
    """Return the scenario that a table describes; the comment in ``scenarios.toml`` explains its keys.

    Raises:
      InputError: a key is unknown or missing.
    """
    keys = {field.name: field.default is dataclasses.MISSING for field in dataclasses.fields(Scenario)}
    if unknown := table.keys() - keys:
        raise InputError(f"scenario {name}: unknown key {min(unknown)}; known keys: {', '.join(keys)}")
    if missing := {key for key, required in keys.items() if required} - {"name", *table}:
        raise InputError(f"scenario {name}: missing key {min(missing)}")
    low, high = table["prs_per_member_week"]
    return Scenario(
        name=name,
        point=table["point"],
        members=table["members"],
        prs_per_member_week=(low, high),
        ai_adoption_rate=_ramp(table["ai_adoption_rate"]),
        cycle_hours=_ramp(table["cycle_hours"]),
        review_hours=_ramp(table["review_hours"]),
        quality=_ramp(table["quality"]),
        revert_rate=_ramp(table["revert_rate"]),
        ci_pass_rate=_ramp(table["ci_pass_rate"]),
        top_reviewer_share=table.get("top_reviewer_share"),
        open_share=table.get("open_share"),
        guesses=_guesses(table["guesses"]) if "guesses" in table else None,
        team_name=table.get("team_name", name.replace("-", " ").capitalize()),
        team_slug=table.get("team_slug"),
    )


def _ramp(value: float | list[float]) -> Ramp:
    start, end = value if isinstance(value, list) else (value, value)
    return Ramp(start, end)


def _guesses(table: Mapping[str, list[float]]) -> Guesses:
    ranges = {kind: (low, high) for kind, (low, high) in table.items()}
    return Guesses(
        obvious=ranges["obvious"],
        stealthy=ranges["stealthy"],
        ai_like=ranges["ai-like"],
        human=ranges["human"],
    )
