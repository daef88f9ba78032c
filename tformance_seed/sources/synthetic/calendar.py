"""The times at which generated pull requests end, and the choice of those that a window contains.

A pull request is dated by the time at which it ends. Its ordinal, here its number, and its day depend on the
organisation's rate, never on the window, so a window that moves by a day keeps what it already had.
"""

import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.organisations import repository_weights
from tformance_seed.catalog.profile import Profile, days_between
from tformance_seed.errors import InputError
from tformance_seed.sampling.apportionment import apportion
from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Times
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sampling.ragged import expand_counts, group_starts, sort_within_groups
from tformance_seed.sources.records import pull_request_key
from tformance_seed.sources.synthetic.habits import habit

#: First day that a window may contain.
FIRST_DAY = datetime.date(2015, 1, 1)

#: Day from which the pull requests of every repository are numbered: a year before ``FIRST_DAY``, so that a
#: fixed number of pull requests can be counted back from the end of any window.
FOUNDED = datetime.date(2014, 1, 1)

#: Mean number of days in a year, and number of seconds in a day.
DAYS_PER_YEAR, DAY_SECONDS = 365.25, 86_400

#: Activity on a day of the year-end holidays, as a share of another day's.
YEAR_END_ACTIVITY = 0.3

#: Length of the year-end holidays in days: 25 December to 7 January; and the days of them without activity,
#: Christmas and New Year.
YEAR_END_DAYS, DAYS_OFF = 14, (0, 7)

#: Share of pull requests that end minutes after the one before, at most so many in a row, and the seconds
#: between them.
BURST_SHARE, MAX_BURST, BURST_SECONDS = 0.16, 3, (40, 560)

#: Random factor for the activity of each day (minimum and maximum); the mean is 1.
DAY_FACTOR = (0.6, 1.4)

#: Mean activity of a day over many years, as a share of a day's that is no holiday.
MEAN_ACTIVITY = 1 - (YEAR_END_DAYS - YEAR_END_ACTIVITY * (YEAR_END_DAYS - len(DAYS_OFF))) / DAYS_PER_YEAR

#: Weights of the local hours, from midnight, in which a pull request ends.
HOUR_WEIGHTS = (2, 1, 0, 0, 0, 0, 1, 4, 14, 80, 98, 104, 72, 88, 104, 106, 100, 84, 50, 20, 17, 14, 9, 5)


class Calendar(Protocol):
    """The pull requests of one repository in a window, numbered ``first`` to ``first + total - 1``."""

    first: int
    total: int

    def days(self, numbers: Ints) -> Times:
        """Return the day, in UTC, on which each pull request ends."""


class RateCalendar:
    """A repository with a steady rate: pull request k ends when the activity since ``FOUNDED`` reaches k.

    Parameters:
      rate: number of pull requests on an average day.
      count: number of pull requests to take, counted back from the end of the window; the earliest of them
        may end shortly before the window. None: take all that end in the window.
    """

    def __init__(self, profile: Profile, repository: str, rate: float, count: int | None) -> None:
        days = days_between(FOUNDED, profile.until)
        activity = np.cumsum(_activity(profile.random, repository, days))
        #: Number of pull requests that have ended by the end of each day since ``FOUNDED``.
        self._ended: Ints = np.floor(rate * activity / MEAN_ACTIVITY).astype(np.int64)
        last = int(self._ended[-1])
        self.total = last - int(self._ended[-1 - len(profile.days)]) if count is None else count
        self.first = last - self.total + 1
        self.rate = rate

    def days(self, numbers: Ints) -> Times:
        """Return the day, in UTC, on which each pull request ends."""
        return np.datetime64(FOUNDED, "D") + np.searchsorted(self._ended, numbers, side="left")

    def on_days(self, days: Times) -> tuple[Ints, Ints]:
        """Return the first of the pull requests that end on each day, and their number."""
        index = (days - np.datetime64(FOUNDED, "D")).astype(np.int64)
        before = np.where(index > 0, self._ended[index - 1], 0)
        return before + 1, self._ended[index] - before


