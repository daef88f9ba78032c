"""The people of the generated source; what is said of member i depends on i alone, not on their number."""

import functools
import unicodedata

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.distributions import CappedLogNormal
from tformance_seed.sampling.keyed_random import KeyedRandom, UInt64, text_keys
from tformance_seed.sampling.sobol import SobolSequence
from tformance_seed.sources.records import Members
from tformance_seed.sources.synthetic.words import words

Ints = npt.NDArray[np.int64]

#: How much work a member does against the median member. The busiest fifth does about two thirds of it, as
#: in most projects: for a lognormal that is a mean 2.2 times the median.
WORK = CappedLogNormal(median=1.0, mean=2.2, cap=40.0)

#: What decides how much each member works, and above which adoption rate they use AI tools.
SHARE_OF_WORK, ADOPTION = SobolSequence("share of work"), SobolSequence("adoption")

#: Least github_id, and how many there are: the greatest prime that keeps them at 8 digits. Steps of one
#: width around a circle of prime length meet no place twice.
GITHUB_ID_FIRST, GITHUB_IDS = 1_000_000, 98_999_987

#: Share of leads among the members after the first, who is the admin.
LEADS = 0.1

#: Forms of a login, each used by a share of the members; all distinct for distinct names.
LOGINS = ("{first}{last}{suffix}", "{first}-{last}{suffix}", "{first}{last}{suffix}-dev")

#: Day of the first member's row, and how many days the others may follow it.
JOINED, JOINED_DAYS = np.datetime64("2021-01-01", "s"), 4 * 365

#: A scenario's member of rank r among n uses AI tools at rates above (r + NEAREST) / n: a half rounds up.
NEAREST = 0.4999

_BASE36 = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)


def people(profile: Profile) -> Members:
    """The first ``profile.members`` members of an organisation; a million stay distinct.

    In a scenario ``adoption_threshold`` also depends on how many they are, as the table of adoption is to
    show in a team of five.
    """
    random, count = profile.random, profile.members
    index = np.arange(count)
    names, logins = _names(random, count)
    slug = profile.organisation.slug
    github_id = np.char.mod(b"%d", _github_ids(random, index)) if count else np.zeros(0, "S8")
    roles = np.array([b"developer", b"lead", b"admin"])
    weight = WORK.quantile(random.sobol(SHARE_OF_WORK, index))
    return Members(
        columns={
            "display_name": np.array([name.encode() for name in names], dtype="S"),
            "email": np.array([f"{login}@{slug}.example.com".encode() for login in logins], dtype="S"),
            "github_username": np.array([login.encode() for login in logins], dtype="S"),
            "github_id": github_id,
            "jira_account_id": np.char.add(b"5f", random.hexadecimal("jira-account", index).astype("S22")),
            "slack_user_id": _slack_ids(random, index),
            "role": roles[np.where(index == 0, 2, random.chance("lead", LEADS, index).astype(np.int64))],
            "is_active": np.ones(count, dtype=bool),
            "created_at": JOINED
            + random.integers("joined", index, low=0, high=JOINED_DAYS * 86400).astype("timedelta64[s]"),
        },
        key=text_keys(github_id),
        weight=weight / weight.sum(),
        adoption_threshold=_adoption_draws(profile, index),
    )


def _adoption_draws(profile: Profile, index: Ints) -> npt.NDArray[np.float64]:
    """Above which rates members use AI tools; in a scenario, at any rate as many of them as come nearest."""
    if profile.scenario is None:
        return profile.random.sobol(ADOPTION, index)
    rank = np.argsort(np.argsort(profile.random.random_bits("adoption", index)))
    return (rank + NEAREST) / len(index)


def _names(random: KeyedRandom, count: int) -> tuple[list[str], list[str]]:
    """Display names and logins: first and last names in a shuffled order, numbered once all were used."""
    first, last = words()["people"]["first"].split(), words()["people"]["last"].split()
    again, place = np.divmod(np.arange(count), len(first) * len(last))
    order = _least(random.random_bits("name", np.arange(len(first) * len(last))), count)
    given, family = np.divmod(order[place], len(last))
    form = random.integers("login", np.arange(count), low=0, high=len(LOGINS) - 1)
    rows = zip(given.tolist(), family.tolist(), again.tolist(), form.tolist(), strict=True)
    names, logins = [], []
    for one, other, times, style in rows:
        suffix = str(times + 1) if times else ""
        names.append(f"{first[one]} {last[other]} {suffix}".rstrip())
        logins.append(LOGINS[style].format(first=_ascii(first[one]), last=_ascii(last[other]), suffix=suffix))
    return names, logins


def _least(values: UInt64, count: int) -> Ints:
    """Where the least values are, so many of them or all, in their order."""
    if count >= len(values):
        return np.argsort(values)
    least = np.argpartition(values, count)[:count]
    return least[np.argsort(values[least])]


@functools.cache
def _ascii(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def _github_ids(random: KeyedRandom, index: Ints) -> Ints:
    start = int(random.integers("github-start", low=0, high=GITHUB_IDS - 1))
    step = int(random.integers("github-step", low=1, high=GITHUB_IDS - 1))
    return GITHUB_ID_FIRST + (start + index * step) % GITHUB_IDS


def _slack_ids(random: KeyedRandom, index: Ints) -> npt.NDArray[np.bytes_]:
    """The letter U and ten capitals or digits."""
    places = random.random_bits("slack", index)[:, None] // np.uint64(36) ** np.arange(10, dtype=np.uint64)
    digits = _BASE36[(places % np.uint64(36)).astype(np.int64)]
    return np.char.add(b"U", np.ascontiguousarray(digits).view("S10")[:, 0])
