"""Compare the rows of daily AI usage with the formula for their number (``expected_usage_rows``)."""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import peewee
from peewee import fn

from tformance_seed import ledger
from tformance_seed.catalog.calibration import expected_usage_rows
from tformance_seed.catalog.profile import Profile, workdays_between
from tformance_seed.planning.plan import profile_of
from tformance_seed.report.figures import Organisation, Usage
from tformance_seed.storage.models import AIUsageDaily, SeedJob, SeedTeam


def compare_usage(
    database: peewee.Database, organisations: Mapping[int, Organisation], own: Mapping[int, SeedTeam]
) -> Iterator[Usage]:
    """Compare each organisation's rows of AI usage with the formula.

    Parameters:
      organisations: id of a team -> its organisation.
      own: id of a team that belongs to the package -> its entry in the ledger.
    """
    plans = _plans(database) if own else {}
    counts: dict[int, dict[datetime.date, int]] = {}
    team, date = AIUsageDaily.team, AIUsageDaily.date
    rows = AIUsageDaily.select(team, date, fn.COUNT(AIUsageDaily.id)).group_by(team, date)
    query = rows.where(team.in_(list(organisations))).tuples()
    for team_id, day, count in query.execute(database):
        counts.setdefault(team_id, {})[day] = count
    for team_id, organisation in organisations.items():
        plan = plans.get(organisation.organisation) if team_id in own else None
        yield _usage(organisation, counts.get(team_id, {}), plan)


def _plans(database: peewee.Database) -> dict[str, Mapping[str, Any]]:
    """Return the plan of the last finished job of each organisation, by slug."""
    jobs = SeedJob.select(SeedJob.organisation, SeedJob.plan).where(SeedJob.state == ledger.FINISHED)
    return dict(jobs.order_by(SeedJob.id).tuples().execute(database))


def _usage(
    organisation: Organisation, rows: Mapping[datetime.date, int], plan: Mapping[str, Any] | None
) -> Usage:
    profile = _profile(plan)
    since = profile.since if profile else min(rows, default=None)
    until = profile.until if profile else max(rows, default=None)
    days = workdays_between(since, until) if since and until else ()
    workdays = len(profile.workdays if profile else days)
    rows_in_window = sum(count for day, count in rows.items() if since and until and since <= day <= until)
    adoption = profile.mean_adoption if profile and workdays else None
    full_adoption = expected_usage_rows(organisation.members, workdays, adoption=1)
    return Usage(
        organisation=organisation.organisation,
        since=since,
        until=until,
        shift_weeks=profile.shift_weeks if profile else 0,
        members=organisation.members,
        workdays=workdays,
        rows=rows_in_window,
        adoption=adoption,
        formula_rows=None if adoption is None else full_adoption * adoption,
        implied_adoption=rows_in_window / full_adoption if full_adoption else None,
    )


def _profile(plan: Mapping[str, Any] | None) -> Profile | None:
    """Return the profile in a plan; None if there is no plan, or another version of the package wrote it."""
    try:
        return None if plan is None else profile_of(plan)
    except (KeyError, TypeError):
        return None
