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
DURATION_TICKS = {
    1 / 30: "2 min",
    1 / 4: "15 min",
    1: "1 h",
    4: "4 h",
    24: "1 day",
    168: "1 week",
    1344: "8 weeks",
}

#: The number of weeks from which an axis shows months instead of days.
MONTHS_AXIS_MIN_WEEKS = 53

#: The opacity of the bars of partial weeks.
PARTIAL_OPACITY = 0.5

#: Format of a column -> the axis of its values. Durations are in hours, or in days from four days on.
VALUE_AXES = {
    "share": alt.Axis(format="%", tickCount=4),
    "rating": alt.Axis(format=".1f", tickCount=4),
    "duration": alt.Axis(
        tickCount=4,
        values=alt.ExprRef(
            "domain('y')[1] > 96 ? sequence(0, domain('y')[1] + 1, 24 * ceil(domain('y')[1] / 96)) : null"
        ),
        labelExpr="domain('y')[1] > 96 ? format(datum.value / 24, ',') + ' d' : "
        "domain('y')[1] <= 1 ? format(datum.value * 60, ',.0f') + ' min' : format(datum.value, ',') + ' h'",
    ),
}

#: Format of a column -> its scale, if it does not begin with 0: ratings are from 1 to 3.
VALUE_SCALES = {"rating": alt.Scale(domain=[1, 3], nice=False)}

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


def stacked_by_week(pivot: Pivot) -> alt.LayerChart:
    """Draw a stacked bar for each week; those of partial weeks are lighter."""
    lighter = alt.condition("datum.partial", alt.value(PARTIAL_OPACITY), alt.value(1))
    bars = _encoded(stacked_bars(pivot.colours), x=_week_axis(), y=_count_axis("amount"), fillOpacity=lighter)
    return _layered(bars, _hover(x=_week_axis()))


def stacked_by_weekday(pivot: Pivot) -> alt.LayerChart:
    """Draw a stacked bar for each weekday."""
    days = list(pivot.rows["Weekday"])
    axis = alt.X("Weekday:O", sort=days, axis=alt.Axis(labelAngle=0, grid=False))
    bars = _encoded(stacked_bars(pivot.colours), x=axis, y=_count_axis("amount"))
    return _layered(bars, _hover(x=axis))


def lines_by_week(pivot: Pivot) -> alt.LayerChart:
    """Draw a line for each colour of the pivot. It has a gap where a week has no value.

    The points of partial weeks are hollow.
    """
    (form,) = {pivot.columns[heading] for heading in pivot.colours}
    line = alt.Chart().mark_line(strokeWidth=2.5, strokeJoin="round", invalid="break-paths-show-path-domains")
    points = alt.Chart().mark_point(size=36, filled=False, strokeWidth=2, opacity=1, invalid="filter")
    y = alt.Y("amount:Q", axis=VALUE_AXES[form], scale=VALUE_SCALES.get(form, alt.Scale()))
    fill = alt.Fill("part:N", scale=_scale_of(pivot.colours), legend=_legend_of(pivot.colours))
    hollow = alt.condition("datum.partial", alt.value("var(--card)"), fill)
    x = _week_axis()
    drawn = _folded(line, pivot.colours)
    dots = _folded(points, pivot.colours)
    return _layered(
        _encoded(drawn, x=x, y=y), _encoded(dots, x=x, y=y, fill=hollow), _hover(x=x), height=HEIGHT
    )


def stacked_bars(colours: Mapping[str, str]) -> alt.Chart:
    """Return stacked bars with one part per colour, in that order.

    The amounts are in the columns with the colours' names. The fields of a part are ``part``, its heading,
    and ``amount``.
    """
    return _folded(alt.Chart().mark_bar(), colours)


def _folded(marks: alt.Chart, colours: Mapping[str, str]) -> alt.Chart:
    names = list(colours)
    folded = marks.transform_fold([_escape(name) for name in names], as_=["part", "amount"])
    return _encoded(
        folded.transform_calculate(position=f"indexof({json.dumps(names)}, datum.part)"),
        color=alt.Color("part:N", scale=_scale_of(colours), legend=_legend_of(colours)),
        order=alt.Order("position:Q"),
    )


