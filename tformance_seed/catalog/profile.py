"""What one organisation is seeded with: the catalogue's entry, the window, and what the user asked for."""

import datetime
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.organisations import Organisation
from tformance_seed.catalog.scenarios import WEEKS, Scenario
from tformance_seed.sampling.arrays import Floats, Ints, Times
from tformance_seed.sampling.keyed_random import KeyedRandom

#: Offsets from UTC at which an organisation may work, in hours, and their shares.
UTC_OFFSETS = {-8: 3, -7: 2, -5: 3, -3: 1, 0: 2, 1: 3, 2: 2, 3: 1, 5.5: 2}


def days_between(since: datetime.date, until: datetime.date) -> Times:
    """Return the days from ``since`` to ``until``, both included, as ``datetime64[D]``."""
    return np.arange(np.datetime64(since, "D"), np.datetime64(until, "D") + 1)


def workdays_between(since: datetime.date, until: datetime.date) -> Times:
    """Return those of ``days_between`` that are a Monday to Friday."""
    days = days_between(since, until)
    return days[np.is_busday(days)]


@dataclass(frozen=True)
class Profile:
    """The inputs of one organisation; every generated value is a function of them.

    Parameters:
      since, until: first and last day of the window, both included, in UTC.
      members: number of people (generated source).
      prs: exact number of pull requests in the window; None: the organisation's own yearly rate.
      adoption: share of members who use AI tools, where no scenario moves it.
      adoption_given: the user named the rate, so pull requests follow it too (``ai_pr_probability`` of the
        old seeder) and not the share that was found in public repositories.
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

    @cached_property
    def random(self) -> KeyedRandom:
        """The random values of this organisation."""
        return KeyedRandom(self.seed, self.organisation.slug)

    @property
    def days(self) -> Times:
        """The days of the window, ``datetime64[D]``."""
        return days_between(self.since, self.until)

    @property
    def workdays(self) -> Times:
        """The days of the window from Monday to Friday, ``datetime64[D]``."""
        return workdays_between(self.since, self.until)

    @property
    def end(self) -> np.datetime64:
        """The first second after the window, ``datetime64[s]``: nothing may happen then or later."""
        return np.datetime64(self.until + datetime.timedelta(days=1), "s")

    @cached_property
    def utc_offset(self) -> int:
        """How far the organisation's clocks are ahead of UTC, in seconds."""
        choice = int(self.random.pick("utc-offset", list(UTC_OFFSETS.values())))
        return int(list(UTC_OFFSETS)[choice] * 3600)

    def progress(self, when: npt.ArrayLike) -> Floats:
        """Return how far the scenario has come at each time: 0 in its first week, 1 in its last.

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
        """The share of members who use AI tools, as the mean over the workdays; 0 if there are none."""
        workdays = self.workdays
        return float(np.mean(self.adoption_at(workdays))) if len(workdays) else 0.0
