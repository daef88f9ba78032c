"""Organisations: the built-in catalogue or a user's own, read and checked."""

import difflib
import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tformance_seed.errors import InputError

#: The built-in catalogue, beside this file: ``importlib.resources`` takes longer to import than it to read.
BUILT_IN = Path(__file__).with_name("organisations.toml")

#: Members an organisation has for each pull request of a year, where the catalogue does not say.
MEMBERS_PER_YEARLY_PR = 1 / 45

#: Pull requests of a year, where the catalogue does not say.
DEFAULT_PRS_PER_YEAR = 900

#: Share of pull requests in which AI is found, and of these the share whose code it wrote; it reviewed the
#: others. Source: the application's report on 167,308 pull requests of 2025.
AI_SHARE, AI_CODE_SHARE = 0.121, 26.3 / (26.3 + 73.5)

#: Numbers of made-up Jira issues begin here.
JIRA_FIRST = 1000

#: The most people and pull requests of one organisation.
MOST_MEMBERS, MOST_PRS = 1_000_000, 100_000_000

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")


@dataclass(frozen=True)
class Organisation:
    """One organisation of a catalogue.

    ``ai_adoption_rate`` is the share of members who use AI tools; ``survey_response_rate`` the share of
    authors who answer; ``ai_pr_share`` the share of pull requests in which AI is found, and ``cycle_hours``
    the mean time from creation to merge (None: the published overall figures).
    """

    slug: str
    name: str
    repos: tuple[str, ...] = ()
    industry: str = ""
    jira_project_key: str = ""
    ai_adoption_rate: float = 0.45
    survey_response_rate: float = 0.55
    members: int = 0
    prs_per_year: int = DEFAULT_PRS_PER_YEAR
    ai_pr_share: float | None = None
    cycle_hours: float | None = None

    @property
    def ai_found(self) -> float:
        """The share of pull requests in which AI is found: its own, or the published one."""
        return AI_SHARE if self.ai_pr_share is None else self.ai_pr_share

    def jira_scheme(self, repository: str) -> tuple[str, int, int]:
        """The project of a repository's made-up issues, and what their numbers are: of pull request n,
        ``first + n * step``, so that no two pull requests of the organisation share an issue.
        """
        if repository not in self.repos:
            return jira_project(repository.rpartition("/")[2]), JIRA_FIRST, 1
        return self.jira_project_key, JIRA_FIRST + self.repos.index(repository), len(self.repos)


def _text(limit: int) -> Any:
    return lambda value: isinstance(value, str) and 0 < len(value) <= limit and "\x00" not in value


def _number(low: float, high: float, kind: tuple[type, ...] = (int, float)) -> Any:
    return lambda value: isinstance(value, kind) and not isinstance(value, bool) and low <= value <= high


def _repositories(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and len(set(map(str, value))) == len(value)
        and all(isinstance(repo, str) and re.fullmatch(r"[\w.-]+/[\w.-]+", repo) for repo in value)
        and all(len(repo) <= 255 for repo in value)
    )


#: Key -> (what is legal, in words; test).
RULES: dict[str, tuple[str, Any]] = {
    "name": ("a text of 1 to 100 characters", _text(100)),
    "repos": ('a list of different names "owner/name"', _repositories),
    "industry": ("a text of 1 to 50 characters", _text(50)),
    "jira_project_key": (
        "capitals and digits, a capital first, 2 to 20",
        lambda value: isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9]{1,19}", value) is not None,
    ),
    "ai_adoption_rate": ("a number from 0 to 1", _number(0, 1)),
    "survey_response_rate": ("a number from 0 to 1", _number(0, 1)),
    "members": (f"a whole number from 1 to {MOST_MEMBERS}", _number(1, MOST_MEMBERS, (int,))),
    "prs_per_year": (f"a whole number from 1 to {MOST_PRS}", _number(1, MOST_PRS, (int,))),
    "ai_pr_share": ("a number from 0 to 1", _number(0, 1)),
    "cycle_hours": ("a number of hours from 5 to 300", _number(5, 300)),
}


