"""Organisations: read and validate the built-in catalogue or a user's own."""

import difflib
import functools
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tformance_seed.catalog.calibration import (
    AI_SHARE,
    COMMITS_PER_PULL_REQUEST,
    FILES_PER_PULL_REQUEST,
    FIRST_JIRA_ISSUE,
    expected_usage_rows,
)
from tformance_seed.catalog.languages import Shares, load_languages, normalised, usual_languages
from tformance_seed.catalog.scenarios import load_scenarios
from tformance_seed.errors import InputError

if TYPE_CHECKING:  # it imports NumPy, which takes longer than reading a catalogue
    from tformance_seed.sampling.keyed_random import KeyedRandom

#: The built-in catalogue, next to this file. Importing ``importlib.resources`` would take longer than reading
#: it.
BUILT_IN = Path(__file__).with_name("organisations.toml")

#: Pull requests per year if the catalogue gives no number.
DEFAULT_PRS_PER_YEAR = 900

#: Members per yearly pull request, and the minimum number of members, if the catalogue gives no number.
MEMBERS_PER_YEARLY_PR, MIN_DEFAULT_MEMBERS = 1 / 45, 5

#: Maximum number of members, and of pull requests (per year or in a window), of one organisation.
MAX_MEMBERS, MAX_PRS = 1_000_000, 100_000_000

#: Range of the mean hours from creation to merge within which simulated times can keep the published medians.
MIN_CYCLE_HOURS, MAX_CYCLE_HOURS = 5, 300

#: Days, and days from Monday to Friday, in a year.
DAYS_PER_YEAR, WORKDAYS_PER_YEAR = 365, 261

#: Maximum lengths that the application's columns allow.
MAX_NAME_LENGTH, MAX_INDUSTRY_LENGTH, MAX_REPOSITORY_LENGTH = 100, 50, 255

#: Maximum length of a project key derived from a name, and the key to use if a name yields fewer than two
#: characters.
MADE_KEY_LENGTH, FALLBACK_KEY = 10, "PROJ"

#: What the application appends to the slugs of the organisations in the built-in catalogue.
TEAM_SUFFIX = "-demo"

#: An address of a repository or an organisation on GitHub, or a repository's full name.
GITHUB = re.compile(
    r"(?:(?:https?://|ssh://)?(?:\w+@)?(?:www\.)?github\.com[/:])?(?P<owner>[\w.-]+)/[\w.-]+/?"
    r"|(?:https?://)?(?:www\.)?github\.com/(?P<alone>[\w.-]+)/?"
)

#: The form of a slug.
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")


@dataclass(frozen=True)
class Organisation:
    """One organisation in a catalogue.

    ``ai_adoption_rate`` is the share of members who use AI tools; ``survey_response_rate`` the share of
    authors who answer; ``ai_pr_share`` the share of pull requests in which AI is found, and ``cycle_hours``
    the mean time from creation to merge (None: the published overall figures). ``languages`` holds the share
    of each language for each of ``repos``; empty if nothing is said. ``team_slug`` is the slug of its
    team in the application (None: its own slug); no content depends on it.
    """

    slug: str
    name: str
    repos: tuple[str, ...] = ()
    industry: str = ""
    jira_project_key: str = ""
    ai_adoption_rate: float = 0.45
    survey_response_rate: float = 0.55
    languages: tuple[dict[str, float], ...] = ()
    members: int = 0
    prs_per_year: int = DEFAULT_PRS_PER_YEAR
    ai_pr_share: float | None = None
    cycle_hours: float | None = None
    team_slug: str | None = None

    @property
    def ai_found(self) -> float:
        """The share of pull requests in which AI is found: the organisation's own, or the published share."""
        return AI_SHARE if self.ai_pr_share is None else self.ai_pr_share

    def jira_scheme(self, repository: str) -> tuple[str, int, int]:
        """Return the Jira project of a repository's generated issues, and how they are numbered.

        The issue of pull request n is ``first + n * step``, so that no two pull requests of the organisation
        share an issue. The rarer pull requests of a repository are, the greater is its step, so that all
        repositories seem to count their issues together.

        Returns:
          The project key, first and step.
        """
        if repository not in self.repos:
            return jira_project(repository.rpartition("/")[2]), FIRST_JIRA_ISSUE, 1
        index = self.repos.index(repository)  # of which the share is 1 / (index + 1) of the busiest one's
        return self.jira_project_key, FIRST_JIRA_ISSUE + index, len(self.repos) * (index + 1)

    def languages_of(self, repository: str, random: "KeyedRandom") -> Shares:
        """Return the languages of a repository and their shares, the greatest first; their sum is 1.

        Parameters:
          random: the organisation's random values, for a repository of which nothing is said.
        """
        if not self.languages or repository not in self.repos:
            return usual_languages(random, repository)
        return normalised(self.languages[self.repos.index(repository)])

    def all_languages(self, random: "KeyedRandom") -> Shares:
        """Return the languages of all repositories (see ``languages_of``), weighted by their activity.

        An organisation whose repositories are not stated is taken for one of its own name.
        """
        total: defaultdict[str, float] = defaultdict(float)
        repos = self.repos or (f"{self.slug}/{self.slug}",)
        for repository, weight in zip(repos, repository_weights(len(repos)), strict=True):
            for language, share in self.languages_of(repository, random).items():
                total[language] += share * weight
        return normalised(total)

    def expected_rows(self, days: int) -> dict[str, int]:
        """Estimate the number of rows that a window of ``days`` days produces, by kind of row."""
        prs = self.prs_per_year * days / DAYS_PER_YEAR
        workdays = days * WORKDAYS_PER_YEAR / DAYS_PER_YEAR
        return {
            "members": self.members,
            "pull requests": round(prs),
            "commits": round(prs * COMMITS_PER_PULL_REQUEST),
            "files": round(prs * FILES_PER_PULL_REQUEST),
            "AI usage": round(expected_usage_rows(self.members, workdays, self.ai_adoption_rate)),
        }


