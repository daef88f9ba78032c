"""What databases and drivers do differently: transactions, and what they report about rows."""

import contextlib
from collections.abc import Iterator
from typing import Any

import peewee

from tformance_seed.bulk.peewee_internals import (
    driver_connection,
    driver_cursor,
    has_atomic,
    in_manual_commit,
)

#: The bit of MySQL's server status that tells of an open transaction, SERVER_STATUS_IN_TRANS.
MYSQL_IN_TRANSACTION = 1


def is_postgresql(database: peewee.Database) -> bool:
    """Return whether the database is PostgreSQL."""
    return isinstance(database, peewee.PostgresqlDatabase)


def is_mysql(database: peewee.Database) -> bool:
    """Return whether the database is MySQL or MariaDB."""
    return isinstance(database, peewee.MySQLDatabase)


def puts_values_into_text(database: peewee.Database) -> bool:
    """Return whether PostgreSQL's driver is psycopg2, which sends no parameters apart from the statement."""
    return type(driver_connection(database)).__module__.partition(".")[0] != "psycopg"


def in_transaction(database: peewee.Database) -> bool:
    """Return whether a transaction is open, begun through Peewee or on the connection itself."""
    begun = bool(database.in_transaction()) and not in_manual_commit(database)
    return begun or _driver_in_transaction(database)


def _driver_in_transaction(database: peewee.Database) -> bool:
    if not has_atomic(database):  # writes go to another thread, whose connection commits each statement
        return False
    connection: Any = driver_connection(database)
    if is_postgresql(database):
        return int(connection.info.transaction_status) != 0
    if is_mysql(database):
        return bool(getattr(connection, "server_status", 0) & MYSQL_IN_TRANSACTION)
    if hasattr(connection, "in_transaction"):
        return bool(connection.in_transaction)
    return False


@contextlib.contextmanager
def transaction(database: peewee.Database) -> Iterator[None]:
    """Run a block in a transaction of its own, or as part of the one that is open, which is not committed."""
    if in_transaction(database) or not has_atomic(database):
        yield
    elif in_manual_commit(database):
        database.begin()
        try:
            yield
        except BaseException:
            database.rollback()
            raise
        database.commit()
    else:
        with database.atomic():
            yield


@contextlib.contextmanager
def savepoint(database: peewee.Database) -> Iterator[None]:
    """Run a block whose failure leaves the open transaction as it was before."""
    with driver_cursor(database) as cursor:
        cursor.execute(f"SAVEPOINT {SAVEPOINT}")
    try:
        yield
    except BaseException:
        with driver_cursor(database) as cursor:
            cursor.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
        raise
    finally:
        with driver_cursor(database) as cursor:
            cursor.execute(f"RELEASE SAVEPOINT {SAVEPOINT}")


#: Name of a savepoint; one inside another has the same, and hides it.
SAVEPOINT = "tformance_upsert"
