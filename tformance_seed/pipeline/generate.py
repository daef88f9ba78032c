"""Stages that generate rows: a team with its members, pull requests with their child rows, AI usage."""

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed import ledger
from tformance_seed.bulk.peewee_internals import fields_by_name, foreign_keys
from tformance_seed.bulk.prepared import Parameters, PreparedStatement
from tformance_seed.catalog.calibration import expected_usage_rows
from tformance_seed.pipeline.access import grant_access
from tformance_seed.pipeline.job_context import JobContext, Results, Write, ids_of
from tformance_seed.pipeline.tables import build_rows
from tformance_seed.planning.plan import Plan
from tformance_seed.simulate.ai_usage import ai_usage
from tformance_seed.simulate.completion import complete
from tformance_seed.simulate.copilot import last_activity, price_tier
from tformance_seed.sources.records import join
from tformance_seed.storage.models import (
    APPLICATION,
    AIUsageDaily,
    SeedJob,
    Team,
    TeamMember,
)

#: Rows per pull request in the largest child table.
CHILDREN_PER_PULL_REQUEST = 10

#: The maximum number of pull requests per task: few enough that one big organisation keeps every worker busy.
PULL_REQUESTS = 1_500

#: The maximum product of members and days per task; and the share by which rows may exceed the expected
#: number and still fit into a chunk.
MEMBER_DAYS, MARGIN = 100_000, 0.1

#: The founding date of every team that this package creates.
FOUNDED = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)


def team(context: JobContext, _offset: int, _limit: int) -> Write:
    """Acquire the team, delete its rows if they would mix with new ones, and bring its members up to date."""
    database, plan, slug = context.database, context.plan, context.plan.slug
    options, people = context.options, context.people

    def write(results: Results) -> None:
        if options.clear:
            ledger.check_ownership(database, {slug: plan.team_slug}, adopt=options.adopt, clear=True)
            if own := ledger.own_team(database, slug):
                ledger.clear_team(database, own, shared=False)
        rename = options.slug is not None
        team = ledger.acquire_team(database, slug, _team_values(plan), adopt=options.adopt, rename=rename)
        context.team = team
        started_over = plan.must_start_over(database, team)
        if started_over:
            ledger.start_over(database, team, context.input_spec)
        elif team.input_spec is None:
            ledger.set_input_spec(database, team, context.input_spec)
        ledger.set_source_state(database, team, context.source.state)
        SeedJob.update(
            empty_tables=_empty_tables(database, team.team_id),
            members=len(people),
            pull_requests=context.source.total,
            started_over=started_over,
        ).where(SeedJob.id == context.job_id).execute(database)
        columns = people.columns | last_activity(people, context.profile)
        context.write(TeamMember, {**columns, "updated_at": people.columns["created_at"]}, results)
        ledger.record_members(database, team, context.member_ids.tolist())
        grant_access(context, results)

    return write


def _has_rows(_database: peewee.Database, value: Parameters) -> peewee.Select:
    """Select, for each model, whether a team has any rows of it."""
    columns = []
    for model in APPLICATION:
        if model is not Team:
            rows = model.select(model.id).where(fields_by_name(model)["team"] == value("team"))
            columns.append(peewee.fn.EXISTS(rows).alias(model.__name__))
    return peewee.Select(columns=columns)


_HAS_ROWS = PreparedStatement(_has_rows)


def _empty_tables(database: peewee.Database, team_id: int) -> list[str]:
    """Return the names of the models of which a team has no rows."""
    cursor = _HAS_ROWS(database, team=team_id)
    names = [name for name, *_ in cursor.description]
    return [name for name, has_rows in zip(names, cursor.fetchone(), strict=True) if not has_rows]


def _team_values(plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.profile.organisation.name,
        "slug": plan.team_slug,
        "created_at": FOUNDED,
        "updated_at": FOUNDED,
        "billing_details_last_changed": FOUNDED,
        "onboarding_complete": True,
        "onboarding_pipeline_status": "complete",
        "onboarding_pipeline_started_at": FOUNDED,
        "onboarding_pipeline_completed_at": FOUNDED,
        "background_llm_progress": 100,
        "background_sync_progress": 100,
        "copilot_price_tier": price_tier(plan.profile),
    }


def pull_request_ranges(context: JobContext) -> Iterator[tuple[int, int]]:
    """Yield offsets and limits, in the source's order of pull requests."""
    largest = min(PULL_REQUESTS, max(1, context.rows_per_chunk // CHILDREN_PER_PULL_REQUEST))
    return _divide(context.source.length, largest)


def _divide(count: int, largest: int) -> Iterator[tuple[int, int]]:
    """Divide items into as few ranges as possible, of at most ``largest`` items and about equal size."""
    parts = -(-count // largest)
    ends = [count * part // parts for part in range(1, parts + 1)]
    for start, end in zip([0, *ends], ends, strict=False):
        yield start, end - start


def pull_requests(context: JobContext, offset: int, limit: int) -> Write:
    """Generate a range of pull requests, with the rows that refer to them."""
    observed = join(list(context.source.batches(offset, offset + limit)))
    tables = build_rows(complete(observed, context.people, context.profile), context)

    def write(results: Results) -> None:
        ids: dict[type[peewee.Model], npt.NDArray[np.int64]] = {}
        for table, rows in tables:
            columns = dict(rows)
            for key in foreign_keys(table.model):
                if key.rel_model in ids:
                    columns[key.name] = ids_of(rows[key.name], ids[key.rel_model])
            replaced = None
            if table.owner is not None and context.source.state:
                replaced = table.owner.in_(ids[table.owner.rel_model].tolist())
            context.write(table.model, columns, results, replaced=replaced)
            if table.find_ids is not None:
                ids[table.model] = table.find_ids(context, columns)

    return write


def usage_ranges(context: JobContext) -> Iterator[tuple[int, int]]:
    """Yield offsets and limits of members, each with about as many usage rows as one statement writes."""
    days = context.profile.days
    profile = context.profile
    expected = expected_usage_rows(1, len(profile.workdays), profile.mean_adoption) * (1 + MARGIN)
    largest = max(1, int(min(context.rows_per_chunk / max(expected, 1), MEMBER_DAYS / len(days))))
    return _divide(len(context.people), largest)


def usage(context: JobContext, offset: int, limit: int) -> Write:
    """Generate the AI usage of a range of members in key order, the order in which rows are sorted."""
    rows = ai_usage(context.people, context.in_key_order[offset : offset + limit], context.profile)
    return lambda results: context.write(AIUsageDaily, rows, results)
