"""A seeding command: what was asked, checked as a whole, then done organisation by organisation."""

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import peewee

from tformance_seed import ledger, pipeline
from tformance_seed.catalog.organisations import (
    MOST_MEMBERS,
    MOST_PRS,
    SLUG,
    WORKED,
    Organisation,
    find,
    jira_project,
    load,
)
from tformance_seed.catalog.profile import Profile
from tformance_seed.catalog.scenarios import SCENARIOS, WEEKS, Scenario
from tformance_seed.database import connect, explained, first_line, sqlite_file
from tformance_seed.errors import InputError, SeedError
from tformance_seed.models import SeedTeam, Team
from tformance_seed.schema import prepare
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
    options: pipeline.Options = field(default_factory=pipeline.Options)

    def parameters(self) -> dict[str, Any]:
        """For the ledger: everything but paths and how it is written."""
        names = ("everything", "source", "days", "members", "prs", "adoption", "scenario", "seed", "emails")
        return {
            "organisations": list(self.organisations),
            "until": None if self.until is None else self.until.isoformat(),
            **{name: getattr(self, name) for name in names},
        }


@dataclass(frozen=True)
class Planned:
    """One organisation of a request, ready to be seeded."""

    profile: Profile
    source: Source


@dataclass
class Outcome:
    """What a run did: reports of the organisations that are done, reasons of those that are not."""

    run: str
    reports: list[pipeline.Report]
    failures: dict[str, str]


def plan(request: Request, today: datetime.date) -> list[Planned]:
    """Turn a request into profiles and sources, or say what is wrong with it.

    Raises:
      InputError: an unknown organisation, an impossible window or number, options that do not go together, a
        catalogue or a repository that cannot be read.
    """
    _check(request)
    if request.repositories:
        return [_from_git(request, today)]
    return [_from_catalog(request, organisation, today) for organisation in _chosen(request)]


def run(
    database: peewee.Database,
    request: Request,
    planned: Sequence[Planned],
    progress: Any = lambda *_: None,
) -> Outcome:
    """Seed what was planned, one organisation after the other; one that fails does not stop the others.

    Parameters:
      progress: called with organisation, stage, places done, places in all.
    Raises:
      InputError: the database is not fit, or a team is somebody else's; nothing was written.
    """
    options = request.options
    try:
        prepare(database)
        for item in planned:
            slug = item.profile.organisation.slug
            ledger.check_ownership(slug, adopt=options.adopt, clear=options.clear)
        record = ledger.start_run(request.parameters())
    except (peewee.DatabaseError, peewee.InterfaceError) as error:
        raise InputError(
            f"the database cannot be seeded: {first_line(error)}; nothing was written"
        ) from error
    outcome = Outcome(record.name, [], {})
    for item in planned:
        slug = item.profile.organisation.slug

        def tell(stage: str, done: int, total: int, slug: str = slug) -> None:
            progress(slug, stage, done, total)

        try:
            report = pipeline.seed(database, record, item.profile, item.source, request.options, tell)
            outcome.reports.append(report)
        except SeedError as error:
            outcome.failures[slug] = str(error)
        except (peewee.DatabaseError, peewee.InterfaceError) as error:
            outcome.failures[slug] = str(explained(error))
            if database.is_closed() or not database.is_connection_usable():
                raise SeedError(f"{slug}: {outcome.failures[slug]}") from error
    ledger.finish_run(record, "; ".join(f"{slug}: {why}" for slug, why in outcome.failures.items()))
    return outcome


@dataclass(frozen=True)
class Preview:
    """What a run would do to one organisation."""

    organisation: str
    since: datetime.date
    until: datetime.date
    members: int
    pull_requests: int
    ai_usage_rows: int
    action: str


def preview(url: str, request: Request, planned: Sequence[Planned]) -> list[Preview]:
    """What ``run`` would do, without writing anything, not even a missing database file."""
    path = sqlite_file(url)
    database = None if path is not None and not path.exists() else connect(url, access="read")
    fresh = database is None or Team._meta.table_name not in database.get_tables()
    known = database is not None and SeedTeam._meta.table_name in database.get_tables()
    previews = []
    for item in planned:
        profile, members = item.profile, len(item.source.members())
        worked = np.is_busday(profile.days)
        usage = members * WORKED * float(np.sum(worked * profile.adoption_at(profile.days)))
        action = "new" if fresh else _action(item, request, known=known)
        previews.append(
            Preview(
                profile.organisation.slug,
                profile.since,
                profile.until,
                members,
                item.source.total,
                round(usage),
                action,
            )
        )
    return previews


def _action(item: Planned, request: Request, *, known: bool) -> str:
    slug = item.profile.organisation.slug
    own = ledger.own_team(slug) if known else None
    if own is None and Team.select().where(Team.slug == slug).exists():
        return (
            "adopt the team" if request.options.adopt else "refuse: somebody else's team; --adopt allows it"
        )
    if own is None:
        return "new"
    if request.options.clear or pipeline.starts_over(own, pipeline.recipe(item.profile, item.source)):
        return "start over: its rows are of other inputs, or --clear"
    return "bring up to date"


def _check(request: Request) -> None:
    if request.days is not None and request.days < 1:
        raise InputError(f"--days {request.days}: impossible window; want at least 1 day")
    for name, least, most in (("members", 1, MOST_MEMBERS), ("prs", 0, MOST_PRS)):
        number = getattr(request, name)
        if number is not None and not least <= number <= most:
            raise InputError(f"--{name} {number}: want {least} to {most}")
    if request.options.chunk_size is not None and request.options.chunk_size < 1:
        raise InputError(f"--chunk-size {request.options.chunk_size}: want at least 1")
    if request.adoption is not None and not 0 <= request.adoption <= 1:
        raise InputError(f"--adoption {request.adoption:g}: want a rate from 0 to 1")
    if request.source not in (None, "synthetic", "git"):
        raise InputError(f"--source {request.source}: want synthetic or git")
    if request.scenario is not None and request.scenario not in SCENARIOS:
        raise InputError(f"--scenario {request.scenario}: want one of {', '.join(SCENARIOS)}")
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


def _from_catalog(request: Request, organisation: Organisation, today: datetime.date) -> Planned:
    scenario: Scenario | None = SCENARIOS[request.scenario] if request.scenario else None
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
    return Planned(profile, SyntheticSource(profile))


def _from_git(request: Request, today: datetime.date) -> Planned:
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
    return Planned(profile, GitSource(repositories, profile, emails=request.emails))
