"""The figures of a report. What cannot be known is None."""

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class Database:
    """The whole database, whatever organisations were asked for.

    ``pull_requests`` is counted, ``cache_hit_ratio`` from 0 to 1 since the server's statistics began,
    ``connections`` those to this database, ours included, ``active_connections`` those of them at work.
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
        """Bytes for each pull request, everything related included."""
        return self.bytes / self.pull_requests if self.pull_requests else None


@dataclass(frozen=True)
class Table:
    """A table: rows, and bytes on disk. ``heap_bytes`` holds what was moved out of line (TOAST) too."""

    table: str
    rows: int | None
    exact: bool
    heap_bytes: int | None
    index_bytes: int | None

    @property
    def total_bytes(self) -> int | None:
        """Heap and indexes."""
        known = self.heap_bytes is not None and self.index_bytes is not None
        return self.heap_bytes + self.index_bytes if known else None  # type: ignore[operator]

    @property
    def bytes_per_row(self) -> float | None:
        """Bytes on disk for each row, indexes included."""
        return self.total_bytes / self.rows if self.total_bytes is not None and self.rows else None


@dataclass(frozen=True)
class Organisation:
    """An organisation, over all time.

    Shares and hours are over its pull requests: ``ai_share`` over all, hours from creation to merge over the
    merged ones. ``weeks`` counts those (Monday to Sunday, UTC) in which something was merged, the Mondays of
    the first and last of which follow. ``seeded_at`` is None for a team that was not seeded by this package.
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

    ``since`` to ``until`` is the window that was seeded last, else what the rows span; ``workdays`` are its
    days from Monday to Friday and ``rows`` those in it. ``adoption`` is what the ledger says (the mean over
    the workdays where a scenario moves it); ``implied_adoption`` what the rows say.
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
    """All of it; ``notes`` say what is not known, and how to learn it."""

    database: Database
    tables: tuple[Table, ...]
    organisations: tuple[Organisation, ...]
    usage: tuple[Usage, ...]
    notes: tuple[str, ...]
