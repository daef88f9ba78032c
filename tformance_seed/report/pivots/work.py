"""The tables behind the charts of pull requests and reviews."""

from tformance_seed.report.daily.counts import BINS_PER_DOUBLING, DOUBLINGS, MIN_HOURS, UNKNOWN_BIN
from tformance_seed.report.pivot import Content, Median, Pivot, Ratio, Sum, Where, phrase
from tformance_seed.report.pivots.shared import (
    AI_COLOURS,
    AI_SIDES,
    OTHERS,
    WITH_AI,
    WITHOUT_AI,
    by_week,
    listing,
    tool_colours,
)

#: Only merged pull requests, of the series that has others as well.
MERGED: Where = {"merged": [1]}

#: The maximum number of reviewers in the chart of the busiest ones.
MAX_REVIEWERS_SHOWN = 10

#: Units for durations: (name, length in hours, shortest duration in hours that is written in the unit).
DURATION_UNITS = (("days", 24, 72), ("h", 1, 1), ("min", 1 / 60, 0))

#: Durations below this number of hours are written with one decimal, unless it is zero.
DECIMAL_HOURS_BELOW = 10


def merged_by_week(content: Content) -> Pivot:
    """Return merged pull requests by week, with and without AI."""
    sides = {side: Sum({**MERGED, "with_ai": value}) for side, value in AI_SIDES.items()}
    everything = Sum(MERGED)
    figures = {side: ("count", figure) for side, figure in sides.items()}
    return by_week(
        content,
        {**figures, "All": ("count", everything), "AI share": ("share", Ratio(sides[WITH_AI], everything))},
        AI_COLOURS,
        phrase("{} merged, {} with AI ({})", "All", WITH_AI, "AI share"),
    )


def ai_share_by_week(content: Content) -> Pivot:
    """Return the share of merged pull requests in which AI was found, by week."""
    share = Ratio(Sum({**MERGED, "with_ai": [1]}), Sum(MERGED))
    return by_week(
        content,
        {"AI share": ("share", share), "Merged": ("count", Sum(MERGED))},
        {"AI share": AI_COLOURS[WITH_AI]},
        phrase("AI in {} of {} merged", "AI share", "Merged"),
    )


def cycle_time_by_week(content: Content) -> Pivot:
    """Return the median cycle time by week, with and without AI."""
    return _medians_by_week(content, MERGED)


def review_time_by_week(content: Content) -> Pivot:
    """Return the median time to the first review by week, with and without AI."""
    return _medians_by_week(content, {})


def _medians_by_week(content: Content, where: Where) -> Pivot:
    return by_week(
        content,
        {side: ("duration", Median({**where, "with_ai": value})) for side, value in AI_SIDES.items()},
        AI_COLOURS,
        phrase("median {} with AI, {} without", WITH_AI, WITHOUT_AI),
    )


def cycle_times(_content: Content) -> Pivot:
    """Return the distribution of cycle times, with and without AI."""
    return _distributions(MERGED)


def review_times(_content: Content) -> Pivot:
    """Return the distribution of times to the first review, with and without AI."""
    return _distributions({})


def _distributions(where: Where) -> Pivot:
    """Return shares of each side, in a row per doubling of the hours, and one below and above all of them."""
    edges = [MIN_HOURS * 2**power for power in range(-1, DOUBLINGS + 2)]
    starts, ends = edges[:-1], edges[1:]
    times = [
        f"{_format_duration(start)} to {_format_duration(end)}"
        for start, end in zip(starts, ends, strict=True)
    ]
    times[0], times[-1] = f"under {_format_duration(ends[0])}", f"over {_format_duration(starts[-1])}"
    sides = {side: Sum({**where, "with_ai": value}) for side, value in AI_SIDES.items()}
    counts = {f"{side}, count": count for side, count in sides.items()}
    return Pivot(
        columns={"Time": "word", **dict.fromkeys(sides, "share"), **dict.fromkeys(counts, "count")},
        rows={"Time": times, "from": starts, "to": ends},
        by="bin",
        groups=[*(-(-bin_ // BINS_PER_DOUBLING) for bin_ in range(UNKNOWN_BIN)), None],
        figures={
            **{side: Ratio(count, count, of_column=True) for side, count in sides.items()},
            **counts,
        },
        colours=AI_COLOURS,
        words=phrase("{} of those with AI, {} of those without", WITH_AI, WITHOUT_AI),
    )


def _format_duration(hours: float) -> str:
    name, size = next((name, size) for name, size, least in DURATION_UNITS if hours >= least)
    amount = hours / size
    exact = name == "h" and amount < DECIMAL_HOURS_BELOW
    return f"{round(amount, 1):g} {name}" if exact else f"{int(amount + 0.5)} {name}"


def tools_by_week(content: Content) -> Pivot:
    """Return merged pull requests by week and by the tool that was found."""
    detected, colours = content.values("tools", "tool"), tool_colours(content)
    indexes: dict[str, list[int]] = {}
    for index, tool in enumerate(detected):
        indexes.setdefault(tool if tool in colours else OTHERS, []).append(index)
    shown = {tool: colour for tool, colour in colours.items() if tool in indexes}
    figures = {tool: ("count", Sum({"tool": indexes[tool]})) for tool in shown}
    return by_week(content, figures, shown, listing(list(shown)))


def busiest_reviewers(content: Content) -> Pivot:
    """Return the reviewers who gave the most reviews."""
    reviewers = content.values("reviews", "reviewer")
    return Pivot(
        columns={"Reviewer": "text", "Organisation": "text", "Reviews": "count"},
        rows={
            "Reviewer": [reviewer.name for reviewer in reviewers],
            "Organisation": [content.daily.slugs[reviewer.team] for reviewer in reviewers],
        },
        by="reviewer",
        figures={"Reviews": Sum()},
        colours={"Reviews": "var(--tool-1)"},
        words=phrase("{} reviews in {}", "Reviews", "Organisation"),
        limit=MAX_REVIEWERS_SHOWN,
    )
