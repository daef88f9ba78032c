"""Makes the tables that are missing, and compares those that are there with the models."""

from collections.abc import Sequence
from typing import Any

import peewee

from tformance_seed.database import making_tables
from tformance_seed.errors import InputError
from tformance_seed.models import APPLICATION, LEDGER, ApplicationModel, SeedTeam
from tformance_seed.models.fields import POSTGRESQL_INDEXES

#: What seeding does to a table.
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")


def create_missing(database: peewee.Database) -> list[str]:
    """Make the application's and the ledger's missing tables with every key and index.

    Tables that exist are left as they are. All or nothing, in one transaction. Returns the names made.

    Raises:
      InputError: a table of that name is there and has other columns.
    """
    tables = set(database.get_tables())
    for model in APPLICATION:
        if model._meta.table_name in tables:
            _check_columns(database, model)
    with making_tables(database):
        return _create(database, APPLICATION) + _make_ledger(database)


def prepare(database: peewee.Database) -> None:
    """See that a database can be seeded: empty (then its tables are made), or fit.

    Raises:
      InputError: some of the application's tables are missing, columns differ, or a right is missing.
    """
    tables = set(database.get_tables())
    missing = [model._meta.table_name for model in APPLICATION if model._meta.table_name not in tables]
    if not tables:
        create_missing(database)
        return
    if len(missing) == len(APPLICATION):
        raise InputError(
            f"the database has tables ({', '.join(sorted(tables)[:3])}, ...) but none of the application's: "
            "is it the right one? `tformance-seed init` makes them beside those"
        )
    if missing:
        raise InputError(
            f"the database lacks {len(missing)} of the application's tables ({', '.join(missing[:3])}, ...): "
            "is it the right one? `tformance-seed init` makes missing tables"
        )
    for model in APPLICATION:
        _check_columns(database, model)
    if isinstance(database, peewee.PostgresqlDatabase):
        _check_privileges(database)
    with making_tables(database):
        _make_ledger(database)


def _make_ledger(database: peewee.Database) -> list[str]:
    """Make the ledger's missing tables; those that an older version left go, but for the list of own teams.

    They hold what runs did. Without it the next run finds its rows unchanged, and goes on from there.
    """
    tables = set(database.get_tables())
    if any(is_outdated(database, model) for model in LEDGER if model._meta.table_name in tables):
        database.drop_tables([model for model in LEDGER if model is not SeedTeam], safe=True)
        database.execute(peewee.SQL("DROP TABLE IF EXISTS seed_chunk"))
    return _create(database, LEDGER)


def is_outdated(database: peewee.Database, model: type[peewee.Model]) -> bool:
    """Whether a table of the ledger is one that another version of the package made."""
    have = {column.name for column in database.get_columns(model._meta.table_name)}
    return have != {field.column_name for field in model._meta.sorted_fields}


def _create(database: peewee.Database, models: Sequence[type[peewee.Model]]) -> list[str]:
    tables = set(database.get_tables())
    missing = [model for model in models if model._meta.table_name not in tables]
    with database.bind_ctx(missing, bind_refs=True, bind_backrefs=False):
        for model in missing:
            model._schema.create_table(safe=False)
            model._schema.create_indexes(safe=False)
            if isinstance(database, peewee.PostgresqlDatabase):
                for index in POSTGRESQL_INDEXES.get(model, ()):
                    database.execute(index)
    return [model._meta.table_name for model in missing]


def _check_columns(database: peewee.Database, model: type[ApplicationModel]) -> None:
    table = model._meta.table_name
    have = {column.name: column for column in database.get_columns(table)}
    want = {field.column_name for field in model._meta.sorted_fields}
    if lacking := sorted(want - have.keys()):
        raise InputError(
            f"table {table} lacks the column {', '.join(lacking)}: "
            "bring the application's migrations up to date, then seed"
        )
    for name in sorted(have.keys() - want):
        if not have[name].null and have[name].default is None:
            raise InputError(
                f"table {table} has a column that must be filled and is not known here: {name}; "
                "use a version of tformance_seed made for that schema"
            )


def _check_privileges(database: peewee.Database) -> None:
    def lacks(model: type[peewee.Model], right: str) -> Any:
        return ~peewee.fn.has_table_privilege(model._meta.table_name, right)

    rights = [
        (model._meta.table_name, right, lacks(model, right)) for model in APPLICATION for right in PRIVILEGES
    ]
    values = peewee.Select(columns=[lack.alias(f"c{n}") for n, (_, _, lack) in enumerate(rights)])
    (row,) = values.tuples().execute(database)
    if refused := [f"{right} on {table}" for (table, right, _), no in zip(rights, row, strict=True) if no]:
        raise InputError(
            f"the database user may not {refused[0]}"
            + (f" (and {len(refused) - 1} more)" if len(refused) > 1 else "")
            + "; grant SELECT, INSERT, UPDATE and DELETE on the application's tables"
        )
