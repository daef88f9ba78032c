"""The numbers of pull requests and issues.

A repository has one counter for its pull requests and the issues beside them, so that numbers have gaps, and
counts in the order in which they were opened: what was merged late has a low number. Inside, pull requests
are counted in the order in which they end; the ordinal of a pull request is its place in that order. Both are
functions of a few hundred ordinals around, so numbers do not depend on the window.
"""

import numpy as np

from tformance_seed.catalog.calibration import FIRST_JIRA_ISSUE, PUBLISHED_BY_AI_KIND
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Floats, Ints, Texts
from tformance_seed.sampling.distributions import CappedLogNormal
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sampling.ragged import expand_counts
from tformance_seed.sources.records import PULL_REQUEST
from tformance_seed.sources.synthetic.calendar import Calendar, RateCalendar, pick_end_times
from tformance_seed.sources.synthetic.habits import habit, shuffle

#: Number of consecutive places between which issues are spread at random: within each such block, their
#: share is that of the repository.
BLOCK = 32

#: Days from opening to end, and by how many others a pull request can be overtaken at most.
_CYCLE = PUBLISHED_BY_AI_KIND[0]
CYCLE_HOURS = CappedLogNormal(_CYCLE.cycle_hours_median, _CYCLE.cycle_hours_mean, 30 * 24.0)
MAX_OVERTAKEN = 600


def pull_request_numbers(profile: Profile, calendar: Calendar, repository: str, ordinals: Ints) -> Ints:
    """Return the numbers of pull requests, which are distinct.

    Parameters:
      ordinals: any of the repository's, each at least 1.
    """
    share = habit(profile.random, repository, "issues")
    return _with_gaps(profile.random, repository, share, _places(profile, calendar, repository, ordinals))


def points(profile: Profile, repository: str, ordinals: Ints) -> Ints:
    """Return the place of each pull request in the sequence ``PULL_REQUEST``."""
    if profile.scenario is not None:  # whose few weeks are to have the same sizes
        return ordinals
    return shuffle(profile.random, repository, ordinals)


def issue_keys(profile: Profile, repository: str, ordinals: Ints) -> Texts:
    """Return the Jira keys of the issues that belong to pull requests; those of different ones differ.

    The repositories of an organisation count together: each has numbers of its own, in any order with the
    others, and the rarer its pull requests are, the greater are the steps between them.
    """
    random, organisation = profile.random, profile.organisation
    project, _, _ = organisation.jira_scheme(repository)
    count = max(1, len(organisation.repos))
    index = organisation.repos.index(repository) if repository in organisation.repos else 0
    place = _with_gaps(random, f"{repository}/issues", habit(random, repository, "other issues"), ordinals)
    step = index + 1
    place = place * step + random.integers("issue", repository, ordinals, low=0, high=index)
    turn = random.integers("turn of repositories", place, low=0, high=count - 1)
    number = FIRST_JIRA_ISSUE + place * count + (index + turn) % count
    return np.char.add(f"{project}-".encode(), number.astype("S"))


def _places(profile: Profile, calendar: Calendar, repository: str, ordinals: Ints) -> Ints:
    """Return the places of pull requests in the order in which they were opened, from 1 on."""
    if not len(ordinals):
        return ordinals
    if not isinstance(calendar, RateCalendar):
        every = np.arange(1, calendar.total + 1)
        ended_at = pick_end_times(profile, calendar, repository, every)
        place = np.empty_like(every)
        place[np.lexsort((every, ended_at))] = every
        return place[ordinals - 1]
    reach = int(min(MAX_OVERTAKEN, 30 * calendar.rate + 1))
    near = _surroundings(np.unique(ordinals), reach + 1)
    opened = near - _overtaken(profile, calendar, repository, near, reach)
    # Nothing beyond the reach can come between: places in the order of opening are those of the ordinals.
    order = np.lexsort((near, opened))
    place = np.empty_like(near)
    place[order] = near
    places: Ints = place[np.searchsorted(near, ordinals)]
    return places


def _surroundings(ordinals: Ints, margin: int) -> Ints:
    """Return ordinals, and those within a margin around them, ascending and each once."""
    breaks = np.flatnonzero(np.diff(ordinals) > 2 * margin + 1)
    first = np.maximum(1, ordinals[np.concatenate(([0], breaks + 1))] - margin)
    last = ordinals[np.concatenate((breaks, [len(ordinals) - 1]))] + margin
    owner, position = expand_counts(last - first + 1)
    return first[owner] + position


def _overtaken(profile: Profile, calendar: RateCalendar, repository: str, ordinals: Ints, reach: int) -> Ints:
    """Return how many pull requests end between the opening and the end of each."""
    u: Floats = profile.random.sobol(
        PULL_REQUEST, points(profile, repository, ordinals), repository, dimension="cycle"
    )
    overtaken = np.floor(CYCLE_HOURS.quantile(u) / 24 * calendar.rate).astype(np.int64)
    return np.minimum(overtaken, reach)


def _with_gaps(random: KeyedRandom, counter: str, share: float, places: Ints) -> Ints:
    """Return numbers of a counter that ascend with places, between which are gaps.

    Parameters:
      share: the share of numbers that are gaps.
    """
    size = round(BLOCK / (1 - share))
    block, within = np.divmod(places, BLOCK)
    each, inverse = np.unique(block, return_inverse=True)
    bits = random.random_bits("gaps", counter, each[:, None], np.arange(size))
    chosen = np.sort(np.argsort(bits, axis=1)[:, :BLOCK], axis=1)
    numbers: Ints = block * size + chosen[inverse, within]
    return numbers
