"""Figures about the application's tables and the ledger, computed in the database."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import peewee
from peewee import fn

from tformance_seed import ledger
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import table_name
from tformance_seed.catalog.profile import describe_shift
from tformance_seed.errors import InputError
from tformance_seed.metrics.ai_assistance import WITH_AI
from tformance_seed.metrics.weekly import hundredths, monday
from tformance_seed.report import infrastructure
from tformance_seed.report.figures import Organisation, Report, Table, Usage
from tformance_seed.report.infrastructure import OTHERS, Size
from tformance_seed.report.origins import find_origin
from tformance_seed.report.usage import compare_usage
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import APPLICATION, LEDGER, PullRequest, SeedTeam, Team, TeamMember
from tformance_seed.storage.schema.create import knows_teams

#: Matches merged pull requests, which have a cycle time and count in the week of their merge.
MERGED = (PullRequest.state == "merged") & PullRequest.merged_at.is_null(False)

#: Notes on unknown figures.
NO_SERVER = "only PostgreSQL has a cache hit ratio and connections"
HIDDEN = "the state of other users' connections is visible only to members of pg_monitor"
NO_SIZES = "this SQLite was built without dbstat and does not know sizes of tables, only that of the file"


def gather(database: peewee.Database, slugs: Sequence[str], *, exact: bool) -> Report:
    """Return the figures for a database and for the given organisations, or for all of them.

    Parameters:
      exact: count the rows of every table even if the server has an estimate; SQLite has none.
    Raises:
      InputError: the database lacks tables of the application, or does not contain an organisation.
    """
    existing = table_names(database)
    _check_tables(existing)
    teams = _teams(database, slugs)
    models = [model for model in (*APPLICATION, *LEDGER) if table_name(model) in existing]
    sizes = infrastructure.sizes(database, [table_name(model) for model in models])
    counted = exact or not is_postgresql(database)
    tables = [_table(database, model, sizes, counted=counted) for model in models]
    if OTHERS in sizes:
        others = sizes[OTHERS]
        tables.append(Table(OTHERS, None, counted, others.heap_bytes, others.index_bytes))
    own = {team.team_id: team for team in ledger.own_teams(database)} if knows_teams(database) else {}
    organisations = _organisations(database, teams, own)
    described = infrastructure.describe(database, PullRequest.select().count(database))
    usage = tuple(compare_usage(database, organisations, own))
    notes = {
        NO_SERVER: not is_postgresql(database),
        HIDDEN: is_postgresql(database) and described.active_connections is None,
        NO_SIZES: not sizes,
    }
    return Report(
        database=described,
        tables=tuple(sorted(tables, key=lambda table: -(table.total_bytes or table.rows or 0))),
        organisations=tuple(organisations.values()),
        usage=usage,
        notes=(*(note for note, holds in notes.items() if holds), *_shifts(usage)),
    )


def _shifts(usage: Sequence[Usage]) -> Iterator[str]:
    """Yield a note about each organisation whose history was moved."""
    for each in usage:
        if each.shift_weeks and each.since and each.until:
            yield describe_shift(each.organisation, each.since, each.until, each.shift_weeks)


def _check_tables(existing: set[str]) -> None:
    missing = [table_name(model) for model in APPLICATION if table_name(model) not in existing]
    if missing:
        raise InputError(
            f"the database lacks {len(missing)} of the application's {len(APPLICATION)} tables "
            f"({', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}): is it the right one? "
            "`tformance-seed init` creates missing tables"
        )


def _teams(database: peewee.Database, slugs: Sequence[str]) -> dict[int, tuple[str, str]]:
    """Return the slug and name of each organisation by its team's id, in the order of the slugs."""
    ids = ledger.teams_by_name(database)
    names = dict(Team.select(Team.id, Team.name).tuples().execute(database))
    chosen = {ledger.organisation_named(database, slug) for slug in slugs} or ids.keys()
    teams = {ids[slug]: (slug, names[ids[slug]]) for slug in sorted(chosen & ids.keys())}
    if missing := sorted(chosen - ids.keys()):
        raise InputError(
            f"no organisation {missing[0]} in the database; without a name, report shows all that are"
        )
    return teams


