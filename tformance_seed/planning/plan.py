"""What was asked, checked as a whole and turned into profiles and sources; and the same out of the ledger."""

import dataclasses
import datetime
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tformance_seed import ledger
from tformance_seed.canonical_json import json_text
from tformance_seed.catalog.organisations import (
    MAX_MEMBERS,
    MAX_PRS,
    SLUG,
    Organisation,
    find,
    jira_project,
    load,
)
from tformance_seed.catalog.profile import Profile
from tformance_seed.catalog.scenarios import WEEKS, Scenario, load_scenarios
from tformance_seed.errors import InputError, SeedError
from tformance_seed.sources.git import GitSource, Repository, default_until, repository_name
from tformance_seed.sources.records import Source
from tformance_seed.sources.synthetic import SyntheticSource

#: Seeded where no organisation is named: of modest size, done within seconds.
DEFAULT_ORGANISATION = "resend"

DEFAULT_DAYS = 90
DEFAULT_SEED = 42

#: The furthest that a window may reach, in either direction.
FIRST_DAY, LAST_DAY = datetime.date(1970, 1, 2), datetime.date(9998, 12, 31)


@dataclass(frozen=True)
class Options:
    """How to write, none of which changes what is written."""

    chunk_size: int | None = None
    adopt: bool = False
    clear: bool = False
    wait: bool = False


@dataclass(frozen=True)
class Request:
    """What the user asked for; None where they left it open."""

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
    options: Options = field(default_factory=Options)

    def parameters(self) -> dict[str, Any]:
        """For the ledger: everything but paths and how it is written."""
        names = ("everything", "source", "days", "members", "prs", "adoption", "scenario", "seed", "emails")
        return {
            "organisations": list(self.organisations),
            "until": None if self.until is None else self.until.isoformat(),
            **{name: getattr(self, name) for name in names},
        }


@dataclass(frozen=True)
class Plan:
    """One organisation of a request, ready to be seeded."""

    profile: Profile
    source: Source
    options: Options = field(default_factory=Options)
    repositories: tuple[Repository, ...] = ()

    @property
    def slug(self) -> str:
        """The organisation's."""
        return self.profile.organisation.slug

    def recipe(self) -> dict[str, Any]:
        """Every input but the window: with another one, an organisation's content is another."""
        profile, source = self.profile, self.source
        values = {
            "source": source.name,
            "seed": profile.seed,
            "organisation": dataclasses.asdict(profile.organisation),
            "adoption": profile.adoption if profile.adoption_given else None,
            "version": ledger.DATA_VERSION,
            **source.inputs,
        }
        if profile.scenario is not None:  # its story is told from the window's first day on
            values |= {"scenario": profile.scenario.name, "since": profile.since.isoformat()}
        return json.loads(json_text(values))  # as the ledger gives it back

    def identity(self) -> str:
        """A digest of all that decides the content: jobs with the same one produce the same."""
        profile = self.profile
        return ledger.identity(self.recipe(), str(profile.since), str(profile.until), self.source.fingerprint)

    def record(self) -> dict[str, Any]:
        """What ``restore`` makes this of, elsewhere; JSON values, no secrets."""
        profile, options = self.profile, self.options
        return {
            "organisation": dataclasses.asdict(profile.organisation),
            "seed": profile.seed,
            "since": profile.since.isoformat(),
            "until": profile.until.isoformat(),
            "members": profile.members,
            "prs": profile.prs,
            "adoption": profile.adoption,
            "adoption_given": profile.adoption_given,
            "scenario": profile.scenario and profile.scenario.name,
            "repositories": [[str(item.path.absolute()), item.name] for item in self.repositories],
            "emails": self.source.inputs.get("emails", False),
            "options": {"chunk_size": options.chunk_size, "adopt": options.adopt, "clear": options.clear},
        }


def profile_of(record: Mapping[str, Any]) -> Profile:
    """The profile that ``Plan.record`` wrote down."""
    organisation = dict(record["organisation"])
    return Profile(
        organisation=Organisation(**{**organisation, "repos": tuple(organisation["repos"])}),
        seed=record["seed"],
        since=datetime.date.fromisoformat(record["since"]),
        until=datetime.date.fromisoformat(record["until"]),
        members=record["members"],
        prs=record["prs"],
        adoption=record["adoption"],
        adoption_given=record["adoption_given"],
        scenario=load_scenarios()[record["scenario"]] if record["scenario"] else None,
    )


def restore(record: Mapping[str, Any], identity: str) -> Plan:
    """What ``Plan.record`` wrote down, planned again.

    Raises:
      SeedError: a repository cannot be read here, or it has changed since, so that the content would be
        another.
    """
    profile = profile_of(record)
    repositories = tuple(Repository(Path(path), name) for path, name in record["repositories"])
    source: Source
    if repositories:
        source = GitSource(list(repositories), profile, emails=record["emails"])
    else:
        source = SyntheticSource(profile)
    planned = Plan(profile, source, Options(**record["options"]), repositories)
    if planned.identity() != identity:
        raise SeedError(
            f"{planned.slug}: its inputs are no longer what they were when the run began (another version of "
            "tformance_seed, or a repository that moved on); seed it again"
        )
    return planned


