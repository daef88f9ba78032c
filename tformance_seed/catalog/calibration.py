"""Every published or measured figure that generated data follows, once, with its source.

A mere modelling choice is defined where it is used.
"""

import datetime
from dataclasses import dataclass

# The application's report on 167,308 pull requests of 101 open-source companies in 2025.


@dataclass(frozen=True)
class PullRequestFigures:
    """Medians and means of merged pull requests: hours to merge and to first review, lines changed."""

    cycle_hours_median: float
    cycle_hours_mean: float
    review_hours_median: float
    review_hours_mean: float
    lines_median: float
    lines_mean: float


#: Pull requests without AI, with code that AI wrote, and with an AI review: in the order of ``ai_kind``.
PUBLISHED_BY_AI_KIND = (
    PullRequestFigures(3.6, 25.0, 0.4, 12.5, 44, 652),
    PullRequestFigures(5.5, 29.7, 0.2, 10.4, 56, 419),
    PullRequestFigures(4.0, 26.2, 0.1, 5.8, 47, 421),
)

#: Share of all pull requests in which AI is found.
AI_SHARE = 0.121

#: Share of these whose code AI wrote (26.3% name a tool for code, 73.5% one for reviews); it reviewed the
#: others.
AI_CODE_SHARE = 26.3 / (26.3 + 73.5)

#: Pull requests of the year in which each tool was found.
TOOL_COUNTS = {
    "coderabbit": 11_104,
    "cubic": 6_943,
    "devin": 1_796,
    "cursor": 1_431,
    "claude": 1_232,
    "copilot": 823,
    "greptile": 469,
    "chatgpt": 456,
    "claude_code": 310,
    "gemini": 197,
    "ellipsis": 98,
    "codegen": 33,
    "sourcery": 16,
    "aider": 10,
    "windsurf": 3,
}

#: The same by month, January to December, of the tools for which that was published. The months of a tool add
#: up to less than its count, as published.
TOOL_COUNTS_BY_MONTH = {
    "claude": (2, 5, 22, 32, 19, 51, 72, 93, 114, 202, 180, 362),
    "cursor": (5, 5, 4, 4, 8, 24, 35, 77, 168, 255, 490, 265),
    "copilot": (16, 9, 9, 25, 32, 24, 74, 79, 93, 107, 120, 170),
}

# The project's founding document: the application's database in December 2025, which the package must be able
# to fill.

#: Its organisations, pull requests and rows of daily AI usage.
APPLICATION_ORGANISATIONS, APPLICATION_PULL_REQUESTS, APPLICATION_USAGE_ROWS = 100, 51_465, 1_300_000

#: Mean files and commits of a pull request (432 K files and 203 K commits of 49 K pull requests).
FILES_PER_PULL_REQUEST, COMMITS_PER_PULL_REQUEST = 8.8, 4.1

#: Share of workdays on which a member who uses AI tools uses them.
DAILY_USE_RATE = 0.85

#: The formula for rows of daily AI usage, in words.
USAGE_FORMULA = f"members x workdays x {DAILY_USE_RATE} x adoption"

# What the application's old seeder drew from.

#: Members by the tool that they use every day.
USAGE_TOOL_SHARES = {"copilot": 0.7, "cursor": 0.3}

#: Of each member, fixed: hours of use and suggestions shown on a day, share of suggestions accepted (minimum
#: and maximum).
USAGE_HOURS, USAGE_SUGGESTIONS, USAGE_ACCEPTANCE = (2.0, 6.0), (100.0, 400.0), (0.25, 0.45)

#: Of each day: a factor of hours and suggestions, and another of the acceptance (minimum and maximum).
USAGE_VARIATION, ACCEPTANCE_VARIATION = (0.7, 1.3), (0.9, 1.1)

#: What the size of a change adds to the probability that AI assisted it: above so many lines, and above so
#: many files; the first that applies.
LINES_BONUS, FILES_BONUS = ((300, 0.15), (150, 0.08)), ((5, 0.10), (3, 0.05))

#: Greatest probability that AI assisted a pull request.
MAX_AI_PROBABILITY = 0.85

#: Hours after the merge in which an author and a reviewer answer a survey (minimum and maximum).
AUTHOR_RESPONSE_HOURS, REVIEWER_RESPONSE_HOURS = (1, 48), (1, 72)

#: Share of reviewers who answer.
REVIEWER_RESPONSE_RATE = 0.7

#: Shares of the quality ratings 3, 2 and 1.
QUALITY_SHARES = (0.50, 0.35, 0.15)

#: Share of a reviewer's guesses that are right, fixed for each reviewer (minimum and maximum).
GUESS_ACCURACY = (0.60, 0.75)

#: Number of an organisation's first invented Jira issue.
FIRST_JIRA_ISSUE = 1000

#: Story points of issues with fewer than so many changed lines; and of all others.
STORY_POINTS, MAX_STORY_POINTS = ((50, 1), (150, 2), (400, 3), (800, 5)), 8

#: The Monday on which the first sprint began, and the days of a sprint.
FIRST_SPRINT, SPRINT_DAYS = datetime.date(2024, 1, 1), 14

#: Issues by type, where neither title nor labels determine it.
ISSUE_TYPE_SHARES = {"Story": 0.50, "Task": 0.25, "Bug": 0.20, "Improvement": 0.05}


def expected_usage_rows(members: float, workdays: float, adoption: float) -> float:
    """Return how many rows of daily AI usage to expect: one for each member and day of use.

    Parameters:
      workdays: days from Monday to Friday.
      adoption: share of members who use AI tools, the mean over the workdays.
    """
    return members * workdays * DAILY_USE_RATE * adoption