def load(path: Path | None = None) -> dict[str, Organisation]:
    """The catalogue in a TOML file, by default the built-in one.

    Raises:
      InputError: with the file, the line and the key that is wrong.
    """
    if path is None:
        return dict(_built_in())
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"catalogue {path}: cannot be read: {reason}") from error
    return _parse(text, str(path))


@functools.cache
def _built_in() -> Mapping[str, Organisation]:
    return _parse(BUILT_IN.read_text(encoding="utf-8"), BUILT_IN.name)


def jira_project(name: str) -> str:
    """A project key for what has none: the letters and digits of a name, at most ten."""
    letters = re.sub("[^A-Z0-9]", "", name.upper()).lstrip("0123456789")
    return letters[:10] if len(letters) > 1 else "PROJ"


def find(slug: str, catalog: Mapping[str, Organisation]) -> Organisation:
    """An organisation by its slug.

    Raises:
      InputError: there is none; names the nearest.
    """
    try:
        return catalog[slug]
    except KeyError:
        near = difflib.get_close_matches(slug.lower(), catalog, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "see them all with: tformance-seed orgs"
        raise InputError(f"no organisation {slug!r} in the catalogue; {hint}") from None


#: Days on which people work, in a year.
WORKDAYS_PER_YEAR = 261

#: Share of workdays on which somebody who uses AI tools uses them; files and commits of a pull request.
WORKED, FILES_PER_PR, COMMITS_PER_PR = 0.85, 8.8, 4.1


def expected(organisation: Organisation, days: int) -> dict[str, int]:
    """About what a window of that many days produces: rows by kind."""
    prs = organisation.prs_per_year * days / 365
    usage = organisation.members * days * WORKDAYS_PER_YEAR / 365 * WORKED * organisation.ai_adoption_rate
    return {
        "members": organisation.members,
        "pull requests": round(prs),
        "commits": round(prs * COMMITS_PER_PR),
        "files": round(prs * FILES_PER_PR),
        "AI usage": round(usage),
    }


def _parse(text: str, where: str) -> dict[str, Organisation]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"catalogue {where}: not TOML: {error}") from error
    if not document:
        raise InputError(f"catalogue {where}: no organisation in it; write a table such as [acme]")
    catalog = {}
    for slug, table in document.items():
        catalog[slug] = _organisation(slug, table, lambda key, slug=slug: f"{where}:{_line(text, slug, key)}")
    return catalog


def _organisation(slug: str, table: Any, at: Any) -> Organisation:
    if not isinstance(table, dict):
        raise InputError(
            f"catalogue {at(slug)}: {slug} stands outside a table; write [{slug}] and its keys below"
        )
    if not SLUG.fullmatch(slug):
        raise InputError(
            f"catalogue {at(None)}: [{slug}] is no slug; use a-z, 0-9, - and _, at most 50 characters"
        )
    for key, value in table.items():
        if key not in RULES:
            near = difflib.get_close_matches(key, RULES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(RULES)}"
            raise InputError(f"catalogue {at(key)}: [{slug}] has an unknown key {key}; {hint}")
        legal, test = RULES[key]
        if not test(value):
            raise InputError(f"catalogue {at(key)}: [{slug}] {key} = {value!r}: want {legal}")
    if "name" not in table:
        raise InputError(f"catalogue {at(None)}: [{slug}] has no key name, the one that is needed")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    values.setdefault("repos", (f"{slug}/{slug}",))
    values.setdefault("jira_project_key", jira_project(slug))
    yearly = values.get("prs_per_year", DEFAULT_PRS_PER_YEAR)
    values.setdefault("members", max(5, round(yearly * MEMBERS_PER_YEARLY_PR)))
    return Organisation(slug=slug, **values)


def _line(text: str, slug: str, key: str | None) -> int:
    """The line of a key of a table, or of the table's head: ``tomllib`` keeps none."""
    inside = False
    head = 1
    for number, line in enumerate(text.splitlines(), start=1):
        name = re.match(r"\s*\[\s*[\"']?([^\"'\]]+?)[\"']?\s*\]", line)
        if name:
            inside = name[1] == slug
            head = number if inside else head
        elif (
            key is not None
            and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line)
            and (inside or key == slug)
        ):
            return number
    return head
