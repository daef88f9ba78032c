"""Figures from the application's tables and the ledger, counted where the data is."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import peewee
from peewee import fn

from tformance_seed import ledger
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.errors import InputError
from tformance_seed.metrics.weekly import hundredths, monday
from tformance_seed.report import infrastructure as server
from tformance_seed.report.figures import Organisation, Report, Table
from tformance_seed.report.usage import against_formula
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import APPLICATION, LEDGER, PullRequest, SeedTeam, Team, TeamMember
from tformance_seed.storage.schema.create import has_ledger

#: Merged pull requests: those that have a cycle time and a place in the weeks.
MERGED = (PullRequest.state == "merged") & PullRequest.merged_at.is_null(False)

NO_SERVER = "cache hit ratio and connections are for PostgreSQL alone to tell"
HIDDEN = "what connections of others are at is for members of pg_monitor to see"
NO_SIZES = (
    "this SQLite was built without dbstat, which tells sizes of tables: that of the file is all it knows"
)


def gather(database: peewee.Database, slugs: Sequence[str], *, exact: bool) -> Report:
    """The figures of a database and of the organisations named, or of all.

    Parameters:
      exact: count the rows of every table where the server could estimate them. SQLite's are always counted.
    Raises:
      InputError: the database lacks tables of the application, or there is no such organisation.
    """
    have = table_names(database)
    _check_tables(have)
    teams = _teams(slugs)
    models = [model for model in (*APPLICATION, *LEDGER) if model._meta.table_name in have]
    sizes = server.sizes(database, [model._meta.table_name for model in models])
    counted = exact or not is_postgresql(database)
    tables = [_table(model, sizes, counted=counted) for model in models]
    if server.OTHERS in sizes:
        others = sizes[server.OTHERS]
        tables.append(Table(server.OTHERS, None, counted, others.heap_bytes, others.index_bytes))
    own = {team.team_id: team for team in ledger.own_teams()} if has_ledger(database) else {}
    organisations = _organisations(database, teams, own)
    described = server.describe(database, PullRequest.select().count())
    notes = {
        NO_SERVER: not is_postgresql(database),
        HIDDEN: is_postgresql(database) and described.active_connections is None,
        NO_SIZES: not sizes,
    }
    return Report(
        database=described,
        tables=tuple(sorted(tables, key=lambda table: -(table.total_bytes or table.rows or 0))),
        organisations=tuple(organisations.values()),
        usage=tuple(against_formula(organisations, own)),
        notes=tuple(note for note, holds in notes.items() if holds),
    )


def _check_tables(have: set[str]) -> None:
    missing = [model._meta.table_name for model in APPLICATION if model._meta.table_name not in have]
    if missing:
        raise InputError(
            f"the database lacks {len(missing)} of the application's {len(APPLICATION)} tables "
            f"({', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}): is it the right one? "
            "`tformance-seed init` makes missing tables"
        )


def _teams(slugs: Sequence[str]) -> dict[int, tuple[str, str]]:
    """Slugs and names by id, by slug."""
    teams = Team.select(Team.id, Team.slug, Team.name).order_by(Team.slug)
    if slugs:
        teams = teams.where(Team.slug.in_(list(slugs)))
    found = {team: (slug, name) for team, slug, name in teams.tuples()}
    known = {slug for slug, _ in found.values()}
    if missing := [slug for slug in slugs if slug not in known]:
        raise InputError(
            f"no organisation {missing[0]} in the database; without a name, report shows all that are"
        )
    return found


def _table(model: type[peewee.Model], sizes: Mapping[str, server.Size], *, counted: bool) -> Table:
    name = model._meta.table_name
    size = sizes.get(name, server.Size(None, None, None))
    rows = model.select().count() if counted else size.rows
    return Table(name, rows, counted, size.heap_bytes, size.index_bytes)


def _organisations(
    database: peewee.Database, teams: Mapping[int, tuple[str, str]], own: Mapping[int, SeedTeam]
) -> dict[int, Organisation]:
    members = dict(_of(teams, TeamMember, fn.COUNT(TeamMember.id)))
    week = monday(database, PullRequest.merged_at)
    cycle = hundredths(PullRequest.cycle_time_hours)
    pulls = {
        team: figures
        for team, *figures in _of(
            teams,
            PullRequest,
            fn.COUNT(PullRequest.id),
            fn.COUNT(PullRequest.id).filter(MERGED),
            fn.COUNT(PullRequest.id).filter(PullRequest.is_ai_assisted),
            fn.SUM(cycle).filter(MERGED),
            fn.COUNT(PullRequest.cycle_time_hours).filter(MERGED),
        )
    }
    mine = MERGED & PullRequest.team.in_(list(teams))
    merged = PullRequest.select(PullRequest.team, week).where(mine).distinct()
    weeks: dict[int, list[datetime.date]] = {}
    for team, start in merged.tuples().execute(database):
        weeks.setdefault(team, []).append(start)
    medians = _medians(database, mine)
    found = {}
    for team, (slug, name) in teams.items():
        count, merges, with_ai, hours, timed = pulls.get(team, (0, 0, 0, 0, 0))
        starts = weeks.get(team, [])
        found[team] = Organisation(
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
        )
    return found


def _of(teams: Mapping[int, Any], model: type[peewee.Model], *figures: peewee.ColumnBase) -> Any:
    """Figures by team."""
    query = model.select(model.team, *figures).group_by(model.team)
    return query.where(model.team.in_(list(teams))).tuples().iterator()


def _medians(database: peewee.Database, which: peewee.Expression) -> dict[int, float]:
    """Median hours from creation to merge by team: the mean of the one or two rows in the middle."""
    mine = [PullRequest.team]
    hours = hundredths(PullRequest.cycle_time_hours)
    ranked = (
        PullRequest.select(
            PullRequest.team.alias("team"),
            hours.alias("hours"),
            fn.ROW_NUMBER().over(partition_by=mine, order_by=[hours]).alias("place"),
            fn.COUNT(PullRequest.id).over(partition_by=mine).alias("places"),
        )
        .where(which, PullRequest.cycle_time_hours.is_null(False))
        .alias("ranked")
    )
    middle = ((ranked.c.places + 1) / 2, (ranked.c.places + 2) / 2)
    query = (
        peewee.Select([ranked], [ranked.c.team, fn.AVG(ranked.c.hours)])
        .where(ranked.c.place.in_(middle))
        .group_by(ranked.c.team)
    )
    return {team: float(hours) / 100 for team, hours in query.tuples().execute(database)}
