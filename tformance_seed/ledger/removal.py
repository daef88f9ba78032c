"""Delete what was seeded for a team, but nothing on which rows of other programs hang.

People who use the application add rows that refer to seeded ones: memberships to a team, notes to a pull
request, members of their own. Which tables may hold such rows is known from the database's foreign keys.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee

from tformance_seed.bulk.peewee_internals import fields_by_name, fields_of, table_name
from tformance_seed.bulk.peewee_internals import foreign_keys as fields_that_refer
from tformance_seed.errors import InputError
from tformance_seed.ledger.access import access_rows, delete_access
from tformance_seed.ledger.teams import CHILDREN, max_id_before_adoption, set_input_spec
from tformance_seed.simulate.ai_signals import weigh
from tformance_seed.sources.detection import DETECTION_VERSION
from tformance_seed.storage.introspection import ForeignKey, TableName, foreign_keys, row_identifier
from tformance_seed.storage.models import PullRequest, SeedTeam, Team, TeamMember
from tformance_seed.storage.transactions import transaction

#: Rows whose ids one query names.
IDS_PER_QUERY = 500

#: What people call tables -> the beginning of the tables' names.
EVERYDAY_NAMES = {
    "members": "metrics_teammember",
    "memberships": "teams_membership",
    "invitations": "teams_invitation",
    "flags": "teams_flag",
    "notes": "notes_",
    "feedback": "feedback_",
    "integrations": "integrations_",
    "profiles": "public_",
}

#: Columns that a pull request keeps if a note hangs on it while everything else about it is deleted.
IDENTIFYING = {"author", "github_pr_id", "github_repo", "pr_created_at"}

#: The tables that are seeded for a team.
OWN_TABLES = {TableName(table_name(model)) for model in CHILDREN}

#: A row: its table, and its value in the column that identifies it.
Row = tuple[TableName, Any]


@dataclass
class Removal:
    """Rows deleted, or to be deleted, and rows of other programs that stay, with what they hang on.

    Both are numbers by table.
    """

    deleted: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)


@dataclass
class _Hanging:
    """Rows that other programs wrote and that refer, directly or not, to rows of a team.

    ``parents`` maps each of them to the rows that it refers to; ``tables`` may hold such rows.
    """

    parents: dict[Row, set[Row]] = field(default_factory=lambda: defaultdict(set))
    tables: set[TableName] = field(default_factory=set)

    def remaining(self, included: Collection[TableName]) -> set[Row]:
        """Return the rows that stay: those of tables that are not included, and all that they refer to."""
        waiting = [row for row in self.parents if row[0] not in included]
        stay = set(waiting)
        while waiting:
            more = self.parents.get(waiting.pop(), set()) - stay
            stay |= more
            waiting += more
        return stay


def plan_removal(
    database: peewee.Database, team: SeedTeam, including: Sequence[str] = (), *, whole_team: bool = True
) -> Removal:
    """Return what deleting a team's rows would delete and keep.

    Parameters:
      including: tables, by name or everyday name, whose rows are deleted although other programs wrote them.
      whole_team: whether the team itself is deleted too, if the package created it and nothing hangs on it.
    Raises:
      InputError: there is no such table.
    """
    hanging = _find_hanging(database, team)
    included = _included(hanging, including)
    stay = _stay(database, team, hanging, included)
    removal = Removal(kept=_count(row for row in stay if row in hanging.parents))
    for model in reversed(CHILDREN):
        rows = model.select().where(_removable(team, model, stay)).count(database)
        removal.deleted[table_name(model)] = rows
    others = (row for row in hanging.parents if row not in stay and row[0] != _name(TeamMember))
    removal.deleted |= _count(others)
    if whole_team and team.created_here:
        removal.deleted[table_name(Team)] = int(not _is_needed(stay))
    return removal


def delete_rows(database: peewee.Database, team: SeedTeam, including: Sequence[str] = ()) -> Removal:
    """Delete the rows that were seeded for a team, but not the team itself.

    If the team was adopted, only rows newer than its adoption are deleted. A pull request on which a row of
    another program hangs stays without its contents. Call it in a transaction, so that either all rows are
    deleted or none.

    Parameters:
      including: see ``plan_removal``.
    Raises:
      InputError: there is no such table.
    """
    removal, _ = _delete_rows(database, team, including)
    return removal


def _delete_rows(
    database: peewee.Database, team: SeedTeam, including: Sequence[str]
) -> tuple[Removal, set[Row]]:
    hanging = _find_hanging(database, team)
    stay = _stay(database, team, hanging, _included(hanging, including))
    removal = Removal(kept=_count(row for row in stay if row in hanging.parents))
    removal.deleted = _delete_hanging(database, hanging, stay)
    for model in reversed(CHILDREN):
        rows = model.delete().where(_removable(team, model, stay)).execute(database)
        name = table_name(model)
        removal.deleted[name] = removal.deleted.get(name, 0) + rows
    _empty(database, stay - hanging.parents.keys())
    return removal, stay


def clear_team(
    database: peewee.Database, team: SeedTeam, including: Sequence[str] = (), *, shared: bool = True
) -> Removal:
    """Delete what was seeded for a team, its entry in the ledger and, if the package created it, the team.

    If rows of other programs hang on the team, it stays with its entry, so that it can be seeded again.

    Parameters:
      including: see ``plan_removal``.
      shared: also delete the user and flags that the package made, once nothing refers to them.
    Raises:
      InputError: there is no such table.
    """
    with transaction(database):
        removal, stay = _delete_rows(database, team, including)
        removal.deleted |= delete_access(database, team, stay, shared=shared)
        if _is_needed(stay):
            set_input_spec(database, team, None)
            if team.created_here:
                disconnected = Team.update(copilot_status="disabled", copilot_last_sync_at=None)
                disconnected.where(Team.id == team.team_id).execute(database)
            SeedTeam.update(seeded_at=None).where(SeedTeam.team_id == team.team_id).execute(database)
            return removal
        if team.created_here:
            deleted = Team.delete().where(Team.id == team.team_id).execute(database)
            removal.deleted[table_name(Team)] = deleted
        SeedTeam.delete().where(SeedTeam.team_id == team.team_id).execute(database)
    return removal


def start_over(database: peewee.Database, team: SeedTeam, input_spec: Mapping[str, Any]) -> None:
    """Delete the rows that were seeded with other inputs or from another history; record the new inputs.

    Raises:
      InputError: the team was adopted, so other programs may have written to it since then.
    """
    if not team.created_here:
        raise InputError(
            f"the team {team.slug} was adopted and seeded with other inputs or from another history, which "
            "would mix with these; "
            "--adopt --clear removes every row added since its adoption, whoever wrote it"
        )
    with transaction(database):
        delete_rows(database, team)
        set_input_spec(database, team, input_spec)


def _name(model: type[peewee.Model]) -> TableName:
    return TableName(table_name(model))


def _is_needed(stay: set[Row]) -> bool:
    """Return whether a team must stay: some row does that refers to it."""
    return bool(stay)


def _find_hanging(database: peewee.Database, team: SeedTeam) -> _Hanging:
    """Find the rows of other programs that hang on a team, following foreign keys to children."""
    keys: dict[TableName, list[ForeignKey]] = defaultdict(list)
    for key in foreign_keys(database):
        if key.table not in OWN_TABLES:
            keys[key.parent].append(key)
    access = set(access_rows(database, team))
    hanging = _Hanging(tables={key.table for children in keys.values() for key in children})
    waiting: list[tuple[TableName, Any, str]] = [(_name(Team), [team.team_id], "id")]
    for model in CHILDREN:
        seeded = model.select(fields_by_name(model)["id"]).where(_seeded(team, model))
        waiting.append((_name(model), seeded, "id"))
    waiting += [(table, [number], "id") for table, number in access]
    while waiting:
        parent, rows, identifier = waiting.pop()
        for key in keys[parent]:
            found = []
            for child, parent_row in _pairs(database, key, identifier, rows):
                if (key.table, child) in access:
                    continue
                if (key.table, child) not in hanging.parents:
                    found.append(child)
                hanging.parents[key.table, child].add((parent, parent_row))
            if found:
                waiting.append((key.table, found, row_identifier(database, key.table)))
    hanging.tables.add(_name(TeamMember))
    for member in _foreign_members(database, team):
        hanging.parents[_name(TeamMember), member].add((_name(Team), team.team_id))
    return hanging


def _pairs(
    database: peewee.Database, key: ForeignKey, identifier: str, rows: Any
) -> Iterator[tuple[Any, Any]]:
    """Yield each row that refers to one of the given rows of the parent by a foreign key, and that row."""
    child, parent = key.table.source().alias("child"), key.parent.source().alias("parent")
    child_row = getattr(child.c, row_identifier(database, key.table))
    parent_row = getattr(parent.c, identifier)
    on = [
        getattr(child.c, column) == getattr(parent.c, parent_column)
        for column, parent_column in zip(key.columns, key.parent_columns, strict=True)
    ]
    chosen = [rows] if isinstance(rows, peewee.Node) else list(_portions(rows))
    for portion in chosen:
        query = peewee.Select([child, parent], [child_row, parent_row])
        yield from query.where(*on, parent_row.in_(portion)).tuples().execute(database)


def _portions(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(rows), IDS_PER_QUERY):
        yield rows[first : first + IDS_PER_QUERY]


def _seeded(team: SeedTeam, model: type[peewee.Model]) -> peewee.Expression:
    """Match a team's rows, but not those from before its adoption."""
    fields = fields_by_name(model)
    seeded: peewee.Expression = (fields["team"] == team.team_id) & (
        fields["id"] > max_id_before_adoption(team, model)
    )
    return seeded


