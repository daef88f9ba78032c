"""What an upsert did."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class RowResult(NamedTuple):
    """What happened to a row.

    Attributes:
      action: "inserted", "updated" or "unchanged".
      values: the columns that were asked for, as they are stored now.
    """

    action: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Result:
    """The result of an upsert. Two results can be added.

    Attributes:
      written: Number of rows that were inserted or changed.
      unchanged: Number of rows that were already the same, or that exist and were ignored.
      seconds: Time taken.
      deleted: Number of rows that ``sync`` deleted.
      failed: Number of rows that were passed to ``on_error``.
      rows: What happened to each row, in the order of the input, if ``returning`` was given; None for a
        failed one.
    """

    written: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    deleted: int = 0
    failed: int = 0
    rows: tuple[RowResult | None, ...] = ()

    def __add__(self, other: "Result") -> "Result":
        return Result(
            self.written + other.written,
            self.unchanged + other.unchanged,
            self.seconds + other.seconds,
            self.deleted + other.deleted,
            self.failed + other.failed,
            self.rows + other.rows,
        )