def plan(request: Request, today: datetime.date) -> list[Plan]:
    """Turn a request into profiles and sources, or say what is wrong with it.

    Raises:
      InputError: an unknown organisation, an impossible window or number, options that do not go together, a
        catalogue or a repository that cannot be read.
    """
    _check(request)
    if request.repositories:
        return [_from_git(request, today)]
    return [_from_catalog(request, organisation, today) for organisation in _chosen(request)]


def _check(request: Request) -> None:
    if request.days is not None and request.days < 1:
        raise InputError(f"--days {request.days}: impossible window; want at least 1 day")
    for name, least, most in (("members", 1, MAX_MEMBERS), ("prs", 0, MAX_PRS)):
        number = getattr(request, name)
        if number is not None and not least <= number <= most:
            raise InputError(f"--{name} {number}: want {least} to {most}")
    if request.options.chunk_size is not None and request.options.chunk_size < 1:
        raise InputError(f"--chunk-size {request.options.chunk_size}: want at least 1")
    if request.adoption is not None and not 0 <= request.adoption <= 1:
        raise InputError(f"--adoption {request.adoption:g}: want a rate from 0 to 1")
    if request.source not in (None, "synthetic", "git"):
        raise InputError(f"--source {request.source}: want synthetic or git")
    if request.scenario is not None and request.scenario not in load_scenarios():
        raise InputError(f"--scenario {request.scenario}: expected one of {', '.join(load_scenarios())}")
    if request.everything and request.organisations:
        raise InputError("--all and named organisations do not go together; choose one")
    _check_git(request)
    for name in ("days", "prs") if request.scenario else ():
        if getattr(request, name) is not None:
            raise InputError(f"--{name} and --scenario do not go together: a scenario sets its own")
    if request.scenario and request.adoption is not None:
        raise InputError("--adoption and --scenario do not go together: a scenario sets its own")


def _check_git(request: Request) -> None:
    if request.repositories:
        if request.source == "synthetic":
            raise InputError("--repo goes with --source git")
        if request.everything or len(request.organisations) > 1:
            raise InputError("--repo takes one organisation at most: all repositories go into it")
        for name in ("members", "prs", "scenario"):
            if getattr(request, name) is not None:
                raise InputError(f"--{name} goes with --source synthetic: a repository brings its own")
    elif request.source == "git":
        raise InputError("--source git needs --repo PATH, a clone")
    elif request.emails:
        raise InputError("--emails goes with --source git: generated addresses are nobody's")


def _chosen(request: Request) -> Iterator[Organisation]:
    catalog = load(request.catalog)
    if request.everything:
        yield from catalog.values()
    elif request.organisations:
        for slug in dict.fromkeys(request.organisations):
            yield find(slug, catalog)
    elif request.scenario:
        name = request.scenario.replace("-", " ").capitalize()
        yield Organisation(request.scenario, name, (f"{request.scenario}/app",), jira_project_key="DEMO")
    elif request.catalog is not None:
        yield next(iter(catalog.values()))
    else:
        yield catalog[DEFAULT_ORGANISATION]


def _window(request: Request, until: datetime.date) -> tuple[datetime.date, datetime.date]:
    days = DEFAULT_DAYS if request.days is None else request.days
    if request.scenario:  # whole weeks, so that each is one of the weekly metrics
        until -= datetime.timedelta(days=(until.weekday() + 1) % 7)
        days = 7 * WEEKS
    try:
        since = until - datetime.timedelta(days=days - 1)
    except OverflowError:
        since = datetime.date.min
    if since < FIRST_DAY or until > LAST_DAY:
        raise InputError(
            f"impossible window: {days} days up to {until}; want it between {FIRST_DAY} and {LAST_DAY}"
        )
    return since, until


def _from_catalog(request: Request, organisation: Organisation, today: datetime.date) -> Plan:
    scenario: Scenario | None = load_scenarios()[request.scenario] if request.scenario else None
    since, until = _window(request, request.until or today)
    members = request.members or (scenario.members if scenario else organisation.members)
    profile = Profile(
        organisation=organisation,
        seed=request.seed,
        since=since,
        until=until,
        members=members,
        prs=request.prs,
        adoption=organisation.ai_adoption_rate if request.adoption is None else request.adoption,
        adoption_given=request.adoption is not None,
        scenario=scenario,
    )
    return Plan(profile, SyntheticSource(profile), request.options)


def _from_git(request: Request, today: datetime.date) -> Plan:
    repositories = [Repository(path, repository_name(path)) for path in request.repositories]
    own = re.sub(r"[^a-z0-9_-]+", "-", repositories[0].name.rpartition("/")[2].lower()).strip("-_")[:50]
    slug = request.organisations[0] if request.organisations else own
    if not SLUG.fullmatch(slug):
        raise InputError(
            f"{slug!r} is no slug; name an organisation of a-z, 0-9, - and _, at most 50 characters"
        )
    organisation = load(request.catalog).get(slug)
    if organisation is None:
        name = repositories[0].name.rpartition("/")[2] or slug
        organisation = Organisation(slug, name, jira_project_key=jira_project(slug))
    organisation = replace(organisation, repos=tuple(sorted(item.name for item in repositories)))
    since, until = _window(request, request.until or default_until(repositories, today))
    profile = Profile(
        organisation=organisation,
        seed=request.seed,
        since=since,
        until=until,
        members=0,
        adoption=organisation.ai_adoption_rate if request.adoption is None else request.adoption,
        adoption_given=request.adoption is not None,
    )
    source = GitSource(repositories, profile, emails=request.emails)
    return Plan(profile, source, request.options, tuple(repositories))
