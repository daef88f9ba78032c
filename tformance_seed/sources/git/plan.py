"""Plan the organisation to which all repositories in a request belong."""

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tformance_seed.catalog.languages import found_languages, usual_languages
from tformance_seed.catalog.organisations import SLUG, Organisation, jira_project, load_organisations
from tformance_seed.catalog.profile import Profile
from tformance_seed.errors import InputError
from tformance_seed.sources.git.source import GitSource, Repository, default_until, repository_name
from tformance_seed.sources.request import ContentRequest
from tformance_seed.sources.source_type import Planned, SourceType

#: Maximum length of a slug, as in the table of teams.
MAX_SLUG = 50


def _check(request: ContentRequest) -> None:
    if not request.repositories:
        raise InputError("--source git needs --repo PATH, a clone")
    if request.everything or len(request.organisations) > 1:
        raise InputError("--repo expects one organisation at most: all repositories belong to it")


def _plan(request: ContentRequest, now: datetime.datetime) -> Iterator[Planned]:
    repositories = [Repository(path, repository_name(path)) for path in request.repositories]
    until = request.until or default_until(repositories, now)
    # Whole weeks, so that weekdays stay.
    shift_weeks = 0 if request.shift_to is None else (request.shift_to - until).days // 7
    profile = request.profile(_organisation(request, repositories), 0, until, shift_weeks)
    source = GitSource(repositories, profile, emails=request.emails)
    organisation = profile.organisation
    # What a history began with does not change when it grows, and so neither do the languages.
    languages = [
        found_languages(source.first_files(name)) or usual_languages(profile.random, name)
        for name in organisation.repos
        if not organisation.languages
    ]
    organisation = replace(organisation, languages=organisation.languages or tuple(map(dict, languages)))
    yield replace(profile, organisation=organisation, known_until=source.known_until), source


def _organisation(request: ContentRequest, repositories: list[Repository]) -> Organisation:
    """Return the organisation with the requested slug, from the catalogue or new, with these repositories."""
    own_name = repositories[0].name.rpartition("/")[2]
    own_slug = re.sub(r"[^a-z0-9_-]+", "-", own_name.lower()).strip("-_")[:MAX_SLUG]
    slug = request.organisations[0] if request.organisations else own_slug
    if not SLUG.fullmatch(slug):
        raise InputError(
            f"{slug!r} is not a slug; name an organisation of a-z, 0-9, - and _, up to {MAX_SLUG} characters"
        )
    catalog = load_organisations(request.catalog)
    known = catalog.get(slug)
    organisation = known or Organisation(slug, own_name or slug, jira_project_key=jira_project(slug))
    repos = tuple(sorted(item.name for item in repositories))
    stated = {
        name: languages
        for each in [*catalog.values(), organisation]
        for name, languages in zip(each.repos, each.languages, strict=False)
    }
    languages = tuple(stated[name] for name in repos) if stated.keys() >= set(repos) else ()
    return replace(organisation, repos=repos, languages=languages)


def _restore(profile: Profile, record: Mapping[str, Any]) -> GitSource:
    repositories = [Repository(Path(path), name) for path, name in record["repositories"]]
    return GitSource(repositories, profile, emails=record["emails"])


SOURCE_TYPE = SourceType(
    own_options={
        "repositories": "",
        "emails": "generated addresses are nobody's",
        "shift_to": "generated windows end when --until says",
    },
    implied_by="repositories",
    check=_check,
    plan=_plan,
    restore=_restore,
)
