"""The tables behind the charts of AI tools in use."""

from tformance_seed.report.daily.ai import ACTIVE, RECORDED, SEAT_USES, WITH_AI
from tformance_seed.report.pivot import Content, Pivot, Ratio, Sum, phrase
from tformance_seed.report.pivots.shared import (
    AI_COLOURS,
    OTHER_COLOUR,
    by_week,
    listing,
    tool_colours,
)

#: Headings for days by ``weekday``, Monday first.
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: The heading for members who used any tool.
ANY = "Any tool"


def adoption_by_week(content: Content) -> Pivot:
    """Return the share of active members who used AI tools by week: any, and each of them.

    Only organisations that record the use of AI tools by then have a share.
    """
    who = list(content.values("adoption", "who"))
    indexes = {name: [index] for index, name in enumerate(who)}
    active, recorded = Sum({"who": indexes[ACTIVE]}), Sum({"who": indexes[RECORDED]})
    tools = [name for name in who if name not in (ACTIVE, RECORDED, WITH_AI)]
    headings = {ANY: WITH_AI, **dict(zip(tools, tools, strict=True))}
    shares = {heading: Ratio(Sum({"who": indexes[name]}), recorded) for heading, name in headings.items()}
    colours = tool_colours(content)
    return by_week(
        content,
        {
            **{heading: ("share", share) for heading, share in shares.items()},
            "Active members": ("count", active),
        },
        {ANY: AI_COLOURS["With AI"], **{tool: colours.get(tool, OTHER_COLOUR) for tool in tools}},
        ["", "Active members", " active members, ", ANY, " with AI tools: ", *listing(tools)[1:]],
    )


def usage_by_weekday(content: Content) -> Pivot:
    """Return days on which a member used a tool, by weekday and tool."""
    sources, colours = content.values("usage", "source"), tool_colours(content)
    return Pivot(
        columns={"Weekday": "text", **dict.fromkeys(sources, "count")},
        rows={"Weekday": WEEKDAYS},
        by="weekday",
        figures={source: Sum({"source": [index]}) for index, source in enumerate(sources)},
        colours={source: colours.get(source, OTHER_COLOUR) for source in sources},
        words=listing(sources),
    )


def seats_by_week(content: Content) -> Pivot:
    """Return Copilot's seats by week, active and inactive."""
    active, inactive = (Sum({"use": [index]}) for index in range(len(SEAT_USES)))
    return by_week(
        content,
        {
            "Active": ("count", active),
            "Inactive": ("count", inactive),
            "Total": ("count", Sum()),
            "In use": ("share", Ratio(active, Sum())),
        },
        {"Active": "var(--tool-1)", "Inactive": OTHER_COLOUR},
        phrase("{} seats, {} active ({}), {} inactive", "Total", "Active", "In use", "Inactive"),
    )