def repository_weights(count: int) -> list[float]:
    """Return the shares of an organisation's repositories in its pull requests, the busiest first."""
    weights = [1 / rank for rank in range(1, count + 1)]
    return [weight / sum(weights) for weight in weights]


def _is_text(max_length: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and 0 < len(value) <= max_length and "\x00" not in value


def _is_number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in (int, float) and low <= value <= high


def _is_whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _is_slug(value: Any) -> bool:
    return isinstance(value, str) and SLUG.fullmatch(value) is not None


def _is_project_key(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9]{1,19}", value) is not None


def _are_repositories(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and len(set(map(str, value))) == len(value)
        and all(isinstance(repo, str) and re.fullmatch(r"[\w.-]+/[\w.-]+", repo) for repo in value)
        and all(len(repo) <= MAX_REPOSITORY_LENGTH for repo in value)
    )


def _is_mix(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) > 0
        and all(_is_number(0, 100)(share) and share > 0 for share in value.values())
    )


def _are_languages(value: Any) -> bool:
    return _is_mix(value) or (isinstance(value, list) and len(value) > 0 and all(map(_is_mix, value)))


#: Key -> (description of valid values, validation function).
RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": (f"a text of 1 to {MAX_NAME_LENGTH} characters", _is_text(MAX_NAME_LENGTH)),
    "repos": ('a list of different names "owner/name"', _are_repositories),
    "languages": (
        "a table of languages and per cents, { Python = 60, TypeScript = 40 }, or one for each of repos",
        _are_languages,
    ),
    "industry": (f"a text of 1 to {MAX_INDUSTRY_LENGTH} characters", _is_text(MAX_INDUSTRY_LENGTH)),
    "jira_project_key": ("capitals and digits, a capital first, 2 to 20", _is_project_key),
    "ai_adoption_rate": ("a number from 0 to 1", _is_number(0, 1)),
    "survey_response_rate": ("a number from 0 to 1", _is_number(0, 1)),
    "members": (f"a whole number from 1 to {MAX_MEMBERS}", _is_whole(1, MAX_MEMBERS)),
    "prs_per_year": (f"a whole number from 1 to {MAX_PRS}", _is_whole(1, MAX_PRS)),
    "ai_pr_share": ("a number from 0 to 1", _is_number(0, 1)),
    "cycle_hours": (
        f"a number of hours from {MIN_CYCLE_HOURS} to {MAX_CYCLE_HOURS}",
        _is_number(MIN_CYCLE_HOURS, MAX_CYCLE_HOURS),
    ),
    "team_slug": ("a-z, 0-9, - and _, at most 50 characters", _is_slug),
}


