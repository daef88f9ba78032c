"""When the pull requests of the generated source end, and which of them a window holds.

A pull request is anchored on the time it ends. So a window that slides by a day keeps what it had: the
number of a pull request and its day depend on the organisation's rate, never on the window.
"""

import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.profile import Profile
from tformance_seed.errors import InputError
from tformance_seed.sampling.apportionment import apportion
from tformance_seed.sampling.keyed_random import KeyedRandom

Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]

#: First day that a window may hold.
EPOCH = datetime.date(2015, 1, 1)

#: Day on which every repository's pull request 1 comes due: a year before ``EPOCH``, so that a fixed number
#: of pull requests can be counted back from the end of any window.
FOUNDED = np.datetime64("2014-01-01", "D")

#: JobContext of a Saturday or Sunday, and of a day between the years; a working day is 1.
WEEKEND, YEAR_END = 0.12, 0.3

#: Days between the years, 25 December to 7 January.
YEAR_END_DAYS = 14

#: Least and greatest of a day's own factor; their mean is 1.
NOISE = (0.6, 1.4)

#: Mean work of a day over the years.
MEAN_WORK = (5 + 2 * WEEKEND) / 7 * (1 - (1 - YEAR_END) * YEAR_END_DAYS / 365.25)

#: Shares of a day's pull requests that end in each local hour, from midnight.
HOURS = (2, 1, 0, 0, 0, 0, 1, 4, 14, 80, 98, 104, 72, 88, 104, 106, 100, 84, 50, 20, 17, 14, 9, 5)


class Calendar(Protocol):
    """The pull requests of one repository in a window: numbers ``first`` to ``first + total - 1``."""

    first: int
    total: int

    def days(self, numbers: Ints) -> Days:
        """The day, in UTC, on which each pull request ends."""


class RateCalendar:
    """A repository that goes on at its rate: pull request k ends when the work done passes k.

    Parameters:
      rate: pull requests of an average day.
      latest: how many pull requests the window holds, the last up to its end; those of the earliest days
        may then end shortly before it. None: those that end in the window.
    """

    def __init__(self, profile: Profile, repository: str, rate: float, latest: int | None) -> None:
        days = np.arange(FOUNDED, profile.until + datetime.timedelta(days=1), dtype="datetime64[D]")
        #: How many have ended by the end of each day since ``FOUNDED``.
        self._ended = np.floor(rate * np.cumsum(_work(profile.random, repository, days)) / MEAN_WORK).astype(
            np.int64
        )
        last = int(self._ended[-1])
        self.total = last - int(self._ended[-1 - len(profile.days)]) if latest is None else latest
        self.first = last - self.total + 1

    def days(self, numbers: Ints) -> Days:
        """The day, in UTC, on which each pull request ends."""
        return FOUNDED + np.searchsorted(self._ended, numbers, side="left")


class ScenarioCalendar:
    """A team whose every member ends a given number of pull requests a week.

    Numbers run by week, then member. Weeks are counted from the first day of the window; a last one that is
    cut short holds fewer pull requests.
    """

    first = 1

    def __init__(self, profile: Profile, per_member_week: tuple[int, int]) -> None:
        self._random = profile.random
        starts = np.arange(0, len(profile.days), 7)
        weeks = [profile.days[start : start + 7] for start in starts]
        #: The days of each week on which people work, and of a stump of a weekend its days.
        self._weeks = [week[_is_weekday(week)] if _is_weekday(week).any() else week for week in weeks]
        low, high = per_member_week
        week, member = np.arange(len(weeks))[:, None], np.arange(profile.members)[None, :]
        counts = self._random.integers("member-week", week, member, low=low, high=high)
        counts = counts * np.array([len(days) for days in weeks])[:, None] // 7
        self._week = np.repeat(np.broadcast_to(week, counts.shape).ravel(), counts.ravel())
        self._author = np.repeat(np.broadcast_to(member, counts.shape).ravel(), counts.ravel())
        self.total = len(self._week)

    def days(self, numbers: Ints) -> Days:
        """The day, in UTC, on which each pull request ends: one of the working days of its week."""
        week = self._week[numbers - 1]
        lengths = np.array([len(days) for days in self._weeks])
        starts = np.cumsum(lengths) - lengths
        place = np.floor(self._random.uniform("weekday", numbers) * lengths[week]).astype(np.int64)
        return np.concatenate(self._weeks)[starts[week] + place]

    def authors(self, numbers: Ints) -> Ints:
        """The member who wrote each pull request."""
        return self._author[numbers - 1]


def calendars(profile: Profile) -> list[Calendar]:
    """A calendar for each repository of the organisation, the first the busiest.

    Raises:
      InputError: the window begins before ``EPOCH``.
    """
    if profile.since < EPOCH:
        raise InputError(f"the window begins on {profile.since}; generated windows begin on {EPOCH} or later")
    repositories = profile.organisation.repos
    if profile.scenario is not None:
        return [ScenarioCalendar(profile, profile.scenario.prs_per_member_week)]
    shares = 1.0 / np.arange(1, len(repositories) + 1)
    shares /= shares.sum()
    if profile.prs is None:
        rates = profile.organisation.prs_per_year / 365.25 * shares
        counts: list[int | None] = [None] * len(repositories)
    else:
        whole = apportion(np.array([profile.prs]), shares[None, :])[0]
        rates, counts = whole / len(profile.days), whole.tolist()
    return [
        RateCalendar(profile, repository, rate, count)
        for repository, rate, count in zip(repositories, rates, counts, strict=True)
    ]


def time_of_day(profile: Profile, key: npt.NDArray[np.uint64]) -> npt.NDArray[np.timedelta64]:
    """Seconds of the UTC day at which pull requests end, in the working hours of the organisation.

    Local hours that lie beyond midnight in UTC come around to the start of the same UTC day.
    """
    random = profile.random
    second = random.pick("hour", HOURS, key) * 3600 + random.integers("second", key, low=0, high=3599)
    return ((second - profile.utc_offset) % 86400).astype("timedelta64[s]")


def _is_weekday(days: Days) -> npt.NDArray[np.bool_]:
    return (days.astype(np.int64) + 3) % 7 < 5  # day 0 of 1970 was a Thursday


def _work(random: KeyedRandom, repository: str, days: Days) -> npt.NDArray[np.float64]:
    """How much work each day holds; an average day holds ``MEAN_WORK``."""
    # Seven days on from a day between the years stands one of the first 14 days of a year.
    shifted = days + np.timedelta64(7, "D")
    between = (shifted - shifted.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    work = np.where(_is_weekday(days), 1.0, WEEKEND)
    work *= np.where(between < YEAR_END_DAYS, YEAR_END, 1.0)
    return work * random.uniform("day", repository, days, low=NOISE[0], high=NOISE[1])
