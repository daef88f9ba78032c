"""Releases of generated repositories: one every week or two, each with the version that comes next."""

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Ints
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.records import Members
from tformance_seed.sources.synthetic.calendar import Calendar, RateCalendar
from tformance_seed.sources.synthetic.outlines import make_outline

#: Days from one release to the next, and how many pull requests are between them (minimum and maximum).
DAYS, PULL_REQUESTS = 10.0, (12, 120)

#: Number of pull requests of a period that are tried as its release; the first fit one is.
CANDIDATES = 4

#: Greatest number of files and lines of a release.
MAX_FILES, MAX_LINES = 6, 300

#: Number of patch releases of a minor version (minimum and maximum), number of minor versions after which
#: these numbers recur, and of those of a major version.
PATCHES, RECURRENCE, MINORS = (1, 5), 5, 30


def find_releases(
    profile: Profile, members: Members, calendar: Calendar, repository: str, numbers: Ints
) -> Ints:
    """Return which of the repository's releases pull requests are, counted from 0; -1 for none.

    A release is small, merged, and opened by a person. A scenario has none.

    Parameters:
      numbers: ordinals of the repository.
    """
    if not isinstance(calendar, RateCalendar):
        return np.full(len(numbers), -1)
    length = int(np.clip(round(DAYS * calendar.rate), *PULL_REQUESTS))
    period, inverse = np.unique(numbers // length, return_inverse=True)
    tries = np.arange(CANDIDATES)
    within = profile.random.integers("release", repository, period[:, None], tries, low=0, high=length - 1)
    tried = np.sort(period[:, None] * length + within, axis=1)
    # The first of them in time is taken, so it does not matter that the end of the window hides later ones.
    is_known = (tried >= 1) & (tried < calendar.first + calendar.total)
    candidates, row = np.unique(tried[is_known], return_inverse=True)
    outline = make_outline(profile, members, calendar, repository, candidates)
    is_fit = (outline.state == b"merged") & ~(outline.is_bot | outline.is_revert | outline.is_hotfix)
    is_fit &= (outline.files <= MAX_FILES) & (outline.lines <= MAX_LINES)
    fits = np.zeros(tried.shape, dtype=bool)
    fits[is_known] = is_fit[row]
    first = fits.argmax(axis=1)
    rows = np.arange(len(period))
    released = np.where(fits[rows, first], tried[rows, first], 0)
    return np.where(released[inverse] == numbers, period[inverse], -1)


def version(random: KeyedRandom, repository: str, release: int) -> bytes:
    """Return the version of a release: the first, or a patch, of the next minor or major version."""
    low, high = PATCHES
    lengths = random.integers("patches", repository, np.arange(RECURRENCE), low=low, high=high)
    first = int(random.integers("major version", repository, low=0, high=4))
    rounds, rest = divmod(release, int(lengths.sum()))
    ends = np.cumsum(lengths)
    place = int(np.searchsorted(ends, rest, side="right"))
    major, minor = divmod(rounds * RECURRENCE + place, MINORS)
    return b"%d.%d.%d" % (first + major, minor, rest - int(ends[place] - lengths[place]))
