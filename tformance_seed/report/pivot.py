"""Describe how the counts in a series become the rows of a chart and of the table behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tformance_seed.metrics.weekly import WEEK
from tformance_seed.report.figures import Report, Usage
from tformance_seed.report.series import Daily


@dataclass(frozen=True)
class Content:
    """All data that a page shows, from which pivots are created."""

    report: Report
    daily: Daily

    def values(self, series: str, dimension: str) -> Sequence[Any]:
        """Return the values of a series' dimension."""
        return self.daily.series[series].dimensions[dimension]

    def windows(self) -> list[tuple[int, int] | None]:
        """Return the first and the last day of each organisation's window, as days after the first Monday.

        It is the window for which the organisation was seeded last, within the weeks that have counts; None
        if that is unknown, or if there are none.
        """
        mondays = self.daily.mondays
        usage = {item.organisation: item for item in self.report.usage}
        return [
            self._window(usage[item.organisation]) if mondays else None for item in self.report.organisations
        ]

    def _window(self, usage: Usage) -> tuple[int, int] | None:
        if usage.since is None or usage.until is None:
            return None
        mondays = self.daily.mondays
        last = (mondays[-1] + WEEK - mondays[0]).days - 1
        since, until = ((day - mondays[0]).days for day in (usage.since, usage.until))
        return min(max(since, 0), last), max(min(until, last), 0)


#: Dimension -> the indexes of those of its values that are counted; of other dimensions, all are.
Where = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Sum:
    """A sum of a measure.

    Parameters:
      units: the number of the measure's units in one of the figure's, such as 100 hundredths.
    """

    where: Where = field(default_factory=dict)
    measure: str = "count"
    units: int = 1
    kind: str = field(default="sum", init=False)


@dataclass(frozen=True)
class Ratio:
    """A sum divided by another one; unknown if that is 0.

    Parameters:
      of_column: divide by the sum of all rows instead of the row's own.
    """

    over: Sum
    under: Sum
    of_column: bool = False
    kind: str = field(default="ratio", init=False)


@dataclass(frozen=True)
class Median:
    """The median hours, estimated from the dimension ``bin``; unknown if there are none."""

    where: Where = field(default_factory=dict)
    kind: str = field(default="median", init=False)


Figure = Sum | Ratio | Median


@dataclass(frozen=True)
class Pivot:
    """The table behind a chart, which the page's script fills for the chosen organisation and period.

    Each row has the values of its columns, a text ``key`` that is unique among the rows, ``says``, the row in
    words, and, if it is a week, ``monday`` and ``partial``: whether the period or the data begins
    or ends within it.

    Parameters:
      columns: heading -> format of the column: text, count, tenths, share, duration, rating, day,
        week or size.
      rows: heading -> values of a column that does not depend on the choice.
      by: the dimension whose values become rows; also ``week`` or ``weekday``, which follow from the day.
      groups: the row for each value of ``by``, or None for no row; by default each value has its own row.
      figures: heading -> the figure that is computed for each row.
      colours: heading of each column that is drawn -> its colour.
      words: what a row says after the first column: texts that alternate with headings of columns, whose
        values take their places.
      limit: the maximum number of rows: those with the greatest first figure. If set, rows where that is 0
        are dropped.
    """

    columns: Mapping[str, str]
    rows: Mapping[str, Sequence[Any]]
    by: str = ""
    groups: Sequence[int | None] | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)
    words: Sequence[str] = ()
    limit: int | None = None

    def packed(self) -> dict[str, Any]:
        """Return the pivot as JSON values."""
        return asdict(self)


def weeks(content: Content) -> dict[str, Sequence[Any]]:
    """Return the fixed column of a table that has one row per week."""
    return {"Week": content.daily.mondays}


def phrase(form: str, *headings: str) -> list[str]:
    """Return the words of a pivot from a text in which ``{}`` stands for the value of each heading."""
    texts = form.split("{}")
    values = [*headings, ""]
    return [part for pair in zip(texts, values, strict=True) for part in pair][:-1]
