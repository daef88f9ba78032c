"""The members of the synthetic source.

Everything about member i depends on i, not on the team's size, but who uses AI tools and which.
"""

import functools
import unicodedata

import numpy as np

from tformance_seed.catalog.calibration import USAGE_TOOL_SHARES
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Texts, UInt64
from tformance_seed.sampling.distributions import CappedLogNormal
from tformance_seed.sampling.keyed_random import KeyedRandom, text_keys
from tformance_seed.sampling.sobol import SobolSequence
from tformance_seed.sources.records import Members
from tformance_seed.sources.synthetic.words import load_words

#: A member's work in multiples of the median member's work. As in most projects, the busiest fifth does about
#: two thirds of all work: for a lognormal distribution, this means a mean of 2.2 times the median.
WORK = CappedLogNormal(median=1.0, mean=2.2, cap=40.0)

#: Sequences for each member's share of the work, and for the adoption rate above which they use AI tools.
WORK_SEQUENCE, ADOPTION_SEQUENCE = SobolSequence("share of work"), SobolSequence("adoption")

#: The number of ways to choose who uses AI tools. That one is taken in which their share of the work is
#: nearest to the adoption rate: one person may do a third of all work, and pages that compare people with and
#: without Copilot need enough of both.
ADOPTION_CHOICES = 8

#: Share of the members who use another tool than Copilot.
OTHER_TOOL_SHARE = 1 - USAGE_TOOL_SHARES["copilot"]

#: In a scenario, which of every five members use another tool, in the order in which they adopt AI: pages
#: compare the pull requests of people with Copilot and of others, whose work must be enough at any rate.
SCENARIO_OTHER_TOOL, OF_EVERY = (2, 4), 5

#: Smallest github_id, and the number of ids: the greatest prime that keeps them within 8 digits. Steps of
#: equal width around a circle of prime length visit every point once before any point is repeated.
FIRST_GITHUB_ID, GITHUB_IDS = 1_000_000, 98_999_987

#: Share of leads among all members except the first, who is the admin.
LEAD_SHARE = 0.1

#: Forms of a login, used equally often. Logins of members with different names are different.
LOGIN_FORMS = ("{first}{last}{suffix}", "{first}-{last}{suffix}", "{first}{last}{suffix}-dev")

#: Earliest creation time of a member's row, and the number of seconds after it by which all are created.
FIRST_CREATED, CREATED_WITHIN = np.datetime64("2021-01-01", "s"), 4 * 365 * 86_400

#: In a scenario with n members, the member of rank r uses AI tools at rates above (r + ROUNDING) / n, so that
#: half a member is rounded up.
ROUNDING = 0.4999

#: In a scenario, the number of ranks over which members begin to use AI at the same time, each less than the
#: one before: the whole team then uses it as much as the adoption rate says, although it is small.
ADOPTION_RANKS = 3

#: Number of characters in a Slack user id after the U.
SLACK_ID_LENGTH = 10

_BASE36_DIGITS = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)


def generate_members(profile: Profile) -> Members:
    """Return the first ``profile.members`` members of an organisation; up to a million are distinct.

    Those who use AI tools also depend on the number of members, because the adoption rate must be visible in
    a team of five, and in the work of a team of twenty.
    """
    random, count = profile.random, profile.members
    index = np.arange(count)
    names, logins = _names(random, count)
    slug = profile.organisation.slug
    github_id = np.char.mod(b"%d", _github_ids(random, index)) if count else np.zeros(0, "S8")
    roles = np.array([b"developer", b"lead", b"admin"])
    seconds = random.integers("joined", index, low=0, high=CREATED_WITHIN)
    weight = WORK.quantile(random.sobol(WORK_SEQUENCE, index))
    weight /= weight.sum()
    threshold = _adoption_thresholds(profile, weight)
    return Members(
        columns={
            "display_name": np.array([name.encode() for name in names], dtype="S"),
            "email": np.array([f"{login}@{slug}.example.com".encode() for login in logins], dtype="S"),
            "github_username": np.array([login.encode() for login in logins], dtype="S"),
            "github_id": github_id,
            "jira_account_id": np.char.add(b"5f", random.hexadecimal("jira-account", index).astype("S22")),
            "slack_user_id": _slack_ids(random, index),
            "role": roles[np.where(index == 0, 2, random.chance("lead", LEAD_SHARE, index).astype(np.int64))],
            "is_active": np.ones(count, dtype=bool),
            "created_at": FIRST_CREATED + seconds.astype("timedelta64[s]"),
        },
        key=text_keys(github_id),
        weight=weight,
        adoption_threshold=threshold,
        adoption_range=ADOPTION_RANKS / count if profile.scenario is not None and count else 0.0,
        other_tool=_other_tool(profile, weight, threshold),
    )


