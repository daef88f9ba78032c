"""The charts of the page, in Vega-Lite by Altair. Colours are variables of the page's style sheet.

A chart has no data of its own: the page's script gives it the rows of the table that stands behind it, whose
headings are its fields.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from tformance_seed.report.weeks import FIRST, LAST

#: The data set that the script fills.
ROWS = "rows"

#: The two kinds of pull requests, and their colours.
KINDS = {"With AI": "var(--with-ai)", "Without AI": "var(--without-ai)"}

#: Colours of tools, for as many as can be told apart; the others are one.
TOOL_COLOURS = tuple(f"var(--tool-{number})" for number in range(1, 8))
OTHERS, OTHER_COLOUR = "others", "var(--without-ai)"

#: Parts of a table, and their colours.
PARTS = {"Heap": "var(--tool-1)", "Indexes": "var(--without-ai)"}

#: Hours at which the axis of a duration has a label.
TICKS = {1 / 30: "2 min", 1 / 4: "15 min", 1: "1 h", 4: "4 h", 24: "1 day", 168: "1 week"}

#: Weeks from which an axis names months, not days.
MANY_WEEKS = 53

#: That of the style sheet: a chart must measure words to make room for them.
FONT = "system-ui, sans-serif"

#: Bytes of a megabyte, as PostgreSQL counts them.
MEGABYTE = 1_048_576

#: Height of a chart, and of a bar that lies, in pixels.
HEIGHT, BAR = 220, 22

#: How many reviewers are shown.
REVIEWERS = 10


@dataclass(frozen=True)
class Chart:
    """A chart, its words, and the columns of the table behind it: heading -> how a value is written."""

    name: str
    title: str
    caption: str
    columns: Mapping[str, str]
    drawing: alt.Chart

    def spec(self) -> dict[str, Any]:
        """Vega-Lite."""
        return self.drawing.properties(description=f"{self.title}. {self.caption}").to_dict()


def config() -> dict[str, Any]:
    """How every chart looks."""
    words = {"labelColor": "var(--quiet)", "labelFontSize": 12, "title": None}
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {"domain": False, "ticks": False, "gridColor": "var(--line)", "labelPadding": 6, **words},
        "legend": {
            "orient": "top",
            "direction": "horizontal",
            "columns": 3,
            "symbolType": "square",
            "symbolSize": 90,
            "symbolStrokeWidth": 0,
            "columnPadding": 14,
            "offset": 8,
            **words,
        },
    }


def tools_told_apart(sources: Sequence[str], tools: Sequence[str]) -> dict[str, str]:
    """Colours by tool: first what daily usage comes from, then what was found most; the others are one."""
    names = list(dict.fromkeys((*sources, *tools)))
    colours = dict(zip(names, TOOL_COLOURS, strict=False))
    return colours | ({OTHERS: OTHER_COLOUR} if len(names) > len(TOOL_COLOURS) else {})


def by_week(colours: Mapping[str, str], sources: Sequence[str], tools: Sequence[str]) -> list[Chart]:
    """The charts that follow the organisation and the period.

    Parameters:
      colours: of ``tools_told_apart``.
    """
    found = {tool: colour for tool, colour in colours.items() if tool in tools or tool == OTHERS}
    used = {source: colours.get(source, OTHER_COLOUR) for source in sources}
    counts = dict.fromkeys((*KINDS, "All"), "whole")
    weekdays = alt.X("Weekday:O", sort=None, axis=alt.Axis(labelAngle=0, grid=False))
    return [
        Chart(
            "pull-requests",
            "Pull requests by week",
            "Merged pull requests, in the week of their merge.",
            {"Week": "day", **counts},
            _stacked(KINDS, _week(), _week_tooltip()),
        ),
        Chart(
            "ai-share",
            "AI share by week",
            "Share of each week's merged pull requests in which AI was found.",
            {"Week": "day", "AI share": "share"},
            _share(),
        ),
        Chart(
            "cycle-time",
            "Cycle time",
            "From creation to merge. Each bar stands for twice the time of the one before.",
            {"Time": "text", **counts},
            _durations(),
        ),
        Chart(
            "review-time",
            "Time to first review",
            "From creation to the first review, of merged pull requests that had one.",
            {"Time": "text", **counts},
            _durations(),
        ),
        Chart(
            "tools",
            "AI tools over time",
            "Merged pull requests in which each tool was found, by week.",
            {"Week": "day", **dict.fromkeys(found, "whole")},
            _stacked(found, _week(), _week_tooltip()),
        ),
        Chart(
            "usage",
            "AI usage by weekday",
            "Days on which a member used a tool, all weeks together.",
            {"Weekday": "text", **dict.fromkeys(used, "whole")},
            _stacked(used, weekdays, alt.Tooltip("Weekday:N")),
        ),
        Chart(
            "reviewers",
            "Busiest reviewers",
            "Reviews given.",
            {"Reviewer": "text", "Organisation": "text", "Reviews": "whole"},
            _reviewers(),
        ),
    ]


def sizes(tables: int) -> Chart:
    """Sizes of the tables of the whole database."""
    short = alt.Axis(grid=False, labelLimit=150, labelExpr="replace(datum.value, 'metrics_', '')")
    axis = alt.Axis(
        format=",.3~f", labelExpr="datum.label + ' MB'", tickCount=4, labelOverlap="greedy", labelSeparation=8
    )
    drawing = _parts(PARTS, tables * BAR).transform_calculate(megabytes=f"datum.amount / {MEGABYTE}")
    return Chart(
        "tables",
        "Table sizes",
        "On disk, indexes included.",
        {"Table": "text", "Rows": "whole", "Heap": "size", "Indexes": "size", "Total": "size"},
        drawing.encode(
            y=alt.Y("Table:N", sort=None, axis=short),
            x=alt.X("megabytes:Q", axis=axis),
            tooltip=[
                alt.Tooltip("Table:N"),
                alt.Tooltip("part:N", title="Part"),
                alt.Tooltip("megabytes:Q", title="MB", format=",.1f"),
            ],
        ),
    )


def _rows(height: int = HEIGHT) -> alt.Chart:
    return alt.Chart(alt.NamedData(ROWS), width="container", height=height)


def _parts(colours: Mapping[str, str], height: int = HEIGHT) -> alt.Chart:
    """Bars of one part for each colour: the columns of that name, one upon the other in that order."""
    names = list(colours)
    scale = alt.Scale(domain=names, range=list(colours.values()))
    legend = alt.Legend() if names else None  # Vega gives one without entries an infinite height
    return (
        _rows(height)
        .mark_bar()
        .transform_fold([_column(name) for name in names], as_=["part", "amount"])
        .transform_calculate(place=f"indexof({json.dumps(names)}, datum.part)")
        .encode(
            color=alt.Color("part:N", scale=scale, legend=legend),
            order=alt.Order("place:Q"),
        )
    )


def _column(name: str) -> str:
    """A column's name where Vega would read a path: ``claude.ai`` is no ``ai`` of ``claude``."""
    return re.sub(r"([\\.\[\]])", r"\\\1", name)


