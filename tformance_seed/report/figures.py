"""The figures in a report. Unknown figures are None."""

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class Database:
    """The whole database, whichever organisations were chosen.

    ``pull_requests`` is counted, not estimated. ``cache_hit_ratio`` is from 0 to 1, for the time since the
    server's statistics began. ``connections`` is the number of connections to this database, including the
    report's; ``active_connections`` is the number of those that are running a statement.
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
        """Bytes of heap and indexes together."""
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

    ``ai_share`` is a share of all its pull requests. Hours are from creation to merge, over merged pull
    requests. ``weeks`` is the number of weeks (Monday to Sunday, UTC) in which a pull request was merged;
    ``first_week`` and ``last_week`` are the Mondays of the first and the last such week. ``seeded_at`` is
    None for a team that this package has not seeded. ``origin`` says where the rows come from: one of
    ``origins.MEANINGS``.
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
    origin: str


@dataclass(frozen=True)
class Usage:
    """The number of rows of daily AI usage, compared with the formula for it (``expected_usage_rows``).

    ``since`` to ``until`` is the window that was seeded last, or if that is unknown, the period with rows.
    ``shift_weeks`` is the number of weeks by which a history was moved into it.
    ``workdays`` is the number of days from Monday to Friday in it, and ``rows`` its number of rows.
    ``adoption`` is the adoption in the ledger's plan: a mean over the workdays if a scenario changes it.
    ``implied_adoption`` is the adoption for which the formula gives this number of rows.
    """

    organisation: str
    since: datetime.date | None
    until: datetime.date | None
    shift_weeks: int
    members: int
    workdays: int
    rows: int
    adoption: float | None
    formula_rows: float | None
    implied_adoption: float | None


@dataclass(frozen=True)
class Report:
    """All figures of a report; ``notes`` explain unknown ones."""

    database: Database
    tables: tuple[Table, ...]
    organisations: tuple[Organisation, ...]
    usage: tuple[Usage, ...]
    notes: tuple[str, ...]