def _foreign_members(database: peewee.Database, team: SeedTeam) -> list[int]:
    """Return the members that the package did not write; none if it was not recorded which it wrote."""
    if team.member_ids is None:
        return []
    written = [TeamMember.id.between(first, last) for first, last in team.member_ids]
    others = TeamMember.select(TeamMember.id).where(_seeded(team, TeamMember))
    for condition in written:
        others = others.where(~condition)
    return [number for (number,) in others.tuples().execute(database)]


def _included(hanging: _Hanging, names: Sequence[str]) -> set[TableName]:
    """Return the tables that the user named.

    Raises:
      InputError: no row in a table of that name hangs on the team.
    """
    included: set[TableName] = set()
    for name in names:
        prefix = EVERYDAY_NAMES.get(name)
        found = {
            table
            for table in hanging.tables
            if str(table) == name or (prefix is not None and table.name.startswith(prefix))
        }
        if not found and prefix is None:
            raise InputError(
                f"--including {name}: no table with references is called that; expected a table's name or "
                f"one of {', '.join(EVERYDAY_NAMES)}"
            )
        included |= found
    return included


def _stay(
    database: peewee.Database, team: SeedTeam, hanging: _Hanging, included: Collection[TableName]
) -> set[Row]:
    """Return the rows that stay: those of other programs, and the seeded ones that they refer to."""
    stay = hanging.remaining(included)
    for model in reversed(CHILDREN):
        ids = [number for table, number in stay if table == _name(model)]
        for key in fields_that_refer(model):
            if key.rel_model in CHILDREN:
                stay |= {(_name(key.rel_model), parent) for parent in _parents(database, team, key, ids)}
    return stay


