"""Transactions and locks: writing, reading one state, creating tables, holding an organisation."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.sampling.keyed_random import text_key

#: Without a statement for so long, the server gives up on a transaction: its client's machine is gone.
LOST_CLIENT = "60s"


def transaction(database: peewee.Database) -> Any:
    """A transaction that will write, or a savepoint inside one.

    On SQLite it takes the write lock at once: one that reads first and writes later fails without waiting
    where another process wrote in between. On PostgreSQL each statement sees what others committed before
    it, whatever the server's default is: most of them wait for a lock, and then look what has happened.
    """
    return database.atomic("READ COMMITTED" if is_postgresql(database) else "IMMEDIATE")


@contextlib.contextmanager
def reading(database: peewee.Database) -> Iterator[None]:
    """A transaction that sees one state of the database throughout, and in which nothing can be written."""
    with database.atomic():
        if is_postgresql(database):
            database.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextlib.contextmanager
def ddl_transaction(database: peewee.Database) -> Iterator[None]:
    """A transaction that makes tables, one process at a time."""
    with transaction(database):
        if is_postgresql(database):
            key = text_key("tformance_seed tables") >> 1
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (key,))
        yield


def lock_organisations(database: peewee.Database, slugs: Sequence[str]) -> None:
    """Keep others away from organisations until the transaction ends, however it ends.

    Waits for those who hold them or write to them, in an order that all keep to. No state outlives the
    transaction, so a pooler in transaction mode may stand between; on SQLite a transaction that writes is
    alone anyway.
    """
    if is_postgresql(database):
        keys = sorted(_lock_key(slug) for slug in slugs)
        database.execute_sql("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", (keys,))


def begin_writing(database: peewee.Database, slug: str, *, exclusive: bool) -> None:
    """Begin to write an organisation's rows, parents first, in a transaction whose client may be lost.

    Waits for those who hold it, and if ``exclusive`` is set, for the others who write. Foreign keys are
    checked after each statement rather than all at the end: the rows are at hand then, and checks of one
    transaction meet the writing of others, not their checks, which lock the same few pages. Where statistics
    know of a hundred teams, the planner would have the key of one checked by reading all of them, which makes
    a row a tenth dearer. It may not; nor compile what must be read as a whole, which looks dear to it then.
    """
    if is_postgresql(database):
        lock = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
        database.execute_sql(
            "SET CONSTRAINTS ALL IMMEDIATE; "
            "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true), "
            f"set_config('idle_in_transaction_session_timeout', %s, true), {lock}(%s)",
            (LOST_CLIENT, _lock_key(slug)),
        )


def _lock_key(slug: str) -> int:
    return text_key(f"tformance_seed/{slug}") >> 1