def _scale_of(colours: Mapping[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(colours), range=list(colours.values()))


def _legend_of(colours: Mapping[str, str]) -> alt.Legend | None:
    """Return the legend; none for one colour, which the title explains, nor for none, which has no height."""
    return alt.Legend() if len(colours) > 1 else None


def _hover(**position: Any) -> alt.Chart:
    """Return invisible bars as high as the chart, which say in words what the row is."""
    bars = alt.Chart().mark_bar(opacity=0, aria=False)
    return _encoded(bars, **position, y=alt.value(0), y2=alt.value(HEIGHT), tooltip=alt.Tooltip("says:N"))


def _layered(*layers: alt.Chart, height: int = HEIGHT) -> alt.LayerChart:
    return alt.LayerChart(layer=layers, data=alt.NamedData(ROWS), width="container", height=height)


def _encoded(chart: alt.Chart, **channels: Any) -> alt.Chart:
    encoded: alt.Chart = chart.encode(**channels)
    return encoded


def _escape(heading: str) -> str:
    """Escape a heading that Vega would take for a path, such as ``claude.ai``: field ``ai`` in ``claude``.

    A quotation mark would begin a quoted part of a path.
    """
    return re.sub(r"([\\.\[\]'\"])", r"\\\1", heading)


def distributions_of_durations(pivot: Pivot) -> alt.LayerChart:
    """Draw a bar per side for each row, next to each other on a logarithmic axis from ``from`` to ``to``."""
    labels = "".join(
        f"abs(datum.value - {hours}) < 0.001 ? '{text}' : " for hours, text in DURATION_TICKS.items()
    )
    axis = alt.Axis(values=list(DURATION_TICKS), labelExpr=f"{labels}''", grid=False, labelOverlap="greedy")
    scale = alt.Scale(type="log", domain=[MIN_HOURS / 2, MAX_HOURS * 2], nice=False)
    width = f"pow(datum.to / datum.from, 1 / {len(pivot.colours)})"
    bars = stacked_bars(pivot.colours).transform_calculate(
        start=f"datum.from * pow({width}, datum.position)",
        end=f"datum.from * pow({width}, datum.position + 1)",
    )
    sides = _encoded(
        bars,
        x=alt.X("start:Q", bin="binned", axis=axis, scale=scale),
        x2="end:Q",
        y=alt.Y("amount:Q", stack=None, axis=VALUE_AXES["share"]),
    )
    return _layered(sides, _hover(x=alt.X("from:Q", bin="binned"), x2="to:Q"))


def ranking(pivot: Pivot) -> alt.LayerChart:
    """Draw a horizontal bar for each row of a ranking, labelled by the table's first column."""
    (heading,) = pivot.figures
    # Texts before the line break in a key are those of the first column.
    label = alt.Axis(grid=False, labelLimit=150, labelExpr="split(datum.value, '\\n')[0]")
    y = alt.Y("key:N", sort=alt.EncodingSortField("place", op="min"), axis=label)
    bars = alt.Chart().mark_bar(color=pivot.colours[heading])
    return _layered(
        _encoded(bars, y=y, x=alt.X(f"{heading}:Q", axis=_count_scale()), tooltip=alt.Tooltip("says:N")),
        height=(pivot.limit or 1) * BAR_HEIGHT,
    )


def sizes_of_tables(pivot: Pivot) -> alt.LayerChart:
    """Draw a horizontal bar for each table, in megabytes."""
    short_names = alt.Axis(grid=False, labelLimit=150, labelExpr="replace(datum.value, 'metrics_', '')")
    megabytes = alt.Axis(
        format=",.3~f", labelExpr="datum.label + ' MB'", tickCount=4, labelOverlap="greedy", labelSeparation=8
    )
    bars = _encoded(
        stacked_bars(pivot.colours).transform_calculate(megabytes=f"datum.amount / {MEGABYTE}"),
        y=alt.Y("Table:N", sort=None, axis=short_names),
        x=alt.X("megabytes:Q", axis=megabytes),
        tooltip=[
            alt.Tooltip("Table:N"),
            alt.Tooltip("part:N", title="Part"),
            alt.Tooltip("megabytes:Q", title="MB", format=",.1f"),
        ],
    )
    return _layered(bars, height=len(pivot.rows["Table"]) * BAR_HEIGHT)


def _week_axis() -> alt.X:
    # Where the weeks are of several years, labels say which: as months if there are many, else below the day.
    weeks = "domain('x')"
    years = f"utcyear(toDate({weeks}[0])) != utcyear(toDate(peek({weeks})))"
    date = "toDate(datum.value)"
    day = f"utcFormat({date}, '%-d %b')"
    text = (
        f"length({weeks}) > {MONTHS_AXIS_MIN_WEEKS} ? utcFormat({date}, '%b %Y') : "
        f"{years} ? [{day}, utcFormat({date}, '%Y')] : {day}"
    )
    axis = alt.Axis(
        labelExpr=text,
        labelAngle=0,
        grid=False,
        labelOverlap="greedy",
        labelSeparation=12,
        labelBound=True,
    )
    return alt.X("monday:O", axis=axis)


def _count_axis(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", axis=_count_scale())


def _count_scale() -> alt.Axis:
    # Vega takes the minimum step as a hint only.
    return alt.Axis(tickCount=4, format=",d", tickMinStep=1, labelExpr="datum.value % 1 ? '' : datum.label")
