"""The inputs for seeding one organisation: its catalogue entry, the window, and the user's options."""

import datetime
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.organisations import Organisation
from tformance_seed.catalog.scenarios import WEEKS, Scenario
from tformance_seed.sampling.arrays import Floats, Ints, Times
from tformance_seed.sampling.keyed_random import KeyedRandom

DAY = np.timedelta64(1, "D")

#: Possible UTC offsets of an organisation, in hours -> their weights.
UTC_OFFSETS = {-8: 3, -7: 2, -5: 3, -3: 1, 0: 2, 1: 3, 2: 2, 3: 1, 5.5: 2}


def days_between(since: datetime.date, until: datetime.date) -> Times:
    """Return the days from ``since`` to ``until``, both included, as ``datetime64[D]``."""
    return np.arange(np.datetime64(since, "D"), np.datetime64(until, "D") + DAY)


def workdays_between(since: datetime.date, until: datetime.date) -> Times:
    """Return the days from Monday to Friday among ``days_between``."""
    days = days_between(since, until)
    return days[np.is_busday(days)]


def describe_shift(slug: str, since: datetime.date, until: datetime.date, weeks: int) -> str:
    """Say that an organisation's history was moved into the window from ``since`` to ``until``."""
    shift = datetime.timedelta(weeks=weeks)
    amount = f"{abs(weeks)} {'week' if abs(weeks) == 1 else 'weeks'} {'later' if weeks > 0 else 'earlier'}"
    return f"all dates of {slug} were moved {amount}: its history is of {since - shift} to {until - shift}"


@dataclass(frozen=True)
class Profile:
    """The inputs for one organisation; every generated value is a function of them.

    Parameters:
      since, until: first and last day of the window, both included, in UTC.
      members: number of people (generated source).
      prs: exact number of pull requests in the window; None: use the organisation's yearly rate.
      adoption: share of members who use AI tools, unless a scenario sets it.
      adoption_given: whether the user gave the adoption rate. If so, pull requests follow it too
        (``ai_pr_probability`` in the old seeder) instead of the share found in public repositories.
      shift_weeks: number of weeks by which the source's times are moved to fall into the window.
      known_until: the last moment of which the source knows anything, if that is within the window.
    """

    organisation: Organisation
    seed: int
    since: datetime.date
    until: datetime.date
    members: int
    prs: int | None = None
    adoption: float = 0.45
    adoption_given: bool = False
    scenario: Scenario | None = None
    shift_weeks: int = 0
    known_until: datetime.datetime | None = None

    @cached_property
    def random(self) -> KeyedRandom:
        """The source of this organisation's random values."""
        return KeyedRandom(self.seed, self.organisation.slug)

    @property
    def days(self) -> Times:
        """The days of the window, ``datetime64[D]``."""
        return days_between(self.since, self.until)

    @property
    def shift(self) -> datetime.timedelta:
        """The time by which the source's times are moved."""
        return datetime.timedelta(weeks=self.shift_weeks)

    @property
    def shift_seconds(self) -> int:
        """The seconds by which the source's times are moved."""
        return int(self.shift.total_seconds())

    @property
    def workdays(self) -> Times:
        """The days from Monday to Friday in the window of which all is known, ``datetime64[D]``."""
        days = workdays_between(self.since, self.until)
        return days[days + DAY <= self.end]

    @property
    def end(self) -> np.datetime64:
        """The first second after the window, ``datetime64[s]``: nothing may happen then or later."""
        if self.known_until is not None:
            return np.datetime64(int(self.known_until.timestamp()) + 1, "s")
        return np.datetime64(self.until, "s") + DAY

    @cached_property
    def utc_offset(self) -> int:
        """The organisation's offset from UTC in seconds, positive if its clocks are ahead."""
        choice = int(self.random.pick("utc-offset", list(UTC_OFFSETS.values())))
        return int(list(UTC_OFFSETS)[choice] * 3600)

    def progress(self, when: npt.ArrayLike) -> Floats:
        """Return how far the scenario has progressed at each time: 0 in its first week, 1 in its last.

        It is constant within a week.
        """
        days = (np.asarray(when, dtype="datetime64[D]") - np.datetime64(self.since, "D")).astype(np.int64)
        week: Ints = np.clip(days // 7, 0, WEEKS - 1)
        return week / (WEEKS - 1)

    def adoption_at(self, when: npt.ArrayLike) -> Floats:
        """Return the share of members who use AI tools at each time."""
        if self.scenario is None:
            return np.full(np.shape(when), self.adoption)
        return self.scenario.ai_adoption_rate.at(self.progress(when))

    @property
    def mean_adoption(self) -> float:
        """The share of members who use AI tools, averaged over the workdays; 0 if there are no workdays."""
        workdays = self.workdays
        return float(np.mean(self.adoption_at(workdays))) if len(workdays) else 0.0
