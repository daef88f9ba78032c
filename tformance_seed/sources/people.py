"""Identify people by the names and e-mail addresses in commits."""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.profile import Profile
from tformance_seed.errors import InputError
from tformance_seed.sampling.keyed_random import KeyedRandom, text_keys
from tformance_seed.sources.detection import is_bot
from tformance_seed.sources.records import RECENT_WEEKS, Activity, Members

#: The first Monday of 1970.
MONDAY = np.datetime64("1970-01-05", "D")

#: Additional weeks before the window in which activity is counted, besides those that count as recent.
LEAD_WEEKS = 3

#: The share of all people who are leads. They are the people with the most commits.
LEAD_SHARE = 0.1

#: The domain of generated addresses, and the replacement for a real address in a text.
DOMAIN = "example.com"
REDACTED = f"redacted@{DOMAIN}"

#: GitHub's noreply addresses. The number is the account's id; addresses created before July 2017 have none.
NOREPLY = re.compile(r"(?:(\d+)\+)?([a-z0-9][a-z0-9_-]*)@users\.noreply\.github\.com", re.IGNORECASE)

#: The address of an individual person: it has a domain and is not a noreply address.
PERSONAL = re.compile(r"(?!no-?reply@)[^@\s]+@[^@\s]+\.[^@\s.]+", re.IGNORECASE)

#: An address in a text: anything with a domain, or anything like an address in angle brackets in a trailer.
ADDRESS = re.compile(
    r"(?<![\w.+'-])[\w.+'-]+(?:@|%40)(?:[\w-]+\.)+[^\W\d_]{2,}|(?<=<)[^<>\s@]+@[^<>\s@]+(?=>)"
)

#: Addresses that do not belong to a person: GitHub's own, generated ones, and those of services.
IMPERSONAL = re.compile(
    rf"(?:no-?reply|git|cursoragent|copilot|aider)@.*|.*@users\.noreply\.github\.com|.*@{re.escape(DOMAIN)}",
    re.IGNORECASE,
)

#: Maximum length of a login, as on GitHub.
MAX_LOGIN = 39

#: What a tool adds to the name of the person who works with it.
MARK = re.compile(r" \(aider\)$")

#: Addresses that people have before they set one.
PLACEHOLDER = re.compile(
    r"(?:you|your|user|username|name|your[._]?name|e?mail|your[._]?email|none|nobody|unknown|test|root)@.*"
    r"|.*@(?:example|localhost|none|unknown|invalid|test|local)(?:\.[a-z]+)?|.*@.*\.(?:local|localdomain|\(none\))",
    re.IGNORECASE,
)

#: Number of unlike full names from which an address is one that people share.
SHARED_BY = 4

Identity = tuple[str, str]  # name and e-mail address, as git reports them


def redact(text: str) -> str:
    """Return the text with people's e-mail addresses replaced."""
    if "@" not in text and "%40" not in text:
        return text
    lines = text.split("\n")
    for place, line in enumerate(lines):  # an address is on one line, and few lines have one
        if "@" in line or "%40" in line:
            lines[place] = ADDRESS.sub(_redact_address, line)
    return "\n".join(lines)


def _redact_address(address: re.Match[str]) -> str:
    return address[0] if IMPERSONAL.fullmatch(address[0]) else REDACTED


@dataclass
class _IdentityActivity:
    """The commits of one identity; ``first`` in seconds since 1970, ``weeks`` numbered as by ``_week``."""

    commits: int = 0
    first: int = 2**62
    selected: bool = False
    weeks: Counter[int] = field(default_factory=Counter)


class _Person:
    """One person with all their identities, oldest first; an address that is ``borrowed`` is not theirs."""

    def __init__(self, activities: dict[Identity, _IdentityActivity], borrowed: Collection[Identity]) -> None:
        self.identities = sorted(activities, key=lambda identity: (activities[identity].first, identity))
        self.commits = sum(activity.commits for activity in activities.values())
        self.first = min(activity.first for activity in activities.values())
        self.selected = any(activity.selected for activity in activities.values())
        self.weeks = sum((activity.weeks for activity in activities.values()), Counter())
        busiest = sorted(activities, key=lambda identity: (-activities[identity].commits, identity))
        names = [MARK.sub("", name).partition("@")[0].strip() for name, _ in busiest]
        full_names = [name for name in names if " " in name]
        self.display_name = next(filter(None, full_names + names), "")
        self.emails = [
            email for name, email in busiest if PERSONAL.fullmatch(email) and (name, email) not in borrowed
        ]
        self.emails.sort(key=lambda email: NOREPLY.fullmatch(email) is not None)
        accounts = [match for _, email in busiest if (match := NOREPLY.fullmatch(email))]
        accounts.sort(key=lambda match: match[1] is None)
        self.github_id, self.login = (accounts[0][1] or "", accounts[0][2]) if accounts else ("", "")
        self.has_account = self.github_id != ""