def _stacked(colours: Mapping[str, str], x: alt.X, first: alt.Tooltip) -> alt.Chart:
    return _parts(colours).encode(x=x, y=_count("amount"), tooltip=[first, *_part_tooltips()])


def _share() -> alt.Chart:
    colour = "var(--with-ai)"
    line = {
        "color": colour,
        "strokeWidth": 2.5,
        "strokeJoin": "round",
        "point": {"size": 36, "filled": True, "color": colour},
    }
    return (
        _rows()
        .mark_line(**line)
        .encode(
            x=_week(),
            y=alt.Y("AI share:Q", axis=alt.Axis(format="%", tickCount=4)),
            tooltip=[_week_tooltip(), alt.Tooltip("AI share:Q", format=".1%")],
        )
    )


def _durations() -> alt.Chart:
    """Bars from one time to another on a logarithmic axis."""
    label = "".join(f"abs(datum.value - {hours}) < 0.001 ? '{text}' : " for hours, text in TICKS.items())
    axis = alt.Axis(values=list(TICKS), labelExpr=f"{label}''", grid=False, labelOverlap="greedy")
    scale = alt.Scale(type="log", domain=[FIRST / 2, LAST * 2], nice=False)
    return _parts(KINDS).encode(
        x=alt.X("from:Q", bin="binned", axis=axis, scale=scale),
        x2="to:Q",
        y=_count("amount"),
        tooltip=[alt.Tooltip("Time:N"), *_part_tooltips()],
    )


def _reviewers() -> alt.Chart:
    name = alt.Axis(grid=False, labelLimit=140, labelExpr="split(datum.value, '\\n')[0]")
    return (
        _rows(REVIEWERS * BAR)
        .mark_bar(color="var(--tool-1)")
        .encode(
            y=alt.Y("key:N", sort=None, axis=name),
            x=alt.X("Reviews:Q", axis=alt.Axis(tickCount=4, format=",d", tickMinStep=1)),
            tooltip=[alt.Tooltip(f"{field}:N") for field in ("Reviewer", "Organisation", "Reviews")],
        )
    )


def _week() -> alt.X:
    form = f"length(domain('x')) > {MANY_WEEKS} ? '%b %Y' : '%-d %b'"
    label = f"utcFormat(toDate(datum.value), {form})"
    crowded = {"labelOverlap": "greedy", "labelSeparation": 12, "labelBound": True}
    axis = alt.Axis(labelExpr=label, labelAngle=0, grid=False, **crowded)
    return alt.X("Week:O", axis=axis)


def _week_tooltip() -> alt.Tooltip:
    return alt.Tooltip("Week:N", title="Week of")


def _count(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", axis=alt.Axis(tickCount=4, format=",d", tickMinStep=1))


def _part_tooltips() -> list[alt.Tooltip]:
    return [alt.Tooltip("part:N", title="Which"), alt.Tooltip("amount:Q", title="How many", format=",")]
