"""How the counts of a series become the rows of a chart and of the table behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tformance_seed.report.figures import Report
from tformance_seed.report.series import Weekly


@dataclass(frozen=True)
class Content:
    """Everything that a page shows: what pivots are made from."""

    report: Report
    weekly: Weekly

    def values(self, series: str, dimension: str) -> Sequence[Any]:
        """Return the values of a series' dimension."""
        return self.weekly.series[series].dimensions[dimension]


@dataclass(frozen=True)
class Pivot:
    """The table behind a chart, to be filled by the page's script for the organisation and period chosen.

    The script adds up the counts of the chart's series by row and part. Each row also has the fields ``All``,
    the sum of its parts, and ``key``, a text that is unique among the rows.

    Parameters:
      columns: headings of the table, and the format of each: text, count, share, day or size.
      rows: columns whose values do not depend on the choice, by heading.
      by: the dimension whose values are the rows.
      groups: the row of each value of ``by``, None for no row; by default each value has its own row.
      part: the dimension whose values are parts of a row; none where a row is one count.
      parts: the heading of each value of ``part``; values with the same heading are added up.
      colours: of the parts, by heading.
      only: values, by their indexes, that other dimensions must have to be counted.
      shares: further columns: heading -> the part whose share of ``All`` it is.
      limit: rows that are kept, those with the greatest ``All``; rows without any count are dropped then.
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
    """Return the rows of a table by week."""
    return {"Week": content.weekly.mondays}
