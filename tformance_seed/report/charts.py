"""The registry of the page's charts: one entry per chart, with its texts, query, table and drawing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from tformance_seed.report import drawings
from tformance_seed.report.daily.ai import usage
from tformance_seed.report.daily.counts import (
    BINS_PER_DOUBLING,
    DOUBLINGS,
    MIN_HOURS,
    UNKNOWN_BIN,
    Query,
)
from tformance_seed.report.daily.work import first_reviews, pull_requests, reviews, tools
from tformance_seed.report.pivot import Content, Pivot, weeks

#: Headings for pull requests by ``with_ai``, 0 or 1; and the colour for each heading.
AI_PARTS = ("Without AI", "With AI")
AI_COLOURS = {"With AI": "var(--with-ai)", "Without AI": "var(--without-ai)"}

#: Colours for AI tools: as many as a reader can tell apart. All other tools share one colour.
TOOL_COLOURS = tuple(f"var(--tool-{number})" for number in range(1, 8))
OTHERS, OTHER_COLOUR = "others", "var(--without-ai)"

#: Part of a table on disk -> its colour.
SIZE_COLOURS = {"Heap": "var(--tool-1)", "Indexes": "var(--without-ai)"}

#: Headings for days by ``weekday``, Monday first.
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: The maximum number of reviewers in the chart of the busiest ones.
MAX_REVIEWERS_SHOWN = 10

#: Units for durations: (name, length in hours, shortest duration in hours that is written in the unit).
DURATION_UNITS = (("days", 24, 72), ("h", 1, 1), ("min", 1 / 60, 0))

#: Durations below this number of hours are written with one decimal, unless it is zero.
DECIMAL_HOURS_BELOW = 10


@dataclass(frozen=True)
class Chart:
    """A chart of the page, and the table behind it.

    Parameters:
      name: the chart's id on the page.
      query: counts what the chart shows; None if that does not depend on the chosen organisation and period.
        Charts with the same query share its series.
      pivot: creates the table behind the chart from the content of the page.
      drawing: draws the rows of the table.
    """

    name: str
    title: str
    caption: str
    query: Query | None
    pivot: Callable[[Content], Pivot]
    drawing: Callable[[Pivot], alt.Chart]

    def packed(self, content: Content) -> dict[str, Any]:
        """Return the chart as JSON values: its series, its table, and its Vega-Lite specification."""
        pivot = self.pivot(content)
        chart = self.drawing(pivot).properties(description=f"{self.title}. {self.caption}")
        series = None if self.query is None else self.query.__name__
        return {"series": series, "table": pivot.packed(), "spec": chart.to_dict()}


def assign_colours(sources: Sequence[str], tools: Sequence[str]) -> dict[str, str]:
    """Assign colours to tools: to sources of daily usage first, then to detected tools by frequency.

    Tools that do not get a colour are counted as ``OTHERS``.
    """
    names = list(dict.fromkeys((*sources, *tools)))
    colours = dict(zip(names, TOOL_COLOURS, strict=False))
    return colours | ({OTHERS: OTHER_COLOUR} if len(names) > len(TOOL_COLOURS) else {})


def _tool_colours(content: Content) -> dict[str, str]:
    return assign_colours(content.values("usage", "source"), content.values("tools", "tool"))


def _merged_by_week(content: Content) -> Pivot:
    return Pivot(
        columns={"Week": "day", **_counts(*AI_COLOURS, "All")},
        rows=weeks(content),
        by="week",
        part="with_ai",
        parts=AI_PARTS,
        colours=AI_COLOURS,
        only={"merged": 1},
    )


def _ai_share_by_week(content: Content) -> Pivot:
    return Pivot(
        columns={"Week": "day", "AI share": "share"},
        rows=weeks(content),
        by="week",
        part="with_ai",
        parts=AI_PARTS,
        colours=AI_COLOURS,
        only={"merged": 1},
        shares={"AI share": "With AI"},
    )


def _cycle_times(_content: Content) -> Pivot:
    return _durations(only={"merged": 1})


def _review_times(_content: Content) -> Pivot:
    return _durations()


def _durations(only: Mapping[str, int] | None = None) -> Pivot:
    """Return a table with one row per doubling of the hours, and one row below and one above all of them."""
    edges = [MIN_HOURS * 2**power for power in range(-1, DOUBLINGS + 2)]
    starts, ends = edges[:-1], edges[1:]
    times = [
        f"{_format_duration(start)} to {_format_duration(end)}"
        for start, end in zip(starts, ends, strict=True)
    ]
    times[0], times[-1] = f"under {_format_duration(ends[0])}", f"over {_format_duration(starts[-1])}"
    return Pivot(
        columns={"Time": "text", **_counts(*AI_COLOURS, "All")},
        rows={"Time": times, "from": starts, "to": ends},
        by="bin",
        groups=[*(-(-bin_ // BINS_PER_DOUBLING) for bin_ in range(UNKNOWN_BIN)), None],
        part="with_ai",
        parts=AI_PARTS,
        colours=AI_COLOURS,
        only=only or {},
    )


def _format_duration(hours: float) -> str:
    name, size = next((name, size) for name, size, least in DURATION_UNITS if hours >= least)
    amount = hours / size
    exact = name == "h" and amount < DECIMAL_HOURS_BELOW
    return f"{round(amount, 1):g} {name}" if exact else f"{int(amount + 0.5)} {name}"


def _tools_by_week(content: Content) -> Pivot:
    detected, colours = content.values("tools", "tool"), _tool_colours(content)
    shown = {tool: colour for tool, colour in colours.items() if tool in detected or tool == OTHERS}
    return Pivot(
        columns={"Week": "day", **_counts(*shown)},
        rows=weeks(content),
        by="week",
        part="tool",
        parts=[tool if tool in colours else OTHERS for tool in detected],
        colours=shown,
    )


def _usage_by_weekday(content: Content) -> Pivot:
    sources, colours = content.values("usage", "source"), _tool_colours(content)
    return Pivot(
        columns={"Weekday": "text", **_counts(*sources)},
        rows={"Weekday": WEEKDAYS},
        by="weekday",
        part="source",
        parts=sources,
        colours={source: colours.get(source, OTHER_COLOUR) for source in sources},
    )


def _busiest_reviewers(content: Content) -> Pivot:
    reviewers = content.values("reviews", "reviewer")
    return Pivot(
        columns={"Reviewer": "text", "Organisation": "text", **_counts("Reviews")},
        rows={
            "Reviewer": [reviewer.name for reviewer in reviewers],
            "Organisation": [content.daily.slugs[reviewer.team] for reviewer in reviewers],
        },
        by="reviewer",
        parts=("Reviews",),
        colours={"Reviews": "var(--tool-1)"},
        limit=MAX_REVIEWERS_SHOWN,
    )


def _table_sizes(content: Content) -> Pivot:
    tables = content.report.tables
    return Pivot(
        columns={"Table": "text", "Rows": "count", "Heap": "size", "Indexes": "size", "Total": "size"},
        rows={
            "Table": [table.table for table in tables],
            "Rows": [table.rows for table in tables],
            "Heap": [table.heap_bytes for table in tables],
            "Indexes": [table.index_bytes for table in tables],
            "Total": [table.total_bytes for table in tables],
        },
        colours=SIZE_COLOURS,
    )


def _counts(*headings: str) -> dict[str, str]:
    return dict.fromkeys(headings, "count")


#: All charts, in page order. Charts with a query show the chosen organisation and period; the others show the
#: whole database.
CHARTS = (
    Chart(
        name="pull-requests",
        title="Pull requests by week",
        caption="Merged pull requests, in the week of their merge.",
        query=pull_requests,
        pivot=_merged_by_week,
        drawing=drawings.stacked_by_week,
    ),
    Chart(
        name="ai-share",
        title="AI share by week",
        caption="Share of each week's merged pull requests in which AI was found.",
        query=pull_requests,
        pivot=_ai_share_by_week,
        drawing=drawings.share_by_week,
    ),
    Chart(
        name="cycle-time",
        title="Cycle time",
        caption="From creation to merge. Each bar covers twice the time of the one before.",
        query=pull_requests,
        pivot=_cycle_times,
        drawing=drawings.histogram_of_durations,
    ),
    Chart(
        name="review-time",
        title="Time to first review",
        caption="From creation to the first review, of merged pull requests that had one.",
        query=first_reviews,
        pivot=_review_times,
        drawing=drawings.histogram_of_durations,
    ),
    Chart(
        name="tools",
        title="AI tools over time",
        caption="Merged pull requests in which each tool was found, by week.",
        query=tools,
        pivot=_tools_by_week,
        drawing=drawings.stacked_by_week,
    ),
    Chart(
        name="usage",
        title="AI usage by weekday",
        caption="Days on which a member used a tool, all weeks together.",
        query=usage,
        pivot=_usage_by_weekday,
        drawing=drawings.stacked_by_weekday,
    ),
    Chart(
        name="reviewers",
        title="Busiest reviewers",
        caption="Reviews given.",
        query=reviews,
        pivot=_busiest_reviewers,
        drawing=drawings.ranking,
    ),
    Chart(
        name="tables",
        title="Table sizes",
        caption="On disk, indexes included.",
        query=None,
        pivot=_table_sizes,
        drawing=drawings.sizes_of_tables,
    ),
)
