"""The user's options for the content: the part of a request that sources read."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tformance_seed.catalog.organisations import Organisation
from tformance_seed.catalog.profile import Profile
from tformance_seed.catalog.scenarios import WEEKS, find_scenario
from tformance_seed.errors import InputError
from tformance_seed.settings import DEFAULT_DAYS, DEFAULT_SEED

#: The first and the last day that a window may contain.
MIN_DAY, MAX_DAY = datetime.date(1970, 1, 2), datetime.date(9998, 12, 31)


@dataclass(frozen=True)
class ContentRequest:
    """The user's options for the content; None for options that the user did not give."""

    organisations: Sequence[str] = ()
    everything: bool = False
    source: str | None = None
    repositories: Sequence[Path] = ()
    days: int | None = None
    until: datetime.date | None = None
    members: int | None = None
    prs: int | None = None
    adoption: float | None = None
    scenario: str | None = None
    seed: int = DEFAULT_SEED
    emails: bool = False
    catalog: Path | None = None

    def profile(self, organisation: Organisation, until: datetime.date, members: int) -> Profile:
        """Return the profile for seeding an organisation.

        Parameters:
          until: last day of the window.

        Raises:
          InputError: the window is impossible.
        """
        since, until = self._window(until)
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
        )

    def _window(self, until: datetime.date) -> tuple[datetime.date, datetime.date]:
        """Return the first and the last day of the window."""
        days = DEFAULT_DAYS if self.days is None else self.days
        if self.scenario:  # whole weeks, so that they coincide with those of the weekly metrics
            until -= datetime.timedelta(days=(until.weekday() + 1) % 7)
            days = 7 * WEEKS
        try:
            since = until - datetime.timedelta(days=days - 1)
        except OverflowError:
            since = datetime.date.min
        if since < MIN_DAY or until > MAX_DAY:
            raise InputError(
                f"impossible window: {days} days up to {until}; expected it between {MIN_DAY} and {MAX_DAY}"
            )
        return since, until
