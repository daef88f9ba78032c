"""The figures of a report; those that are not known are None."""

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class Database:
    """The whole database, whichever organisations were chosen.

    ``pull_requests`` is counted; ``cache_hit_ratio`` is from 0 to 1, since the server's statistics began;
    ``connections`` are those to this database, the report's own included, and ``active_connections`` those
    that run a statement.
    """

    kind: str
    version: str
    name: str
    bytes: int
    pull_requests: int
    cache_hit_ratio: float | None = None
    connections: int | None = None
    active_connections: int | None = None

    @property
    def bytes_per_pull_request(self) -> float | None:
        """Bytes of the whole database per pull request."""
        return self.bytes / self.pull_requests if self.pull_requests else None


@dataclass(frozen=True)
class Table:
    """A table: rows, counted (``exact``) or estimated, and bytes on disk; ``heap_bytes`` includes TOAST."""

    table: str
    rows: int | None
    exact: bool
    heap_bytes: int | None
    index_bytes: int | None

    @property
    def total_bytes(self) -> int | None:
        """Heap and indexes."""
        if self.heap_bytes is None or self.index_bytes is None:
            return None
        return self.heap_bytes + self.index_bytes

    @property
    def bytes_per_row(self) -> float | None:
        """Bytes on disk per row, indexes included."""
        return self.total_bytes / self.rows if self.total_bytes is not None and self.rows else None


@dataclass(frozen=True)
class Organisation:
    """An organisation, over all time.

    ``ai_share`` is a share of all its pull requests; hours are from creation to merge, of the merged ones.
    ``weeks`` is the number of weeks (Monday to Sunday, UTC) in which something was merged, ``first_week`` and
    ``last_week`` the Mondays of the first and last of them. ``seeded_at`` is None for a team that was not
    seeded by this package.
    """

    organisation: str
    name: str
    members: int
    pull_requests: int
    merged: int
    ai_share: float | None
    mean_cycle_hours: float | None
    median_cycle_hours: float | None
    weeks: int
    first_week: datetime.date | None
    last_week: datetime.date | None
    seeded_at: datetime.datetime | None


@dataclass(frozen=True)
class Usage:
    """Rows of daily AI usage against the formula for them (``expected_usage_rows``).

    ``since`` to ``until`` is the window that was seeded last, else the days that have rows; ``workdays`` is
    its number of days from Monday to Friday and ``rows`` its number of rows. ``adoption`` is that of the plan
    in the ledger (a mean over the workdays where a scenario changes it), ``implied_adoption`` the one for
    which the formula gives this number of rows.
    """

    organisation: str
    since: datetime.date | None
    until: datetime.date | None
    members: int
    workdays: int
    rows: int
    adoption: float | None
    formula_rows: float | None
    implied_adoption: float | None


@dataclass(frozen=True)
class Report:
    """Everything; ``notes`` explain figures that are not known."""

    database: Database
    tables: tuple[Table, ...]
    organisations: tuple[Organisation, ...]
    usage: tuple[Usage, ...]
    notes: tuple[str, ...]
