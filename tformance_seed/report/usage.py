"""Daily AI usage against the formula that its seeder follows (``expected_usage_rows``)."""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from peewee import fn

from tformance_seed import ledger
from tformance_seed.catalog.calibration import expected_usage_rows
from tformance_seed.catalog.profile import Profile, workdays_between
from tformance_seed.planning.plan import profile_of
from tformance_seed.report.figures import Organisation, Usage
from tformance_seed.storage.models import AIUsageDaily, SeedJob, SeedTeam


def against_formula(
    organisations: Mapping[int, Organisation], own: Mapping[int, SeedTeam]
) -> Iterator[Usage]:
    """How many rows organisations (by id) have, and how many they should.

    Parameters:
      own: teams that the ledger knows, by id.
    """
    plans = _plans() if own else {}
    counts: dict[int, dict[datetime.date, int]] = {}
    team, date = AIUsageDaily.team, AIUsageDaily.date
    rows = AIUsageDaily.select(team, date, fn.COUNT(AIUsageDaily.id)).group_by(team, date)
    for team_id, day, count in rows.where(team.in_(list(organisations))).tuples().iterator():
        counts.setdefault(team_id, {})[day] = count
    for team_id, organisation in organisations.items():
        plan = plans.get(organisation.organisation) if team_id in own else None
        yield _usage(organisation, counts.get(team_id, {}), plan)


def _plans() -> dict[str, Mapping[str, Any]]:
    """What each organisation was seeded with last."""
    jobs = SeedJob.select(SeedJob.organisation, SeedJob.plan).where(SeedJob.state == ledger.FINISHED)
    return dict(jobs.order_by(SeedJob.id).tuples())


def _usage(
    organisation: Organisation, rows: Mapping[datetime.date, int], plan: Mapping[str, Any] | None
) -> Usage:
    profile = _profile(plan)
    since = profile.since if profile else min(rows, default=None)
    until = profile.until if profile else max(rows, default=None)
    workdays = len(workdays_between(since, until)) if since and until else 0
    here = sum(count for day, count in rows.items() if since and until and since <= day <= until)
    adoption = profile.mean_adoption if profile and workdays else None
    full_adoption = expected_usage_rows(organisation.members, workdays, adoption=1)
    return Usage(
        organisation=organisation.organisation,
        since=since,
        until=until,
        members=organisation.members,
        workdays=workdays,
        rows=here,
        adoption=adoption,
        formula_rows=None if adoption is None else full_adoption * adoption,
        implied_adoption=here / full_adoption if full_adoption else None,
    )


def _profile(plan: Mapping[str, Any] | None) -> Profile | None:
    """What a team was seeded with; None where only another version of the package knows."""
    try:
        return None if plan is None else profile_of(plan)
    except (KeyError, TypeError):
        return None