def _parents(
    database: peewee.Database, team: SeedTeam, key: peewee.ForeignKeyField, ids: Sequence[int]
) -> set[int]:
    """Return the seeded rows that are referred to by rows with the given ids, and by those from before."""
    fields, found = fields_by_name(key.model), set()
    chosen = [fields["id"].in_(portion) for portion in _portions(ids)]
    if before := max_id_before_adoption(team, key.model):
        newer = key > max_id_before_adoption(team, key.rel_model)
        chosen.append((fields["team"] == team.team_id) & (fields["id"] <= before) & newer)
    for condition in chosen:
        rows = key.model.select(key).where(condition, key.is_null(False)).tuples()
        found |= {parent for (parent,) in rows.execute(database)}
    return found


def _removable(team: SeedTeam, model: type[peewee.Model], stay: set[Row]) -> peewee.Expression:
    """Match the rows of a table that are deleted."""
    condition = _seeded(team, model)
    ids = sorted(number for table, number in stay if table == _name(model))
    if ids:  # as text, since there may be more of them than a statement may have parameters
        condition &= fields_by_name(model)["id"].not_in(peewee.SQL(f"({', '.join(map(str, ids))})"))
    return condition


def _delete_hanging(database: peewee.Database, hanging: _Hanging, stay: set[Row]) -> dict[str, int]:
    """Delete rows of other programs that do not stay, children before parents; return numbers by table."""
    left = {row: parents for row, parents in hanging.parents.items() if row not in stay}
    left = {row: parents for row, parents in left.items() if row[0] != _name(TeamMember)}
    deleted: Counter[str] = Counter()
    while left:
        referred = {parent for parents in left.values() for parent in parents}
        leaves = [row for row in left if row not in referred] or list(left)  # rows that refer to each other
        by_table: dict[TableName, list[Any]] = defaultdict(list)
        for table, number in leaves:
            by_table[table].append(number)
            del left[table, number]
        for table, numbers in by_table.items():
            deleted[str(table)] += delete_by_id(database, table, numbers)
    return dict(deleted)


