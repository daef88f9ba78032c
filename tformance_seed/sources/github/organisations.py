"""Plan organisations from what is known of them, whether it was fetched just now or found in caches."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tformance_seed.catalog.organisations import Organisation, jira_project, load_organisations
from tformance_seed.settings import cache_folder
from tformance_seed.sources.github.histories import History, find_caches, read_histories
from tformance_seed.sources.github.options import members_from
from tformance_seed.sources.github.source import GitHubSource
from tformance_seed.sources.request import ContentRequest, last_whole_day
from tformance_seed.sources.source_type import Planned

#: Maximum length of an organisation's name, as in the table of teams.
MAX_NAME = 100


def organisations(request: ContentRequest) -> list[Organisation]:
    """Return the organisations in a request: those of the catalogue, with its repositories, and others.

    Others have no repositories: all of their owner's are theirs.
    """
    catalog = load_organisations(request.catalog)
    found = {}
    for named in request.organisations:
        slug = named.lower()
        found[slug] = catalog.get(slug) or Organisation(slug, named, jira_project_key=jira_project(slug))
    return list(found.values())


def folder(request: ContentRequest) -> Path:
    """Return the folder in which the caches are."""
    return request.cache_dir or cache_folder() / "github"


def read_caches(request: ContentRequest, organisation: Organisation) -> list[History]:
    """Return what the caches know of an organisation.

    Raises:
      InputError: there is none, or one of them is incomplete.
    """
    return read_histories(find_caches(folder(request), organisation.slug, organisation.repos))


def plan_cached(request: ContentRequest, now: datetime.datetime) -> Iterator[Planned]:
    """Yield the plan of each organisation from its caches, without a network."""
    for organisation in organisations(request):
        yield plan_organisation(request, organisation, read_caches(request, organisation), now)


def plan_organisation(
    request: ContentRequest, organisation: Organisation, histories: Sequence[History], now: datetime.datetime
) -> Planned:
    """Return the plan of an organisation.

    Without a last day in the request, the window ends with the last day of which all is known.

    Raises:
      InputError: there is nothing to seed in the window.
    """
    ends = [history.until for history in histories if history.until is not None]
    known = max(ends, default=now)
    until = request.until or min(last_whole_day(now), last_whole_day(known))
    # Whole weeks, so that weekdays stay.
    shift_weeks = 0 if request.shift_to is None else (request.shift_to - until).days // 7
    owner = next((history.owner for history in histories if history.owner), "")
    if owner and not organisation.repos:
        organisation = replace(organisation, name=owner[:MAX_NAME])
    profile = request.profile(organisation, 0, until, shift_weeks)
    source = GitHubSource(
        sorted(histories, key=lambda history: history.repository),
        profile,
        members_from=members_from(request),
        emails=request.emails,
    )
    moved = known + profile.shift
    return replace(profile, known_until=moved if moved.date() <= profile.until else None), source
