"""Outlines of generated pull requests: the facts about one on which other pull requests may depend."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.catalog.scenarios import Scenario
from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Texts, Times, UInt64
from tformance_seed.sampling.sobol import SobolSequence
from tformance_seed.sources.records import AI_NONE, PULL_REQUEST, Members, pull_request_key
from tformance_seed.sources.synthetic.assistance import AIKinds, assign_ai_kinds
from tformance_seed.sources.synthetic.calendar import Calendar, ScenarioCalendar, pick_end_times
from tformance_seed.sources.synthetic.habits import habit, lean
from tformance_seed.sources.synthetic.numbering import points
from tformance_seed.sources.synthetic.sizes import FILES, JITTER, lines_changed

#: The dimensions of the ``PULL_REQUEST`` sequence that are used here.
DIMENSIONS = KIND, LINES, FILE_COUNT, COMMIT_COUNT = PULL_REQUEST.dimensions[:4]

#: The sequence that decides the state of each pull request.
STATE = SobolSequence("state")

#: Shares of pull requests by state.
STATE_SHARES = {b"merged": 0.84, b"closed": 0.08, b"open": 0.08}

#: Share of the pull requests without AI that are opened by bots; the quantiles of lines and commits and the
#: number of files that these do not exceed; and the share of all without AI that are so small. A scenario has
#: no bots: it is about people.
BOT_SHARE, BOT_MAX_QUANTILES, BOT_MAX_FILES = 0.06, {LINES: 0.7, COMMIT_COUNT: 0.6}, 3
BOT_CANDIDATES = 0.324

#: How much of the share of bots there is on their day and on other days; the mean over a week is 1.
BOT_DAYS = (2.0, 0.75)

#: Shares of merged pull requests that are reverts (a scenario has its own rate) and hotfixes, and the
#: quantile of lines that both stay below.
REVERT_SHARE, HOTFIX_SHARE, SPECIAL_MAX_QUANTILE = 0.02, 0.03, 0.5

#: In a scenario, the amount by which a member's adoption threshold varies from one pull request to the next.
EAGERNESS = 0.3

#: A revert reverts one of this many pull requests before it.
REVERT_DISTANCE = 16


@dataclass(frozen=True)
class Outline:
    """The facts about a pull request on which other pull requests may depend."""

    key: UInt64
    ended_at: Times
    u: dict[str, Floats]  #: by ``DIMENSIONS``
    assigned_author: Ints | None  #: authors in a scenario
    used_ai: Booleans | None  #: in a scenario
    ai_kind: AIKinds
    is_bot: Booleans
    state: Texts
    lines: Ints
    files: Ints  #: their number
    is_revert: Booleans  #: provided that there is a pull request to revert
    is_hotfix: Booleans


def replace_rows(outline: Outline, rows: Ints, other: Outline) -> Outline:
    """Return an outline in which some rows are those of another."""

    def replaced(values: Any, others: Any) -> Any:
        if isinstance(values, dict):
            return {name: replaced(each, others[name]) for name, each in values.items()}
        if values is None:
            return None
        values = values.copy()
        values[rows] = others
        return values

    both = {each.name: (getattr(outline, each.name), getattr(other, each.name)) for each in fields(outline)}
    return Outline(**{name: replaced(*pair) for name, pair in both.items()})


def make_outline(
    profile: Profile, members: Members, calendar: Calendar, repository: str, numbers: Ints
) -> Outline:
    """Return the outlines of some pull requests of a repository.

    Parameters:
      numbers: their ordinals.
    """
    random, key = profile.random, pull_request_key(repository, numbers)
    ended_at = pick_end_times(profile, calendar, repository, numbers)
    u = _quantiles(profile, repository, numbers)
    author = used_ai = None
    if isinstance(calendar, ScenarioCalendar):
        author = calendar.authors(numbers)
        used_ai = _scenario_ai_use(profile, members, calendar, repository)[numbers - 1]
    jitter = random.uniform("blur", key, low=JITTER[0], high=JITTER[1])
    unassisted_lines = lines_changed(AI_NONE, u[LINES], jitter)
    unassisted_files = FILES.counts(unassisted_lines, u[LINES], u[FILE_COUNT])
    ai_kind = assign_ai_kinds(profile, members, u[KIND], unassisted_lines, unassisted_files, used_ai)
    lines = lines_changed(ai_kind, u[LINES], jitter)
    files = FILES.counts(lines, u[LINES], u[FILE_COUNT])
    is_bot, state = (
        _bots(profile, repository, key, ai_kind, u, files, ended_at),
        _states(profile, repository, numbers),
    )
    is_small = (state == b"merged") & (u[LINES] < SPECIAL_MAX_QUANTILE) & ~is_bot
    bots = BOT_SHARE if profile.scenario is None else 0
    special = random.uniform("special", key) * (SPECIAL_MAX_QUANTILE - bots)
    if profile.scenario is None:
        is_revert = is_small & (special < REVERT_SHARE)
    else:
        is_revert = _scenario_reverts(profile, profile.scenario, calendar, repository)[numbers - 1]
    is_hotfix = is_small & ~is_revert & (special >= REVERT_SHARE) & (special < REVERT_SHARE + HOTFIX_SHARE)
    return Outline(
        key, ended_at, u, author, used_ai, ai_kind, is_bot, state, lines, files, is_revert, is_hotfix
    )


def _quantiles(profile: Profile, repository: str, numbers: Ints) -> dict[str, Floats]:
    """Return the quantiles of the sizes of pull requests, by ``DIMENSIONS``."""
    random = profile.random
    at = points(profile, repository, numbers)
    u = {name: random.sobol(PULL_REQUEST, at, repository, dimension=name) for name in DIMENSIONS}
    if profile.scenario is not None:
        return u
    leaning = {name: lean(random, name, repository, numbers, u[name]) for name in (LINES, FILE_COUNT)}
    return u | leaning


def _states(profile: Profile, repository: str, numbers: Ints) -> Texts:
    """Return the state of each pull request; evenly spread, so that a small team has some open ones, too."""
    shares = STATE_SHARES
    if profile.scenario is not None and profile.scenario.open_share is not None:
        still_open = profile.scenario.open_share
        shares = STATE_SHARES | {b"open": still_open, b"merged": 1 - STATE_SHARES[b"closed"] - still_open}
    bounds = np.cumsum(list(shares.values()))[:-1]
    u = profile.random.sobol(STATE, numbers, repository)
    return np.array(list(shares))[np.searchsorted(bounds, u, side="right")]


def _scenario_ai_use(
    profile: Profile, members: Members, calendar: ScenarioCalendar, repository: str
) -> Booleans:
    """Return in which pull requests of a scenario the author used AI, for all of its pull requests.

    A week has too few of them to leave their number to chance: its share of merged pull requests is the
    adoption rate, to the nearest whole number. They are mostly those of the members who adopt AI first.
    """
    numbers = np.arange(1, calendar.total + 1)
    key, days, author = (
        pull_request_key(repository, numbers),
        calendar.days(numbers),
        calendar.authors(numbers),
    )
    threshold = members.adoption_threshold[author]
    week = (days - np.datetime64(profile.since, "D")).astype(np.int64) // 7
    order = np.lexsort((threshold + profile.random.uniform("eagerness", key, high=EAGERNESS), week))
    week, is_merged = week[order], (_states(profile, repository, numbers) == b"merged")[order]
    merged = np.bincount(week, weights=is_merged)
    due = np.floor(profile.adoption_at(days[order]) * merged[week] + 0.5)
    before = np.cumsum(is_merged) - is_merged - (np.cumsum(merged) - merged)[week]
    used = np.zeros(len(numbers), dtype=bool)
    used[order] = before < due
    ever = profile.adoption_at(profile.days).max(initial=0.0)
    return used & (members.ai_intensity(author, ever) > 0)


def _scenario_reverts(profile: Profile, scenario: Scenario, calendar: Calendar, repository: str) -> Booleans:
    """Return which pull requests of a scenario revert another, for all of its pull requests.

    Reverts are too few to leave their number to chance. Whenever the sum of the revert rates of all merged
    pull requests exceeds the next whole number, starting with 0, the next small merged pull request that has
    something to revert is a revert.
    """
    numbers = np.arange(1, calendar.total + 1)
    is_merged = _states(profile, repository, numbers) == b"merged"
    # Within a week, pull requests end in any order. If all earlier numbers end later, there is no original.
    ended_at = pick_end_times(profile, calendar, repository, numbers)
    earlier = np.maximum(np.arange(len(numbers))[:, None] - np.arange(1, REVERT_DISTANCE + 1), 0)
    is_small = is_merged & (_quantiles(profile, repository, numbers)[LINES] < SPECIAL_MAX_QUANTILE)
    has_original = (is_small[earlier] & (ended_at[earlier] < ended_at[:, None])).any(axis=1)
    is_candidate = is_small & has_original & (numbers > REVERT_DISTANCE)
    candidates = np.flatnonzero(is_candidate)
    rate = scenario.revert_rate.at(profile.progress(calendar.days(numbers)))
    due = np.ceil(np.cumsum(rate * is_merged)[candidates])
    is_revert = np.zeros(len(numbers), dtype=bool)
    is_revert[candidates] = np.diff(due, prepend=0) > 0
    return is_revert


def find_originals(
    profile: Profile,
    members: Members,
    calendar: Calendar,
    repository: str,
    numbers: Ints,
    ended_at: Times,
) -> Ints:
    """Return the number of the pull request that each revert reverts; 0 if there is none.

    The original is small, was opened by a person, was merged before the revert, and is neither a revert nor a
    hotfix.
    """
    if not len(numbers):
        return numbers
    distance = np.arange(1, REVERT_DISTANCE + 1)
    key = pull_request_key(repository, numbers)[:, None]
    order = np.argsort(profile.random.random_bits("reverted", key, distance), axis=1)
    tried = numbers[:, None] - distance[order]
    candidates, row = np.unique(np.maximum(tried, 1), return_inverse=True)
    outline = make_outline(profile, members, calendar, repository, candidates)
    is_eligible = (outline.state == b"merged") & ~(outline.is_bot | outline.is_revert | outline.is_hotfix)
    is_eligible &= outline.u[LINES] < SPECIAL_MAX_QUANTILE
    row = row.reshape(tried.shape)
    is_original = is_eligible[row] & (outline.ended_at[row] < ended_at[:, None]) & (tried > 0)
    first = is_original.argmax(axis=1)
    rows = np.arange(len(numbers))
    return np.where(is_original[rows, first], tried[rows, first], 0)


def _bots(
    profile: Profile,
    repository: str,
    key: UInt64,
    ai_kind: AIKinds,
    u: dict[str, Floats],
    files: Ints,
    ended_at: Times,
) -> Booleans:
    """Return which pull requests are opened by bots, mostly on one day of the week."""
    if profile.scenario is not None:
        return np.zeros(len(key), dtype=bool)
    weekday = (ended_at.astype("datetime64[D]").astype(np.int64) + 3) % 7
    busy = weekday == int(profile.random.integers("day of bots", low=0, high=4))
    share = BOT_SHARE / BOT_CANDIDATES * np.where(busy, BOT_DAYS[0], BOT_DAYS[1])
    share *= habit(profile.random, repository, "bots")
    is_bot: Booleans = (
        profile.random.chance("bot", share, key) & (ai_kind == AI_NONE) & (files <= BOT_MAX_FILES)
    )
    for dimension, bound in BOT_MAX_QUANTILES.items():
        is_bot &= u[dimension] < bound
    return is_bot
