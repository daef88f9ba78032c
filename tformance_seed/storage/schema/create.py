"""Create missing tables, upgrade the ledger, and reject a database that cannot be seeded."""

from collections.abc import Sequence

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import (
    column_type,
    create_table,
    execute,
    execute_sql,
    fields_of,
    table_name,
)
from tformance_seed.errors import InputError
from tformance_seed.storage.introspection import home_schema, quoted, table_names
from tformance_seed.storage.models import APPLICATION, LEDGER, SeedAccess, SeedSummary, SeedTeam, Team
from tformance_seed.storage.models.fields import POSTGRESQL_INDEXES
from tformance_seed.storage.schema.actual import introspect
from tformance_seed.storage.schema.difference import blocking_findings, differences, raise_if_blocking
from tformance_seed.storage.transactions import ddl_transaction

#: Names of the findings that ``create_missing`` fixes.
CREATABLE = ("no-application", "missing-table", "search-path")

#: The ledger's tables that an upgrade keeps.
KEPT = (SeedTeam, SeedAccess, SeedSummary)

#: Columns of ``seed_team`` -> their names in version 0.1.0.
TEAM_COLUMNS_OF_0_1_0 = {
    "created_here": "made",
    "input_spec": "recipe",
    "max_ids_before_adoption": "watermarks",
}


def create_missing(database: peewee.Database) -> list[str]:
    """Create the application's and the ledger's missing tables, with all keys and indexes.

    Existing tables of the application are left as they are. Everything happens in one transaction.

    Returns:
      The names of the created tables.

    Raises:
      InputError: a table exists, but with a schema that blocks seeding.
    """
    raise_if_blocking(
        [
            finding
            for finding in differences(database)
            if finding.severity == "error" and finding.name not in CREATABLE
        ]
    )
    with ddl_transaction(database):
        _choose_schema(database)
        return _create(database, APPLICATION) + _create_ledger(database)


def prepare(database: peewee.Database) -> None:
    """Check that a database can be seeded, and create the ledger; in an empty database, create all tables.

    Raises:
      InputError: something blocks seeding (``blocking_findings``).
    """
    raise_if_blocking(blocking_findings(database))
    if not table_names(database):
        create_missing(database)
        return
    with ddl_transaction(database):
        _choose_schema(database)
        _create_ledger(database)


def _choose_schema(database: peewee.Database) -> None:
    """Create tables beside the application's, wherever they are, until the transaction ends.

    In any other schema, a table might hide one of the application's, or be hidden from other users.
    """
    if is_postgresql(database):
        schema = home_schema(database, table_name(Team))
        if schema is None:
            raise InputError("no schema of the search path exists: create one, or set another search path")
        path = "SELECT set_config('search_path', concat_ws(', ', %s, current_setting('search_path')), true)"
        execute_sql(database, path, (quoted(schema),))


def _create_ledger(database: peewee.Database) -> list[str]:
    """Create the ledger's missing tables and upgrade older ones; return the names of the created tables.

    The tables that say which rows belong to the package, and what language models answered, are kept. The
    others record what runs did and are rebuilt, also if one of them is missing: the next run finds its rows
    unchanged and continues from there.
    """
    _upgrade_teams(database)
    found = _ledger_columns(database)
    rebuilt = [model for model in reversed(LEDGER) if model not in KEPT]
    is_current = all(_columns(model) == columns for model, columns in found.items())
    if not is_current or len(found.keys() & set(rebuilt)) not in (0, len(rebuilt)):
        for name in ("seed_chunk", *map(table_name, rebuilt)):  # those that refer to others first
            execute_sql(database, f"DROP TABLE IF EXISTS {quoted(name)}")
    return _create(database, LEDGER)


def _upgrade_teams(database: peewee.Database) -> None:
    """Give the table of teams this version's columns; older versions named teams after organisations."""
    columns = _ledger_columns(database).get(SeedTeam)
    if columns is None:
        return
    table = quoted(table_name(SeedTeam))
    for new, old in TEAM_COLUMNS_OF_0_1_0.items():
        if old in columns and new not in columns:
            execute_sql(database, f"ALTER TABLE {table} RENAME COLUMN {quoted(old)} TO {quoted(new)}")
    if "team_slug" not in columns:
        kind = column_type(database, SeedTeam.team_slug)
        execute_sql(database, f"ALTER TABLE {table} ADD COLUMN team_slug {kind} NOT NULL DEFAULT ''")
        SeedTeam.update(team_slug=SeedTeam.slug).execute(database)
    for field in (SeedTeam.member_ids, SeedTeam.source_state):
        if field.column_name not in columns:
            kind = column_type(database, field)
            execute_sql(database, f"ALTER TABLE {table} ADD COLUMN {field.column_name} {kind}")


def has_ledger(database: peewee.Database) -> bool:
    """Return whether the ledger exists and has this version's columns."""
    columns = _ledger_columns(database)
    return all(_columns(model) == columns.get(model) for model in LEDGER)


def has_team_registry(database: peewee.Database) -> bool:
    """Return whether the table of teams exists.

    Raises:
      InputError: it was created by an older version.
    """
    columns = _ledger_columns(database).get(SeedTeam)
    if columns is not None and columns != _columns(SeedTeam):
        raise older_ledger()
    return columns is not None


def knows_teams(database: peewee.Database) -> bool:
    """Return whether the table of teams exists and has this version's columns, whatever else is missing."""
    return _ledger_columns(database).get(SeedTeam) == _columns(SeedTeam)


def older_ledger() -> InputError:
    """Return the error to raise for a ledger that an older version made."""
    return InputError(
        "the database was seeded by an older version of tformance_seed; "
        "upgrade its ledger, which keeps every team: tformance-seed init"
    )


def _ledger_columns(database: peewee.Database) -> dict[type[peewee.Model], set[str]]:
    """Return the columns of those of the ledger's tables that exist."""
    models = {table_name(model): model for model in LEDGER}
    return {models[name]: set(table.columns) for name, table in introspect(database, models).items()}


def _columns(model: type[peewee.Model]) -> set[str]:
    return {field.column_name for field in fields_of(model)}


def _create(database: peewee.Database, models: Sequence[type[peewee.Model]]) -> list[str]:
    tables = table_names(database)
    missing = [model for model in models if table_name(model) not in tables]
    for model in missing:
        create_table(database, model)
        if is_postgresql(database):
            for index in POSTGRESQL_INDEXES.get(model, ()):
                execute(database, index)
    return [table_name(model) for model in missing]