class People:
    """All the people in a history: ``add`` each of them, then get the ``members``."""

    def __init__(self) -> None:
        self._activities: defaultdict[Identity, _IdentityActivity] = defaultdict(_IdentityActivity)
        self._links: set[tuple[Identity, Identity]] = set()
        self.github_ids: frozenset[str] = frozenset()  #: of everybody in the history, once ``members`` knows

    def link(self, one: Identity, other: Identity) -> None:
        """State that two identities are one person's, unless other links make them two accounts."""
        if one != other:
            self._links.add((one, other))

    def add(self, identity: Identity, when: int, *, commits: int, selected: bool) -> None:
        """Add an author (one commit) or a co-author (no commits), unless it is a bot.

        Parameters:
          when: seconds since 1970.
          selected: whether the commit is within the window, which makes the person a member.
        """
        if not is_bot(*identity):
            activity = self._activities[identity]
            activity.commits += commits
            activity.first = min(activity.first, when)
            activity.selected |= selected
            activity.weeks[_week(when)] += 1

    def members(
        self, profile: Profile, *, emails: bool, accounts_may_follow: bool = False
    ) -> tuple[Members, dict[Identity, int]]:
        """Return the people active in the window or just before it, and the row of each of their identities.

        The grouping of identities into people, and people's columns, depend on the whole history: when the
        window moves, members come and go, but none of them changes.

        Parameters:
          emails: use real addresses instead of generated ones.
          accounts_may_follow: a person whose account is unknown may later be another member, who has it, so
            their generated addresses must differ.

        Raises:
          InputError: there is nobody.
        """
        random = profile.random
        all_people = self._identify(random)
        self.github_ids = frozenset(person.github_id for person in all_people)
        busiest = sorted(all_people, key=lambda person: -person.commits)
        leads = {person.github_id for person in busiest[: math.ceil(LEAD_SHARE * len(all_people))]}
        addresses = _addresses(all_people, real=emails, numbered=accounts_may_follow)
        weeks = _weeks(profile)
        end = int(profile.end.astype(np.int64))
        people = [
            person
            for person in all_people
            if person.selected or (person.first < end and person.weeks.keys() & weeks)
        ]
        if not people:
            raise InputError(
                f"{profile.organisation.slug}: nobody took part in the window who can be a member, only "
                "bots, deleted accounts or strangers; widen it"
            )
        github_id = _texts(person.github_id for person in people)
        key = text_keys(github_id.tolist())
        weight = np.array([max(1, person.commits) for person in people], dtype=np.float64)
        members = Members(
            columns={
                "display_name": _texts(person.display_name for person in people),
                "email": _texts(addresses[person.github_id] for person in people),
                "github_username": _texts(person.login for person in people),
                "github_id": github_id,
                "jira_account_id": np.char.add(b"5f", random.hexadecimal("jira-account", key).astype("S22")),
                "slack_user_id": np.char.add(
                    b"U", np.char.upper(random.hexadecimal("slack", key).astype("S10"))
                ),
                "role": _texts("lead" if person.github_id in leads else "developer" for person in people),
                "is_active": np.ones(len(people), dtype=bool),
                "created_at": np.array([person.first for person in people], dtype="datetime64[s]"),
            },
            key=key,
            weight=weight / weight.sum(),
            adoption_threshold=random.uniform("adoption", key),
            activity=Activity(MONDAY + np.timedelta64(7 * weeks[0], "D"), _count_by_week(people, weeks)),
        )
        return members, {name: row for row, person in enumerate(people) for name in person.identities}

    def _identify(self, random: KeyedRandom) -> list[_Person]:
        """Return all people, oldest first, each with a name, a unique login and a unique id."""
        borrowed = _borrowed_addresses({who: activity.commits for who, activity in self._activities.items()})
        people = [
            _Person({identity: self._activities[identity] for identity in identities}, borrowed)
            for identities in _group_by_person(self._activities, borrowed, sorted(self._links))
        ]
        people.sort(key=lambda person: (person.first, person.identities))
        same_names: Counter[str] = Counter()
        for person in people:
            if not person.github_id:
                own = person.login or _normal(person.identities[0][0])
                same_names[own] += 1
                person.github_id = str(int(random.identifier("github-id", own, same_names[own])))
        logins = dict.fromkeys((person.login.casefold() for person in people), 1)
        for person in people:
            if not person.login:
                person.login = _claim_login(_slug(person.display_name) or f"dev-{person.github_id}", logins)
            person.display_name = person.display_name or person.login
        return people


def _week(when: int) -> int:
    """Return the number of the week that contains a moment, counted from the first Monday of 1970."""
    return (when - 4 * 86_400) // (7 * 86_400)


def _weeks(profile: Profile) -> range:
    """Return the weeks in the window, and those before it that show who is active at its beginning."""
    since, until = (int(np.datetime64(day, "s").astype(np.int64)) for day in (profile.since, profile.until))
    return range(_week(since) - RECENT_WEEKS - LEAD_WEEKS, _week(until) + 1)


def _count_by_week(people: list[_Person], weeks: range) -> npt.NDArray[np.int64]:
    """Return the number of commits in each week (rows) of each person (columns)."""
    counts = np.zeros((len(weeks), len(people)), dtype=np.int64)
    for column, person in enumerate(people):
        for week, count in person.weeks.items():
            if week in weeks:
                counts[week - weeks[0], column] = count
    return counts