def load_organisations(path: Path | None = None) -> dict[str, Organisation]:
    """Return the organisations of a TOML catalogue by slug; the default is the built-in catalogue.

    Raises:
      InputError: the file cannot be read or is not valid; the message gives the file, the line and the key.
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
    organisations = _parse(BUILT_IN.read_text(encoding="utf-8"), BUILT_IN.name)
    return {
        slug: replace(organisation, team_slug=slug + TEAM_SUFFIX)
        for slug, organisation in organisations.items()
    }


def search(organisations: Mapping[str, Organisation], words: Iterable[str]) -> dict[str, Organisation]:
    """Return the organisations that have all of some words in slug, name, industry or repositories."""

    def text(item: Organisation) -> str:
        return "\n".join([item.slug, item.name, item.industry, *item.repos]).casefold()

    wanted = [word.casefold() for word in words]
    return {slug: item for slug, item in organisations.items() if all(word in text(item) for word in wanted)}


def jira_project(name: str) -> str:
    """Derive a Jira project key from a name: up to ten of its letters and digits, starting with a letter."""
    letters = re.sub("[^A-Z0-9]", "", name.upper()).lstrip("0123456789")
    return letters[:MADE_KEY_LENGTH] if len(letters) > 1 else FALLBACK_KEY


def find_organisation(slug: str, catalog: Mapping[str, Organisation]) -> Organisation:
    """Return the organisation with a slug.

    Raises:
      InputError: there is none; the message lists the most similar slugs.
    """
    try:
        return catalog[slug]
    except KeyError:
        shown, hint = repr(slug), _meant(slug, catalog)
        if "://" in slug and not GITHUB.fullmatch(slug):  # it may have a password
            shown, hint = "of that name, a URL,", "a database is named with --database URL"
        raise InputError(f"no organisation {shown} in the catalogue; {hint}") from None


def _meant(slug: str, catalog: Mapping[str, Organisation]) -> str:
    """Return what was probably meant by a slug that is none."""
    lower = slug.casefold()
    if found := GITHUB.fullmatch(slug):
        owner = found["owner"] or found["alone"]
        return (
            f"for what is on GitHub: tformance-seed seed {owner} --source github; for a clone: "
            f"tformance-seed seed {owner.lower()} --repo FOLDER"
        )
    if lower in load_scenarios():
        return f"it is a scenario: tformance-seed seed --scenario {lower}"
    if lower in ("all", "*", "everything"):
        return "for every organisation of it: tformance-seed seed --all"
    parts = [part.strip() for part in lower.split(",")]
    if len(parts) > 1 and all(part in catalog for part in parts):
        return f"did you mean {' '.join(parts)}, without commas?"
    by_name = {item.name.casefold(): each for each, item in catalog.items()}
    if lower in catalog or lower in by_name:
        return f"did you mean {by_name.get(lower, lower)}?"
    similar = difflib.get_close_matches(lower, catalog, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(similar)}?" if similar else "list them with: tformance-seed orgs"


def _parse(text: str, file: str) -> dict[str, Organisation]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"catalogue {file}: not TOML: {error}") from error
    if not document:
        raise InputError(f"catalogue {file}: contains no organisation; write a table such as [acme]")
    return {slug: _organisation(slug, table, text, file) for slug, table in document.items()}


def _organisation(slug: str, table: Any, text: str, file: str) -> Organisation:
    """Validate a catalogue table and return the organisation that it describes, with defaults filled in."""

    def invalid(key: str | None, problem: str) -> InputError:
        return InputError(f"catalogue {file}:{_line(text, slug, key)}: {problem}")

    if not isinstance(table, dict):
        raise invalid(slug, f"{slug} is outside a table; write [{slug}] and its keys below")
    if not SLUG.fullmatch(slug):
        raise invalid(None, f"[{slug}] is not a slug; use a-z, 0-9, - and _, at most 50 characters")
    for key, value in table.items():
        if key not in RULES:
            similar = difflib.get_close_matches(key, RULES, n=1)
            hint = f"did you mean {similar[0]}?" if similar else f"known keys: {', '.join(RULES)}"
            raise invalid(key, f"[{slug}] has an unknown key {key}; {hint}")
        expected, is_valid = RULES[key]
        if not is_valid(value):
            raise invalid(key, f"[{slug}] {key} = {value!r}: expected {expected}")
    if "name" not in table:
        raise invalid(None, f"[{slug}] has no key name, the only one that is required")
    values: dict[str, Any] = {
        "repos": [f"{slug}/{slug}"],
        "jira_project_key": jira_project(slug),
        "prs_per_year": DEFAULT_PRS_PER_YEAR,
    } | table
    languages = values.get("languages", [])
    if isinstance(languages, dict):
        languages = [languages] * len(values["repos"])
    if languages and len(languages) != len(values["repos"]):
        raise invalid(
            "languages", f"[{slug}] languages has {len(languages)} tables; repos has {len(values['repos'])}"
        )
    for language in {language: None for mix in languages for language in mix}:
        if language not in load_languages():
            similar = difflib.get_close_matches(language, load_languages(), n=1)
            hint = f"did you mean {similar[0]}?" if similar else f"known are {', '.join(load_languages())}"
            raise invalid("languages", f"[{slug}] languages names the unknown {language!r}; {hint}")
    default_members = max(MIN_DEFAULT_MEMBERS, round(values["prs_per_year"] * MEMBERS_PER_YEARLY_PR))
    tuples = {"repos": tuple(values["repos"]), "languages": tuple(languages)}
    return Organisation(slug=slug, **({"members": default_members} | values | tuples))


def _line(text: str, slug: str, key: str | None) -> int:
    """Return the line number of a key in a table, or of the table's header, which ``tomllib`` does not keep.

    Parameters:
      key: None for the header.
    """
    in_table = False
    header_line = 1
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\s*[\"']?([^\"'\]]+?)[\"']?\s*\]", line)
        if header:
            in_table = header[1] == slug
            header_line = number if in_table else header_line
        elif (
            key is not None
            and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line)
            and (in_table or key == slug)
        ):
            return number
    return header_line
