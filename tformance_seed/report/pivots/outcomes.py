"""The tables behind the charts of deployments, surveys and Jira issues."""

from tformance_seed.report.daily.outcomes import RIGHT, SAID_NO, SAID_YES, UNANSWERED, WRONG
from tformance_seed.report.pivot import Content, Median, Pivot, Ratio, Sum, Where, phrase
from tformance_seed.report.pivots.shared import AI_COLOURS, OTHER_COLOUR, WITH_AI, WITHOUT_AI, by_week

#: Deployments that succeeded, and that failed.
SUCCEEDED: Where = {"failed": [0]}
FAILED: Where = {"failed": [1]}

#: Answers of authors, by the heading of their column.
ANSWERS = {WITH_AI: [SAID_YES], WITHOUT_AI: [SAID_NO], "No answer": [UNANSWERED]}

#: The number of tenths in a story point.
TENTHS = 10

BLUE, ORANGE = "var(--tool-1)", "var(--tool-2)"


def deployments_by_week(content: Content) -> Pivot:
    """Return deployments to production by week: DORA's deployment frequency."""
    return by_week(
        content,
        {
            "Succeeded": ("count", Sum(SUCCEEDED)),
            "Failed": ("count", Sum(FAILED)),
            "All": ("count", Sum()),
        },
        {"Succeeded": BLUE, "Failed": ORANGE},
        phrase("{} deployments, {} failed", "All", "Failed"),
    )


def failures_by_week(content: Content) -> Pivot:
    """Return the share of deployments that failed by week: DORA's change failure rate."""
    return by_week(
        content,
        {"Failed": ("share", Ratio(Sum(FAILED), Sum())), "Deployments": ("count", Sum())},
        {"Failed": ORANGE},
        phrase("{} of {} deployments failed", "Failed", "Deployments"),
    )


def lead_time_by_week(content: Content) -> Pivot:
    """Return the median time from the first commit to production by week: DORA's lead time for changes."""
    return by_week(
        content,
        {"Lead time": ("duration", Median(SUCCEEDED))},
        {"Lead time": BLUE},
        phrase("median {} from the first commit to production", "Lead time"),
    )


def restoration_by_week(content: Content) -> Pivot:
    """Return the median time from a failure to the next success by week: DORA's time to restore service."""
    return by_week(
        content,
        {"Restored after": ("duration", Median(FAILED))},
        {"Restored after": ORANGE},
        phrase("median {} to the next successful deployment", "Restored after"),
    )


def answers_by_week(content: Content) -> Pivot:
    """Return surveys by week of the merge, and what authors answered."""
    answered = Sum({"answer": [SAID_NO, SAID_YES]})
    return by_week(
        content,
        {
            **{heading: ("count", Sum({"answer": values})) for heading, values in ANSWERS.items()},
            "Answered": ("share", Ratio(answered, Sum())),
            "AI, of answers": ("share", Ratio(Sum({"answer": [SAID_YES]}), answered)),
        },
        {WITH_AI: AI_COLOURS[WITH_AI], WITHOUT_AI: "var(--tool-1)", "No answer": OTHER_COLOUR},
        phrase(
            "{} said with AI, {} without ({} of answers with AI), {} gave no answer ({} answered)",
            WITH_AI,
            WITHOUT_AI,
            "AI, of answers",
            "No answer",
            "Answered",
        ),
    )


def quality_by_week(content: Content) -> Pivot:
    """Return the mean rating of reviewers by week of the merge, by what the author said."""

    def rating(answer: int) -> Ratio:
        rated: Where = {"answer": [answer], "rated": [1]}
        return Ratio(Sum(rated, measure="ratings"), Sum(rated))

    return by_week(
        content,
        {WITH_AI: ("rating", rating(SAID_YES)), WITHOUT_AI: ("rating", rating(SAID_NO))},
        AI_COLOURS,
        phrase("rated {} with AI, {} without, of 3", WITH_AI, WITHOUT_AI),
    )


def guesses_by_week(content: Content) -> Pivot:
    """Return the share of reviewers who guessed right whether AI had been used, by week of the merge."""
    guesses = Sum({"guess": [WRONG, RIGHT]})
    return by_week(
        content,
        {"Right": ("share", Ratio(Sum({"guess": [RIGHT]}), guesses)), "Guesses": ("count", guesses)},
        {"Right": BLUE},
        phrase("{} of {} guesses right", "Right", "Guesses"),
    )


def issues_by_week(content: Content) -> Pivot:
    """Return resolved Jira issues by week."""
    return by_week(
        content, {"Resolved": ("count", Sum())}, {"Resolved": BLUE}, phrase("{} issues resolved", "Resolved")
    )


def points_by_week(content: Content) -> Pivot:
    """Return the story points of resolved Jira issues by week."""
    points = Sum(measure="tenths", units=TENTHS)
    return by_week(
        content,
        {"Points": ("tenths", points), "Issues": ("count", Sum())},
        {"Points": BLUE},
        phrase("{} points in {} issues", "Points", "Issues"),
    )


def issue_time_by_week(content: Content) -> Pivot:
    """Return the median time from creation to resolution of Jira issues by week."""
    return by_week(
        content,
        {"Cycle time": ("duration", Median())},
        {"Cycle time": BLUE},
        phrase("median {} from creation to resolution", "Cycle time"),
    )
