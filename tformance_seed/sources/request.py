"""The user's options for the content: the part of a request that sources read."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tformance_seed.catalog.organisations import Organisation
from tformance_seed.catalog.profile import Profile
from tformance_seed.catalog.scenarios import WEEKS, find_scenario
from tformance_seed.errors import InputError
from tformance_seed.settings import DEFAULT_DAYS, DEFAULT_SEED

#: The first day that a window may contain.
MIN_DAY = datetime.date(1970, 1, 2)


def _ignore(_text: str) -> None:
    pass


@dataclass(frozen=True)
class FetchListener:
    """Whom a source tells what it is doing while it fetches from a network.

    Parameters:
      say: is given lines for the user to keep.
      show: is given the state of affairs, each time in place of the last one.
    """

    say: Callable[[str], None] = _ignore
    show: Callable[[str], None] = _ignore


@dataclass(frozen=True)
class ContentRequest:
    """The user's options for the content; None for options that the user did not give.

    ``patient`` is whether to wait for the limits of a server that is asked, and ``listener`` is told of it.
    """

    organisations: Sequence[str] = ()
    everything: bool = False
    source: str | None = None
    repositories: Sequence[Path] = ()
    days: int | None = None
    until: datetime.date | None = None
    shift_to: datetime.date | None = None
    members: int | None = None
    prs: int | None = None
    adoption: float | None = None
    scenario: str | None = None
    scale: str | None = None
    seed: int = DEFAULT_SEED
    emails: bool = False
    catalog: Path | None = None
    members_from: str | None = None
    cache_dir: Path | None = None
    refresh: bool = False
    offline: bool = False
    patient: bool = False
    listener: FetchListener = field(default=FetchListener(), compare=False)

    def profile(
        self, organisation: Organisation, members: int, until: datetime.date, shift_weeks: int = 0
    ) -> Profile:
        """Return the profile for seeding an organisation.

        Parameters:
          until: last day of the window, before it is moved.
          shift_weeks: number of weeks by which the window, and everything in it, is moved.

        Raises:
          InputError: the window is impossible.
        """
        since, until = self._window(until, datetime.timedelta(weeks=shift_weeks))
        return Profile(
            organisation=organisation,
            seed=self.seed,
            since=since,
            until=until,
            members=members,
            prs=self.prs,
            adoption=organisation.ai_adoption_rate if self.adoption is None else self.adoption,
            adoption_given=self.adoption is not None,
            scenario=find_scenario(self.scenario) if self.scenario else None,
            shift_weeks=shift_weeks,
        )

    def _window(self, until: datetime.date, shift: datetime.timedelta) -> tuple[datetime.date, datetime.date]:
        """Return the first and the last day of the window, moved by ``shift``."""
        days = DEFAULT_DAYS if self.days is None else self.days
        if self.scenario:  # whole weeks, so that they coincide with those of the weekly metrics
            until -= datetime.timedelta(days=(until.weekday() + 1) % 7)
            days = 7 * WEEKS
        try:
            since = until - datetime.timedelta(days=days - 1)
            moved = since + shift, until + shift
        except OverflowError:
            since, moved = datetime.date.min, (datetime.date.min, until)
        if min(since, *moved) < MIN_DAY:
            raise InputError(
                f"impossible window: {days} days up to {moved[1]}; it must not begin before {MIN_DAY}"
            )
        return moved


def last_whole_day(now: datetime.datetime) -> datetime.date:
    """Return the newest day, in UTC, that is over."""
    return now.date() - datetime.timedelta(days=1)
