"""Transactions and locks: to write, to read a snapshot, to create tables, to lock organisations."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute_sql
from tformance_seed.sampling.keyed_random import text_key

#: Time without a statement after which the server ends a transaction, assuming that the client is gone.
IDLE_IN_TRANSACTION_TIMEOUT = "60s"


def transaction(database: peewee.Database) -> Any:
    """Return a context manager for a write transaction, or for a savepoint inside one.

    On SQLite it acquires the write lock immediately, because a transaction that reads first and writes later
    fails without waiting if another process has written in between. On PostgreSQL it uses READ COMMITTED,
    whatever the server's default: most transactions wait for a lock and must then see what others have
    committed.
    """
    return database.atomic("READ COMMITTED" if is_postgresql(database) else "IMMEDIATE")


@contextlib.contextmanager
def snapshot(database: peewee.Database) -> Iterator[None]:
    """Enter a transaction that sees the same state of the database throughout; read-only on PostgreSQL."""
    with database.atomic():
        if is_postgresql(database):
            execute_sql(database, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextlib.contextmanager
def whole_team_queries(database: peewee.Database) -> Iterator[None]:
    """Enter a transaction for queries that go through all rows of a team.

    Nested loops, which a planner chooses that knows tables only as they were when almost empty, would take a
    time that grows with the square of the rows.
    """
    with database.atomic():
        if is_postgresql(database):
            execute_sql(database, "SELECT set_config('enable_nestloop', 'off', true)")
        yield


@contextlib.contextmanager
def ddl_transaction(database: peewee.Database) -> Iterator[None]:
    """Enter a transaction for creating tables; only one process at a time can be in one."""
    with transaction(database):
        if is_postgresql(database):
            key = text_key("tformance_seed tables") >> 1
            execute_sql(database, "SELECT pg_advisory_xact_lock(%s)", (key,))
        yield


def lock_organisations(database: peewee.Database, slugs: Sequence[str]) -> None:
    """Lock organisations until the end of the transaction.

    Waits for transactions that lock them or write to them. All transactions acquire locks in the same order.
    No state outlives the transaction, so it works through a connection pooler in transaction mode. On SQLite
    no lock is needed, because there is only one write transaction at a time.
    """
    if is_postgresql(database):
        keys = sorted(_lock_key(slug) for slug in slugs)
        execute_sql(database, "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", (keys,))


def begin_writing(database: peewee.Database, slug: str, *, exclusive: bool) -> None:
    """Prepare the transaction to write an organisation's rows, parents first.

    Waits for transactions that lock the organisation and, if ``exclusive`` is set, for others that write to
    it. The server ends the transaction if the client is lost. Foreign keys are checked after each statement
    rather than all at the end: the rows are still in the cache then, and the checks of one transaction run
    alongside the writes of others, not alongside their checks, which lock the same few pages. With the
    statistics of a hundred teams, the planner would use a sequential scan to check a team's key, which makes
    each row 10% more expensive. Sequential scans are therefore switched off, and so is just-in-time
    compilation, which their estimated cost would trigger.
    """
    if is_postgresql(database):
        lock = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
        execute_sql(
            database,
            "SET CONSTRAINTS ALL IMMEDIATE; "
            "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true), "
            f"set_config('idle_in_transaction_session_timeout', %s, true), {lock}(%s)",
            (IDLE_IN_TRANSACTION_TIMEOUT, _lock_key(slug)),
        )


def _lock_key(slug: str) -> int:
    return text_key(f"tformance_seed/{slug}") >> 1