def _adoption_thresholds(profile: Profile, weight: Floats) -> Floats:
    """Return the adoption rates above which members use AI tools.

    In a scenario, the number of users at any rate is the whole number closest to that share of the members.
    In other teams, thresholds are evenly spread over the members in the order of their shares of the work.
    """
    count = len(weight)
    if profile.scenario is not None:
        rank = np.argsort(np.argsort(profile.random.random_bits("adoption", np.arange(count))))
        return (rank + ROUNDING) / count
    order = np.argsort(-weight, kind="stable")
    ordinals = np.arange(ADOPTION_CHOICES)[:, None] * count + np.arange(count)
    choices = profile.random.sobol(ADOPTION_SEQUENCE, ordinals)
    work_of_users = np.where(choices < profile.adoption, weight[order], 0.0).sum(axis=1)
    thresholds = np.empty(count)
    thresholds[order] = choices[np.abs(work_of_users - profile.adoption).argmin()]
    return thresholds


def _other_tool(profile: Profile, weight: Floats, threshold: Floats) -> Booleans:
    """Return which members use another tool than Copilot, if they use any.

    A scenario's small team must have some of both. In other teams, seats of Copilot go to the busiest first.
    """
    if profile.scenario is not None:
        rank = np.argsort(np.argsort(threshold, kind="stable"), kind="stable")
        is_other: Booleans = np.isin(rank % OF_EVERY, SCENARIO_OTHER_TOOL)
        return is_other
    users = np.flatnonzero(threshold < profile.adoption)
    place = np.arange(1, len(users) + 1)
    is_other = np.zeros(len(weight), dtype=bool)
    is_other[users[np.argsort(-weight[users], kind="stable")]] = (
        place * OTHER_TOOL_SHARE % 1 < OTHER_TOOL_SHARE
    )
    return is_other


def _names(random: KeyedRandom, count: int) -> tuple[list[str], list[str]]:
    """Return display names and logins, combining first and last names in random order.

    Once all combinations are used, they are repeated with a number appended.
    """
    first, last = load_words()["people"]["first"].split(), load_words()["people"]["last"].split()
    combinations = len(first) * len(last)
    rounds, position = np.divmod(np.arange(count), combinations)
    order = argsort_smallest(random.random_bits("name", np.arange(combinations)), count)
    given, family = np.divmod(order[position], len(last))
    form = random.integers("login", np.arange(count), low=0, high=len(LOGIN_FORMS) - 1)
    names, logins = [], []
    for i, j, k, n in zip(given.tolist(), family.tolist(), form.tolist(), rounds.tolist(), strict=True):
        suffix = str(n + 1) if n else ""
        names.append(f"{first[i]} {last[j]} {suffix}".rstrip())
        logins.append(LOGIN_FORMS[k].format(first=_ascii(first[i]), last=_ascii(last[j]), suffix=suffix))
    return names, logins


def argsort_smallest(values: UInt64, count: int) -> Ints:
    """Return the indices of the ``count`` smallest values (or all, if there are fewer), sorted by value."""
    if count >= len(values):
        return np.argsort(values)
    smallest = np.argpartition(values, count)[:count]
    return smallest[np.argsort(values[smallest])]


@functools.cache
def _ascii(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def _github_ids(random: KeyedRandom, index: Ints) -> Ints:
    start = int(random.integers("github-start", low=0, high=GITHUB_IDS - 1))
    step = int(random.integers("github-step", low=1, high=GITHUB_IDS - 1))
    return FIRST_GITHUB_ID + (start + index * step) % GITHUB_IDS


def _slack_ids(random: KeyedRandom, index: Ints) -> Texts:
    """Return the letter U followed by ten capital letters or digits for each member."""
    powers = np.uint64(36) ** np.arange(SLACK_ID_LENGTH, dtype=np.uint64)
    digits = (random.random_bits("slack", index)[:, None] // powers % np.uint64(36)).astype(np.int64)
    texts = np.ascontiguousarray(_BASE36_DIGITS[digits]).view(f"S{SLACK_ID_LENGTH}")
    return np.char.add(b"U", texts[:, 0])
