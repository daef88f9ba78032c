"""Describe how the counts in a series become the rows of a chart and of the table behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tformance_seed.report.figures import Report
from tformance_seed.report.series import Daily


@dataclass(frozen=True)
class Content:
    """All data that a page shows, from which pivots are created."""

    report: Report
    daily: Daily

    def values(self, series: str, dimension: str) -> Sequence[Any]:
        """Return the values of a series' dimension."""
        return self.daily.series[series].dimensions[dimension]


@dataclass(frozen=True)
class Pivot:
    """The table behind a chart, which the page's script fills for the chosen organisation and period.

    The script adds up the counts in the chart's series by row and part. Each row also has the fields ``All``,
    the sum of its parts, and ``key``, a text that is unique among the rows.

    Parameters:
      columns: heading -> format of the column: text, count, share, day or size.
      rows: heading -> values of a column that does not depend on the choice.
      by: the dimension whose values become rows; also ``week`` or ``weekday``, which follow from the day.
      groups: the row for each value of ``by``, or None for no row; by default each value has its own row.
      part: the dimension whose values become parts of a row; empty if a row is a single count.
      parts: the heading for each value of ``part``; values with the same heading are added up.
      colours: heading of a part -> its colour.
      only: dimension -> the index of the only value that is counted.
      shares: heading of an additional column -> the part whose share of ``All`` it shows.
      limit: the maximum number of rows: those with the greatest ``All``. If set, rows without any count are
        dropped.
    """

    columns: Mapping[str, str]
    rows: Mapping[str, Sequence[Any]]
    by: str = ""
    groups: Sequence[int | None] | None = None
    part: str = ""
    parts: Sequence[str] = ()
    colours: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None

    def packed(self) -> dict[str, Any]:
        """Return the pivot as JSON values."""
        return asdict(self)


def weeks(content: Content) -> dict[str, Sequence[Any]]:
    """Return the fixed column of a table that has one row per week."""
    return {"Week": content.daily.mondays}
