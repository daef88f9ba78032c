"""Plan generated organisations: those of the catalogue, or one created for a scenario."""

import dataclasses
import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from tformance_seed.catalog.organisations import Organisation, find_organisation, load_organisations
from tformance_seed.catalog.profile import Profile
from tformance_seed.catalog.scales import find_scale
from tformance_seed.catalog.scenarios import find_scenario
from tformance_seed.sources.request import ContentRequest, last_whole_day
from tformance_seed.sources.source_type import Planned, SourceType
from tformance_seed.sources.synthetic.source import SyntheticSource

#: The organisation seeded if the user names none. It is small and takes seconds.
DEFAULT_ORGANISATION = "resend"

#: The languages of an organisation created for a scenario, in per cent.
SCENARIO_LANGUAGES = {"Python": 55.0, "TypeScript": 45.0}


def _check(_request: ContentRequest) -> None:
    """Accept every request: no option is required."""


def _plan(request: ContentRequest, now: datetime.datetime) -> Iterator[Planned]:
    scale = find_scale(request.scale) if request.scale else None
    positions = {slug: position for position, slug in enumerate(load_organisations(request.catalog))}
    for organisation in _organisations(request):
        if scale is not None:
            request = dataclasses.replace(
                request,
                members=scale.members(organisation),
                prs=scale.pull_requests_of(positions[organisation.slug]),
                until=request.until or scale.until,
            )
        usual = find_scenario(request.scenario).members if request.scenario else organisation.members
        until = request.until or last_whole_day(now)
        profile = request.profile(organisation, request.members or usual, until)
        yield profile, SyntheticSource(profile)


def _organisations(request: ContentRequest) -> Iterator[Organisation]:
    catalog = load_organisations(request.catalog)
    if request.everything:
        yield from catalog.values()
    elif request.organisations:
        for slug in dict.fromkeys(request.organisations):
            yield find_organisation(slug, catalog)
    elif request.scenario:
        scenario = find_scenario(request.scenario)
        yield Organisation(
            request.scenario,
            scenario.team_name,
            (f"{request.scenario}/app",),
            jira_project_key="DEMO",
            team_slug=scenario.team_slug,
            languages=(SCENARIO_LANGUAGES,),
        )
    elif request.catalog is not None:
        yield next(iter(catalog.values()))
    else:
        yield catalog[DEFAULT_ORGANISATION]


def _restore(profile: Profile, _record: Mapping[str, Any]) -> SyntheticSource:
    return SyntheticSource(profile)


_REASON = "a repository brings its own"

SOURCE_TYPE = SourceType(
    own_options={"members": _REASON, "prs": _REASON, "scenario": _REASON, "scale": _REASON},
    check=_check,
    plan=_plan,
    restore=_restore,
)