def _group_by_person(
    identities: Iterable[Identity],
    borrowed: Collection[Identity],
    links: Iterable[tuple[Identity, Identity]],
) -> list[list[Identity]]:
    """Group identities by person: those that have an address, an account, a link or a full name in common.

    Neither a link nor a shared full name merges two accounts. A single name counts only if it is an account's
    login.

    Parameters:
      borrowed: the identities whose address does not count.
    """
    known = sorted(identities)
    index_of = {identity: index for index, identity in enumerate(known)}
    linked = [[index_of[one], index_of[other]] for one, other in links if {one, other} <= index_of.keys()]
    accounts = [NOREPLY.fullmatch(email) for _, email in known]
    logins = {account[2] for account in accounts if account}
    sure: defaultdict[str, list[int]] = defaultdict(list)
    likely: defaultdict[str, list[int]] = defaultdict(list)
    for index, (identity, account) in enumerate(zip(known, accounts, strict=True)):
        name, email = identity
        if account:
            sure[f"@{account[2].lower()}"].append(index)
            sure[account[1] or f"@{account[2].lower()}"].append(index)
            likely[account[2]].append(index)
        elif PERSONAL.fullmatch(email) and identity not in borrowed:
            sure[email.lower()].append(index)
        if " " in name or name in logins:
            likely[_normal(name) if " " in name else name].append(index)
    group = [[index] for index in range(len(known))]  # identities in the same group share one list
    for indices in sure.values():
        _unite(group, indices)
    ids: defaultdict[int, set[str]] = defaultdict(set)  # of the accounts in each group, at most two
    for members, account in zip(group, accounts, strict=True):
        if account and account[1] and len(ids[id(members)]) < 2:
            ids[id(members)].add(account[1])
    for indices in (*linked, *likely.values()):
        united = {number for key in {id(group[index]) for index in indices} for number in ids[key]}
        if len(united) < 2:
            _unite(group, indices)
            ids[id(group[indices[0]])] = united
    people = {id(members): members for members in group}
    return [[known[member] for member in sorted(members)] for members in people.values()]


def _borrowed_addresses(commits: Mapping[Identity, int]) -> set[Identity]:
    """Return the identities whose address does not show who they are.

    It is a placeholder, or one shared by people of unlike names, or it is mostly that of another person and
    this one mostly has another.
    """
    by_address: defaultdict[str, Counter[str]] = defaultdict(Counter)
    by_name: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (name, email), count in commits.items():
        if " " in name:
            by_address[email.lower()][_normal(name)] += max(1, count)
            by_name[_normal(name)][email.lower()] += max(1, count)
    shared = {email for email, names in by_address.items() if _count_unlike(names) >= SHARED_BY}
    borrowed = set()
    for identity in commits:
        name, email = _normal(identity[0]), identity[1].lower()
        owner = max(by_address[email], key=by_address[email].__getitem__, default=name)
        home = max(by_name[name], key=by_name[name].__getitem__, default=email)
        lent = owner != name and home != email and not set(owner.split()) & set(name.split())
        if lent or email in shared or PLACEHOLDER.fullmatch(email):
            borrowed.add(identity)
    return borrowed


def _count_unlike(names: Iterable[str]) -> int:
    """Return how many of these full names have no word in common with one before them."""
    words: set[str] = set()
    unlike = 0
    for name in sorted(names):
        unlike += words.isdisjoint(name.split())
        words.update(name.split())
    return unlike


def _unite(group: list[list[int]], indices: list[int]) -> None:
    """Move the members of all groups of these indices into the largest of them."""
    groups = {id(group[index]): group[index] for index in indices}
    largest = max(groups.values(), key=len)
    for other in groups.values():
        if other is not largest:
            largest.extend(other)
            for member in other:
                group[member] = largest


def _addresses(people: list[_Person], *, real: bool, numbered: bool) -> dict[str, str]:
    """Return a unique e-mail address for each id: a real one if wanted and known, else a generated one.

    Parameters:
      numbered: whether the addresses of people without an account contain their id.
    """
    own = {person.github_id: person.emails[0] for person in people if real and person.emails}
    used = {email.casefold() for email in own.values()}
    for person in people:
        if person.github_id not in own:
            name = person.login
            if (numbered and not person.has_account) or f"{name}@{DOMAIN}".casefold() in used:
                name = f"{name}-{person.github_id}"
            own[person.github_id] = f"{name}@{DOMAIN}"
    return own


def _normal(name: str) -> str:
    return " ".join(MARK.sub("", name).casefold().split())


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:MAX_LOGIN]


def _claim_login(login: str, used: dict[str, int]) -> str:
    """Return the login, with a number appended if it is already used, and add it to the used ones.

    Parameters:
      used: logins -> the last number that was appended to them; 1 if none was.
    """
    free = login
    while free in used:
        used[login] += 1
        free = f"{login}-{used[login]}"
    used[free] = 1
    return free


def _texts(values: Iterable[str]) -> npt.NDArray[np.bytes_]:
    return np.array([value.encode("utf-8", "replace") for value in values], dtype="S")
