"""Scales: how much all organisations of a catalogue hold together, shared out among them."""

import datetime
from dataclasses import dataclass

from tformance_seed.catalog.calibration import (
    APPLICATION_ORGANISATIONS,
    APPLICATION_PULL_REQUESTS,
    APPLICATION_USAGE_ROWS,
    expected_usage_rows,
)
from tformance_seed.catalog.organisations import MAX_MEMBERS, Organisation
from tformance_seed.catalog.profile import workdays_between
from tformance_seed.errors import InputError
from tformance_seed.settings import DEFAULT_DAYS


@dataclass(frozen=True)
class Scale:
    """How much a number of organisations hold together in a window of ``DEFAULT_DAYS``.

    An organisation gets its share whatever else is seeded: it depends on its position in the catalogue alone.

    Attributes:
      until: the last day of the window.
    """

    organisations: int
    pull_requests: int
    usage_rows: int
    until: datetime.date

    def members(self, organisation: Organisation) -> int:
        """Return how many members make an organisation's share of the rows of daily AI usage."""
        since = self.until - datetime.timedelta(days=DEFAULT_DAYS - 1)
        workdays = len(workdays_between(since, self.until))
        for_each_member = expected_usage_rows(1, workdays, organisation.ai_adoption_rate)
        if not for_each_member:
            return organisation.members
        return min(max(round(self.usage_rows / self.organisations / for_each_member), 1), MAX_MEMBERS)

    def pull_requests_of(self, position: int) -> int:
        """Return the share of the organisation at a position of the catalogue, from 0.

        The shares of the first ``organisations`` add up to all pull requests.
        """
        first, last = (self.pull_requests * each // self.organisations for each in (position, position + 1))
        return last - first


#: Name -> scale. ``document`` is the size of the application's own database, with which speeds are measured.
SCALES = {
    "document": Scale(
        APPLICATION_ORGANISATIONS,
        APPLICATION_PULL_REQUESTS,
        APPLICATION_USAGE_ROWS,
        datetime.date(2026, 3, 18),
    )
}


def find_scale(name: str) -> Scale:
    """Return the scale of that name.

    Raises:
      InputError: there is none.
    """
    if name not in SCALES:
        raise InputError(f"--scale {name}: no such scale; expected {' or '.join(SCALES)}")
    return SCALES[name]