def delete_by_id(database: peewee.Database, table: TableName, rows: Sequence[Any]) -> int:
    """Delete rows of any table by the values that identify them; return how many there were."""
    source, count = table.source(), 0
    identifier = getattr(source.c, row_identifier(database, table))
    for portion in _portions(rows):
        count += peewee.Delete(source).where(identifier.in_(portion)).execute(database)
    return count


def _empty(database: peewee.Database, rows: Collection[Row]) -> None:
    """Reset what seeded rows that stay say of rows that were deleted.

    A pull request becomes a closed one of which nothing is known but repository, number, author and date, and
    a member one who never used Copilot.
    """
    values: dict[type[peewee.Model], dict[peewee.Field, Any]] = {
        PullRequest: {},
        TeamMember: dict.fromkeys((TeamMember.copilot_last_activity_at, TeamMember.copilot_last_editor)),
    }
    for column in fields_of(PullRequest):
        if column.name not in IDENTIFYING and (column.null or column.default is not None):
            values[PullRequest][column] = column.default() if callable(column.default) else column.default
    signals, score = weigh(None, [], commits=False, review=False, files=False)
    values[PullRequest] |= {
        PullRequest.state: "closed",
        PullRequest.title: peewee.Value("Pull request ").concat(PullRequest.github_pr_id.cast("TEXT")),
        PullRequest.review_rounds: 0,
        PullRequest.total_comments: 0,
        PullRequest.is_ai_assisted: False,
        PullRequest.ai_detection_version: DETECTION_VERSION,
        PullRequest.ai_signals: signals,
        PullRequest.ai_confidence_score: score,
    }
    for model, columns in values.items():
        for ids in _portions([number for table, number in rows if table == _name(model)]):
            model.update(columns).where(fields_by_name(model)["id"].in_(ids)).execute(database)


def _count(rows: Iterable[Row]) -> dict[str, int]:
    return dict(Counter(str(table) for table, _ in rows))
