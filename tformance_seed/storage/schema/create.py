"""Makes the tables that are missing, and refuses a database that cannot be seeded."""

from collections.abc import Iterable, Sequence

import peewee

from tformance_seed.errors import InputError
from tformance_seed.storage import schema as contract
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import APPLICATION, LEDGER, SeedTeam
from tformance_seed.storage.models.fields import POSTGRESQL_INDEXES
from tformance_seed.storage.schema.findings import Finding
from tformance_seed.storage.transactions import ddl_transaction

#: Findings that ``create_missing`` puts right.
MADE = ("no-application", "missing-table")


def create_missing(database: peewee.Database) -> list[str]:
    """Make the application's and the ledger's missing tables with every key and index.

    Tables that exist are left as they are. All or nothing, in one transaction. Returns the names made.

    Raises:
      InputError: a table of that name is there and is another.
    """
    _refuse(
        finding
        for finding in contract.differences(database)
        if finding.severity == "stops" and finding.name not in MADE
    )
    with ddl_transaction(database):
        return _create(database, APPLICATION) + _make_ledger(database)


def prepare(database: peewee.Database) -> None:
    """See that a database can be seeded: empty (then its tables are made), or fit.

    Raises:
      InputError: something in it stops seeding (``contract.stops``).
    """
    _refuse(contract.stops(database))
    if not table_names(database):
        create_missing(database)
        return
    with ddl_transaction(database):
        _make_ledger(database)


def _refuse(findings: Iterable[Finding]) -> None:
    if stopping := list(findings):
        raise InputError(contract.refusal(stopping))


def _make_ledger(database: peewee.Database) -> list[str]:
    """Make the ledger's missing tables; those that an older version left go, but for the list of own teams.

    They hold what runs did. Without it the next run finds its rows unchanged, and goes on from there.
    """
    if not all(_columns(model) == columns for model, columns in _ledger(database).items()):
        database.drop_tables([model for model in LEDGER if model is not SeedTeam], safe=True)
        database.execute(peewee.SQL("DROP TABLE IF EXISTS seed_chunk"))
    return _create(database, LEDGER)


def has_ledger(database: peewee.Database) -> bool:
    """Whether the ledger is there, and of this version."""
    there = _ledger(database)
    return all(_columns(model) == there.get(model) for model in LEDGER)


def lists_teams(database: peewee.Database) -> bool:
    """Whether the list of own teams is there, which outlives the ledger that an older version left."""
    return SeedTeam._meta.table_name in table_names(database)


def _ledger(database: peewee.Database) -> dict[type[peewee.Model], set[str]]:
    """The columns of those of the ledger's tables that are there."""
    models = {model._meta.table_name: model for model in LEDGER}
    return {models[name]: set(table.columns) for name, table in contract.found(database, models).items()}


def _columns(model: type[peewee.Model]) -> set[str]:
    return {field.column_name for field in model._meta.sorted_fields}


def _create(database: peewee.Database, models: Sequence[type[peewee.Model]]) -> list[str]:
    tables = table_names(database)
    missing = [model for model in models if model._meta.table_name not in tables]
    with database.bind_ctx(missing, bind_refs=True, bind_backrefs=False):
        for model in missing:
            model._schema.create_table(safe=False)
            model._schema.create_indexes(safe=False)
            if isinstance(database, peewee.PostgresqlDatabase):
                for index in POSTGRESQL_INDEXES.get(model, ()):
                    database.execute(index)
    return [model._meta.table_name for model in missing]
