"""Give up connections to a PostgreSQL server that has fallen silent.

A server that is gone without a word, stopped, or behind a proxy that forwards no more leaves a client waiting
for ever: the driver waits for the answer to a statement without a limit, and a statement may well take long.
Whether the server is silent shows when another connection is made: that has a limit.
"""

import contextlib
import math
import os
import socket
import threading
import time
import weakref
from collections import defaultdict

import psycopg2
import psycopg2.extensions
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE

#: Seconds between two looks at the connections.
POLL_INTERVAL = 1.0

#: Seconds that a connection waits for the server before it is found out whether that is there.
PATIENCE = 5.0

#: Seconds within which a server must take another connection.
PROBE_TIMEOUT = 5

#: Seconds for which a server must not take one before connections to it are given up.
SILENCE = 10.0

#: Seconds after a time-out within which the next thread in line need not find out the same.
JUST_NOW = 1.0

#: What libpq does about a peer that is gone: seconds (for the last one milliseconds) and counts.
#: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES
KEEPALIVES = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


class WatchedConnection(psycopg2.extensions.connection):
    """A connection that is given up if the server falls silent while it waits: the statement then fails."""

    def __init__(self, dsn: str, *args: object) -> None:
        _raise_if_just_refused(dsn)
        began = time.monotonic()
        try:
            super().__init__(dsn, *args)
        except psycopg2.OperationalError as error:
            if time.monotonic() - began > JUST_NOW:
                _refusals[dsn] = (time.monotonic(), str(error))
            raise
        self.address = dsn
        #: Since when it waits for the server, on the monotonic clock; None while it does not.
        self.waiting_since: float | None = None
        _watch(self)

    def give_up(self) -> None:
        """End the connection as if the server had: whoever waits is told so."""
        with (
            contextlib.suppress(psycopg2.Error, OSError),
            socket.socket(fileno=os.dup(self.fileno())) as same,
        ):
            same.shutdown(socket.SHUT_RDWR)


#: Address -> when the last connection that took long was refused, and the error.
_refusals: dict[str, tuple[float, str]] = {}


def _raise_if_just_refused(address: str) -> None:
    """Raise the error of another thread for which this one has waited: Peewee connects one at a time."""
    moment, error = _refusals.get(address, (-math.inf, ""))
    if time.monotonic() - moment < JUST_NOW:
        raise psycopg2.OperationalError(error)


_connections: "weakref.WeakSet[WatchedConnection]" = weakref.WeakSet()
_lock = threading.Lock()
_watcher: threading.Thread | None = None


def _forget_all() -> None:
    """Leave a parent's connections alone in a process that was forked, which has no watcher yet."""
    _connections.clear()
    _lock.release()


os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_forget_all)


def _watch(connection: WatchedConnection) -> None:
    global _watcher
    with _lock:
        _connections.add(connection)
        if _watcher is None or not _watcher.is_alive():
            _watcher = threading.Thread(target=_look_at_all, daemon=True)
            _watcher.start()


def _look_at_all() -> None:
    silent_since: dict[str, float] = {}
    while True:
        time.sleep(POLL_INTERVAL)
        waiting = _waiting_too_long()
        for address in silent_since.keys() - waiting.keys():
            del silent_since[address]
        for address, connections in waiting.items():
            asked_at = time.monotonic()
            if _answers(address):
                silent_since.pop(address, None)
                for connection in connections:
                    connection.waiting_since = asked_at
            elif time.monotonic() - silent_since.setdefault(address, asked_at) >= SILENCE:
                for connection in connections:
                    connection.give_up()


def _waiting_too_long() -> dict[str, list[WatchedConnection]]:
    """Return, by address, the connections that were found waiting at every look for ``PATIENCE``."""
    with _lock:
        connections = list(_connections)
    now, found = time.monotonic(), defaultdict(list)
    for connection in connections:
        waits = not connection.closed and connection.info.transaction_status == TRANSACTION_STATUS_ACTIVE
        connection.waiting_since = (connection.waiting_since or now) if waits else None
        if waits and now - (connection.waiting_since or now) >= PATIENCE:
            found[connection.address].append(connection)
    return found


def _answers(address: str) -> bool:
    """Return whether a server takes a connection, or says why not."""
    try:
        psycopg2.connect(address, connect_timeout=PROBE_TIMEOUT).close()
    except psycopg2.OperationalError as error:
        return "FATAL" in str(error)
    return True
