"""What the tables behind several charts share: colours, headings, and tables with one row per week."""

from collections.abc import Mapping, Sequence

from tformance_seed.report.pivot import Content, Figure, Pivot, weeks

#: The two sides of a comparison, by the value of ``with_ai``, and their colours.
WITH_AI, WITHOUT_AI = "With AI", "Without AI"
AI_SIDES = {WITH_AI: [1], WITHOUT_AI: [0]}
AI_COLOURS = {WITH_AI: "var(--with-ai)", WITHOUT_AI: "var(--without-ai)"}

#: Colours for parts: as many as a reader can tell apart. All others share one colour.
COLOURS = tuple(f"var(--tool-{number})" for number in range(1, 8))
OTHERS, OTHER_COLOUR = "others", "var(--without-ai)"

#: What rows of the page's script have beside the figures, and what every object of JavaScript has: a tool of
#: that name would take its place.
RESERVED = frozenset(
    [
        "Week",
        "key",
        "monday",
        "partial",
        "says",
        "part",
        "amount",
        "position",
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
        "__proto__",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
    ]
)


def by_week(
    content: Content,
    figures: Mapping[str, tuple[str, Figure]],
    colours: Mapping[str, str],
    words: Sequence[str],
) -> Pivot:
    """Return a table with one row per week.

    Parameters:
      figures: heading of a column -> its format and figure.
    """
    return Pivot(
        columns={"Week": "week", **{heading: form for heading, (form, _) in figures.items()}},
        rows=weeks(content),
        by="week",
        figures={heading: figure for heading, (_, figure) in figures.items()},
        colours=colours,
        words=words,
    )


def assign_colours(sources: Sequence[str], tools: Sequence[str]) -> dict[str, str]:
    """Assign colours to tools: to sources of daily usage first, then to detected tools by frequency.

    Tools that do not get a colour are counted as ``OTHERS``: those that are too many, those of ``RESERVED``,
    and those whose names are numbers, as JavaScript puts such properties before all others.
    """
    names = dict.fromkeys((*sources, *tools))
    able = [name for name in names if name not in RESERVED and not name.isdecimal()]
    colours = dict(zip(able, COLOURS, strict=False))
    return colours | ({OTHERS: OTHER_COLOUR} if len(names) > len(colours) else {})


def tool_colours(content: Content) -> dict[str, str]:
    """Return the colours of all tools on the page."""
    return assign_colours(content.values("usage", "source"), content.values("tools", "tool"))


def listing(headings: Sequence[str]) -> list[str]:
    """Return the words that name each heading after its value: "3 claude, 5 copilot"."""
    texts = ["", *(f" {heading}, " for heading in headings)]
    texts[-1] = texts[-1].removesuffix(", ")
    pairs = zip(texts, [*headings, ""], strict=True)
    return [part for pair in pairs for part in pair][:-1]
