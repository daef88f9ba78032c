"""Record which rows the package wrote outside the tables that it seeds, so that it can remove them."""

from collections.abc import Collection, Mapping
from typing import Any

import peewee

from tformance_seed.bulk.peewee_internals import execute, exists, insert_rows, table_name
from tformance_seed.storage.introspection import TableName, referred_to, table_names
from tformance_seed.storage.models import Flag, SeedAccess, SeedTeam, User

#: The models of rows that teams share -> the column that SeedAccess.name repeats.
SHARED: dict[type[peewee.Model], peewee.Field] = {User: User.username, Flag: Flag.name}


def insert_once(
    database: peewee.Database,
    model: type[peewee.Model],
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    team_id: int | None = None,
) -> tuple[int, bool]:
    """Insert a row unless there is one with the same key, and record that it belongs to the package.

    Call it in a transaction.

    Parameters:
      key: values of the fields of a unique key.
      values: values of other fields.
      team_id: the team that the row belongs to; None if teams share it.
    Returns:
      The row's id, and whether it was inserted.
    """
    same = [getattr(model, name) == value for name, value in key.items()]
    row_id = getattr(model, "id")  # noqa: B009
    found = model.select(row_id).where(*same)
    known = found.clone().scalar(database)
    if known is not None:
        return known, False
    insert = model.insert_many([{**key, **values}]).on_conflict_ignore().returning()
    inserted = execute(database, insert).rowcount > 0  # not if another run has inserted it meanwhile
    number: int = found.clone().scalar(database)
    if inserted:
        name = str(key[SHARED[model].name]) if model in SHARED else ""
        entry = {"row_table": table_name(model), "row_id": number, "team_id": team_id, "name": name}
        stale = (SeedAccess.row_table == entry["row_table"]) & (SeedAccess.row_id == number)
        SeedAccess.delete().where(stale).execute(database)
        insert_rows(database, SeedAccess, [entry])
    return number, inserted


def is_own(database: peewee.Database, model: type[peewee.Model], row_id: int) -> bool:
    """Return whether the package inserted a row that teams share."""
    own = SeedAccess.select().where(SeedAccess.row_table == table_name(model), SeedAccess.row_id == row_id)
    return exists(database, own)


def access_rows(database: peewee.Database, team: SeedTeam) -> list[tuple[TableName, int]]:
    """Return the rows that the package wrote for a team, the latest first."""
    rows = SeedAccess.select(SeedAccess.row_table, SeedAccess.row_id).order_by(SeedAccess.id.desc())
    found = rows.where(SeedAccess.team_id == team.team_id).tuples().execute(database)
    there = table_names(database)
    return [(TableName(table), number) for table, number in found if table in there]


def delete_access(
    database: peewee.Database, team: SeedTeam, stay: Collection[tuple[TableName, Any]], *, shared: bool
) -> dict[str, int]:
    """Delete the rows that the package wrote for a team, and shared ones to which nothing refers any more.

    If there are none of the team's, shared rows are not looked at: the database user may not be allowed to.

    Parameters:
      stay: rows that must stay, because rows of other programs refer to them.
      shared: whether to delete shared rows.
    Returns:
      The number of rows deleted, by table.
    """
    deleted: dict[str, int] = {}
    for table, number in access_rows(database, team):
        if (table, number) not in stay:
            _delete(database, table.name, number, deleted)
    for model, column in SHARED.items() if shared and deleted else ():
        table = TableName(table_name(model))
        entries = SeedAccess.select().where(SeedAccess.row_table == table.name)
        for entry in list(entries.execute(database)):
            row = model.select().where(getattr(model, "id") == entry.row_id, column == entry.name)  # noqa: B009
            if exists(database, row) and not referred_to(database, table, [entry.row_id]):
                _delete(database, table.name, entry.row_id, deleted)
    return deleted


def _delete(database: peewee.Database, table: str, number: int, deleted: dict[str, int]) -> None:
    source = TableName(table).source()
    count = peewee.Delete(source).where(source.c.id == number).execute(database)
    deleted[table] = deleted.get(table, 0) + count
    entry = (SeedAccess.row_table == table) & (SeedAccess.row_id == number)
    SeedAccess.delete().where(entry).execute(database)
