"""Building blocks for charts, written in Vega-Lite with Altair; colours are variables in the style sheet.

A drawing contains no data: the page's script passes it the rows of the table behind the chart. The headings
of the table are the drawing's fields.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import altair as alt

from tformance_seed.report.daily.counts import MAX_HOURS, MIN_HOURS
from tformance_seed.report.pivot import Pivot

#: The data set that the script fills.
ROWS = "rows"

#: The version of Vega-Lite that Altair writes.
VEGA_LITE_VERSION = alt.SCHEMA_VERSION.rpartition(".")[0]

#: The font in the style sheet. Charts need it to measure texts and leave room for them.
FONT = "system-ui, sans-serif"

#: The height of a chart, and of one horizontal bar, in pixels.
HEIGHT, BAR_HEIGHT = 220, 22

#: Hours -> the label at that position on an axis of durations.
DURATION_TICKS = {1 / 30: "2 min", 1 / 4: "15 min", 1: "1 h", 4: "4 h", 24: "1 day", 168: "1 week"}

#: The number of weeks from which an axis shows months instead of days.
MONTHS_AXIS_MIN_WEEKS = 53

#: The size of a megabyte in bytes, as PostgreSQL defines it.
MEGABYTE = 1_048_576


def config() -> dict[str, Any]:
    """Return the appearance that all charts share, as a Vega-Lite configuration."""
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


def stacked_by_week(pivot: Pivot) -> alt.Chart:
    """Draw a stacked bar for each week."""
    return _stacked(pivot, _week_axis(), _week_tooltip())


def stacked_by_weekday(pivot: Pivot) -> alt.Chart:
    """Draw a stacked bar for each weekday."""
    axis = alt.X("Weekday:O", sort=None, axis=alt.Axis(labelAngle=0, grid=False))
    return _stacked(pivot, axis, alt.Tooltip("Weekday:N"))


def _stacked(pivot: Pivot, x: alt.X, first_tooltip: alt.Tooltip) -> alt.Chart:
    return _encoded(
        stacked_bars(pivot.colours), x=x, y=_count_axis("amount"), tooltip=[first_tooltip, *_part_tooltips()]
    )


def stacked_bars(colours: Mapping[str, str], height: int = HEIGHT) -> alt.Chart:
    """Return stacked bars with one part per colour, in that order.

    The amounts are in the columns with the colours' names. The fields of a part are ``part``, its heading,
    and ``amount``.
    """
    names = list(colours)
    scale = alt.Scale(domain=names, range=list(colours.values()))
    legend = alt.Legend() if names else None  # Vega would give an empty legend infinite height
    bars = (
        _rows(height)
        .mark_bar()
        .transform_fold([_escape(name) for name in names], as_=["part", "amount"])
        .transform_calculate(position=f"indexof({json.dumps(names)}, datum.part)")
    )
    return _encoded(
        bars, color=alt.Color("part:N", scale=scale, legend=legend), order=alt.Order("position:Q")
    )


def _rows(height: int = HEIGHT) -> alt.Chart:
    return alt.Chart(alt.NamedData(ROWS), width="container", height=height)


def _encoded(chart: alt.Chart, **channels: Any) -> alt.Chart:
    encoded: alt.Chart = chart.encode(**channels)
    return encoded


def _escape(heading: str) -> str:
    """Escape a heading that Vega would take for a path, such as ``claude.ai``: field ``ai`` in ``claude``."""
    return re.sub(r"([\\.\[\]])", r"\\\1", heading)


def share_by_week(pivot: Pivot) -> alt.Chart:
    """Draw the pivot's first share by week as a line."""
    heading, part = next(iter(pivot.shares.items()))
    colour = pivot.colours[part]
    line = _rows().mark_line(
        color=colour,
        strokeWidth=2.5,
        strokeJoin="round",
        point={"size": 36, "filled": True, "color": colour},
    )
    return _encoded(
        line,
        x=_week_axis(),
        y=alt.Y(f"{heading}:Q", axis=alt.Axis(format="%", tickCount=4)),
        tooltip=[_week_tooltip(), alt.Tooltip(f"{heading}:Q", format=".1%")],
    )


def histogram_of_durations(pivot: Pivot) -> alt.Chart:
    """Draw a stacked bar for each row, spanning the hours ``from`` to ``to`` on a logarithmic axis."""
    labels = "".join(
        f"abs(datum.value - {hours}) < 0.001 ? '{text}' : " for hours, text in DURATION_TICKS.items()
    )
    axis = alt.Axis(values=list(DURATION_TICKS), labelExpr=f"{labels}''", grid=False, labelOverlap="greedy")
    scale = alt.Scale(type="log", domain=[MIN_HOURS / 2, MAX_HOURS * 2], nice=False)
    return _encoded(
        stacked_bars(pivot.colours),
        x=alt.X("from:Q", bin="binned", axis=axis, scale=scale),
        x2="to:Q",
        y=_count_axis("amount"),
        tooltip=[alt.Tooltip("Time:N"), *_part_tooltips()],
    )


def ranking(pivot: Pivot) -> alt.Chart:
    """Draw a horizontal bar for each row of a ranking, labelled by the table's first column."""
    (heading,) = pivot.parts
    label = alt.Axis(grid=False, labelLimit=140, labelExpr="split(datum.value, '\\n')[0]")
    return _encoded(
        _rows((pivot.limit or 1) * BAR_HEIGHT).mark_bar(color=pivot.colours[heading]),
        y=alt.Y("key:N", sort=None, axis=label),
        x=alt.X(f"{heading}:Q", axis=_count_scale()),
        tooltip=[alt.Tooltip(f"{column}:N") for column in pivot.columns],
    )


def sizes_of_tables(pivot: Pivot) -> alt.Chart:
    """Draw a horizontal bar for each table, in megabytes."""
    short_names = alt.Axis(grid=False, labelLimit=150, labelExpr="replace(datum.value, 'metrics_', '')")
    megabytes = alt.Axis(
        format=",.3~f", labelExpr="datum.label + ' MB'", tickCount=4, labelOverlap="greedy", labelSeparation=8
    )
    bars = stacked_bars(pivot.colours, len(pivot.rows["Table"]) * BAR_HEIGHT)
    return _encoded(
        bars.transform_calculate(megabytes=f"datum.amount / {MEGABYTE}"),
        y=alt.Y("Table:N", sort=None, axis=short_names),
        x=alt.X("megabytes:Q", axis=megabytes),
        tooltip=[
            alt.Tooltip("Table:N"),
            alt.Tooltip("part:N", title="Part"),
            alt.Tooltip("megabytes:Q", title="MB", format=",.1f"),
        ],
    )


def _week_axis() -> alt.X:
    form = f"length(domain('x')) > {MONTHS_AXIS_MIN_WEEKS} ? '%b %Y' : '%-d %b'"
    axis = alt.Axis(
        labelExpr=f"utcFormat(toDate(datum.value), {form})",
        labelAngle=0,
        grid=False,
        labelOverlap="greedy",
        labelSeparation=12,
        labelBound=True,
    )
    return alt.X("Week:O", axis=axis)


def _week_tooltip() -> alt.Tooltip:
    return alt.Tooltip("Week:N", title="Week of")


def _count_axis(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", axis=_count_scale())


def _count_scale() -> alt.Axis:
    return alt.Axis(tickCount=4, format=",d", tickMinStep=1)


def _part_tooltips() -> list[alt.Tooltip]:
    return [alt.Tooltip("part:N", title="Which"), alt.Tooltip("amount:Q", title="How many", format=",")]