class ScenarioCalendar:
    """A team in which every member finishes a given number of pull requests per week.

    Pull requests are numbered by week and then by member. Weeks are counted from the first day of the window;
    an incomplete last week has fewer pull requests.

    Parameters:
      per_member_week: pull requests per member and week (minimum and maximum).
    """

    first = 1

    def __init__(self, profile: Profile, per_member_week: tuple[int, int]) -> None:
        self._random = profile.random
        weeks = [profile.days[start : start + 7] for start in range(0, len(profile.days), 7)]
        #: The working days of each week; all of its days if an incomplete last week has no working day.
        self._weeks = [week[_is_weekday(week)] if _is_weekday(week).any() else week for week in weeks]
        low, high = per_member_week
        week, member = np.arange(len(weeks))[:, None], np.arange(profile.members)[None, :]
        counts = self._random.integers("member-week", week, member, low=low, high=high)
        counts = counts * np.array([len(days) for days in weeks])[:, None] // 7
        self._week = np.repeat(np.broadcast_to(week, counts.shape).ravel(), counts.ravel())
        self._author = np.repeat(np.broadcast_to(member, counts.shape).ravel(), counts.ravel())
        self.total = len(self._week)

    def days(self, numbers: Ints) -> Times:
        """Return the day, in UTC, on which each pull request ends: a working day of its week."""
        week = self._week[numbers - 1]
        lengths = np.array([len(days) for days in self._weeks])
        position = np.floor(self._random.uniform("weekday", numbers) * lengths[week]).astype(np.int64)
        days: Times = np.concatenate(self._weeks)[group_starts(lengths)[week] + position]
        return days

    def authors(self, numbers: Ints) -> Ints:
        """Return the author of each pull request, as a row of the members."""
        return self._author[numbers - 1]


def make_calendars(profile: Profile) -> list[Calendar]:
    """Return a calendar for each repository of the organisation, the busiest first.

    Raises:
      InputError: the window begins before ``FIRST_DAY``.
    """
    if profile.since < FIRST_DAY:
        raise InputError(
            f"the window begins on {profile.since}; generated windows begin on {FIRST_DAY} or later"
        )
    repositories = profile.organisation.repos
    if profile.scenario is not None:
        return [ScenarioCalendar(profile, profile.scenario.prs_per_member_week)]
    shares = np.array(repository_weights(len(repositories)))
    if profile.prs is None:
        rates = profile.organisation.prs_per_year / DAYS_PER_YEAR * shares
        counts: list[int | None] = [None] * len(repositories)
    else:
        exact_counts = apportion(np.array([profile.prs]), shares[None, :])[0]
        rates, counts = exact_counts / len(profile.days), exact_counts.tolist()
    return [
        RateCalendar(profile, repository, rate, count)
        for repository, rate, count in zip(repositories, rates.tolist(), counts, strict=True)
    ]


def pick_end_times(profile: Profile, calendar: Calendar, repository: str, numbers: Ints) -> Times:
    """Choose the times, ``datetime64[s]`` in UTC, at which pull requests end, by local working hours.

    Local times that fall on another day in UTC wrap around to the same UTC day. Some end in a burst: soon
    after another that ends on the same day. At a steady rate, the pull requests of a day end in the order of
    their numbers.
    """
    days = calendar.days(numbers)
    if not isinstance(calendar, RateCalendar):
        return days + _times_of_day(profile, calendar, repository, numbers)
    each, inverse = np.unique(days, return_inverse=True)
    first, counts = calendar.on_days(each)
    owner, position = expand_counts(counts)
    times = sort_within_groups(_times_of_day(profile, calendar, repository, first[owner] + position), owner)
    ended_at: Times = days + times[(group_starts(counts) - first)[inverse] + numbers]
    return ended_at


def _times_of_day(
    profile: Profile, calendar: Calendar, repository: str, numbers: Ints
) -> npt.NDArray[np.timedelta64]:
    """Draw a time of its day, in UTC, for each pull request."""
    random, days = profile.random, calendar.days(numbers)
    first, key = numbers, pull_request_key(repository, numbers)
    own_key = key
    for _ in range(MAX_BURST):
        before = np.maximum(first - 1, 1)
        joins = random.chance("burst", BURST_SHARE, key) & (before < first) & (calendar.days(before) == days)
        first = np.where(joins, before, first)
        key = pull_request_key(repository, first)
    second = random.pick("hour", HOUR_WEIGHTS, key) * 3600 + random.integers("second", key, low=0, high=3599)
    low, high = BURST_SECONDS
    second += (numbers - first) * random.integers("seconds later", own_key, low=low, high=high)
    return ((second - profile.utc_offset) % DAY_SECONDS).astype("timedelta64[s]")


def _is_weekday(days: Times) -> Booleans:
    return (days.astype(np.int64) + 3) % 7 < 5  # day 0 of 1970 was a Thursday


def _activity(random: KeyedRandom, repository: str, days: Times) -> Floats:
    """Return the activity of each day; the average is ``MEAN_ACTIVITY``.

    Saturdays and Sundays have the share of a working day's activity that is the habit of the repository.
    """
    weekend = habit(random, repository, "weekends")
    # Shifted by seven days, the year-end holidays are the first 14 days of a year.
    shifted = days + np.timedelta64(7, "D")
    day_of_year = (shifted - shifted.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    activity = np.where(_is_weekday(days), 1.0, weekend) * (7 / (5 + 2 * weekend))
    activity *= np.where(day_of_year < YEAR_END_DAYS, YEAR_END_ACTIVITY, 1.0)
    activity *= ~np.isin(day_of_year, DAYS_OFF)
    return activity * random.uniform("day", repository, days, low=DAY_FACTOR[0], high=DAY_FACTOR[1])