def _table(
    database: peewee.Database, model: type[peewee.Model], sizes: Mapping[str, Size], *, counted: bool
) -> Table:
    name = table_name(model)
    size = sizes.get(name, Size(None, None, None))
    rows = model.select().count(database) if counted else size.rows
    return Table(name, rows, counted, size.heap_bytes, size.index_bytes)


def _organisations(
    database: peewee.Database, teams: Mapping[int, tuple[str, str]], own: Mapping[int, SeedTeam]
) -> dict[int, Organisation]:
    members = dict(_by_team(database, teams, TeamMember.team, fn.COUNT(TeamMember.id)))
    week = monday(database, PullRequest.merged_at)
    pull_requests = {
        team: figures
        for team, *figures in _by_team(
            database,
            teams,
            PullRequest.team,
            fn.COUNT(PullRequest.id),
            fn.COUNT(PullRequest.id).filter(MERGED),
            fn.COUNT(PullRequest.id).filter(WITH_AI),
            fn.SUM(hundredths(PullRequest.cycle_time_hours)).filter(MERGED),
            fn.COUNT(PullRequest.cycle_time_hours).filter(MERGED),
        )
    }
    chosen = MERGED & PullRequest.team.in_(list(teams))
    merged = PullRequest.select(PullRequest.team, week).where(chosen).distinct()
    weeks: dict[int, list[datetime.date]] = {}
    for team, start in merged.tuples().execute(database):
        weeks.setdefault(team, []).append(start)
    medians = _medians(database, chosen)
    organisations = {}
    for team, (slug, name) in teams.items():
        count, merges, with_ai, hours, timed = pull_requests.get(team, (0, 0, 0, 0, 0))
        starts = weeks.get(team, [])
        organisations[team] = Organisation(
            organisation=slug,
            name=name,
            members=members.get(team, 0),
            pull_requests=count,
            merged=merges,
            ai_share=with_ai / count if count else None,
            mean_cycle_hours=float(hours) / timed / 100 if timed else None,
            median_cycle_hours=medians.get(team),
            weeks=len(starts),
            first_week=min(starts, default=None),
            last_week=max(starts, default=None),
            seeded_at=own[team].seeded_at if team in own else None,
            origin=find_origin(own.get(team)),
        )
    return organisations


def _by_team(
    database: peewee.Database, teams: Mapping[int, Any], team: peewee.ForeignKeyField, *figures: Any
) -> list[tuple[Any, ...]]:
    """Return the id and figures of each team that has rows in a table.

    Parameters:
      team: the table's field that refers to the team.
    """
    query = team.model.select(team, *figures).where(team.in_(list(teams))).group_by(team)
    return list(query.tuples().execute(database))


def _medians(database: peewee.Database, chosen: Any) -> dict[int, float]:
    """Return the median hours from creation to merge by team, as the mean of the one or two middle rows."""
    same_team = [PullRequest.team]
    hours = hundredths(PullRequest.cycle_time_hours)
    ranked = (
        PullRequest.select(
            PullRequest.team.alias("team"),
            hours.alias("hours"),
            fn.ROW_NUMBER().over(partition_by=same_team, order_by=[hours]).alias("position"),
            fn.COUNT(PullRequest.id).over(partition_by=same_team).alias("total"),
        )
        .where(chosen, PullRequest.cycle_time_hours.is_null(False))
        .alias("ranked")
    )
    middle = ((ranked.c.total + 1) / 2, (ranked.c.total + 2) / 2)
    query = (
        peewee.Select([ranked], [ranked.c.team, fn.AVG(ranked.c.hours)])
        .where(ranked.c.position.in_(middle))
        .group_by(ranked.c.team)
    )
    return {team: float(hours) / 100 for team, hours in query.tuples().execute(database)}
