"""Published and measured figures that the generated data of all organisations follows, with their sources.

Figures of single organisations are in ``organisations.toml``; pure modelling choices are defined where
they are used.
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

#: Share of these pull requests whose code AI wrote (26.3% name a coding tool, 73.5% a review tool); AI
#: reviewed the others.
AI_CODE_SHARE = 26.3 / (26.3 + 73.5)

#: Number of pull requests in the year in which each tool was found.
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

#: The same counts by month, January to December, for the tools for which they were published. As published,
#: the months of a tool add up to less than its yearly count.
TOOL_COUNTS_BY_MONTH = {
    "claude": (2, 5, 22, 32, 19, 51, 72, 93, 114, 202, 180, 362),
    "cursor": (5, 5, 4, 4, 8, 24, 35, 77, 168, 255, 490, 265),
    "copilot": (16, 9, 9, 25, 32, 24, 74, 79, 93, 107, 120, 170),
}

# The project's founding document: the application's database in December 2025, which the package must be able
# to fill.

#: Its organisations, pull requests and rows of daily AI usage.
APPLICATION_ORGANISATIONS, APPLICATION_PULL_REQUESTS, APPLICATION_USAGE_ROWS = 100, 51_465, 1_300_000

#: Mean number of files and commits per pull request (432 K files and 203 K commits in 49 K pull requests).
FILES_PER_PULL_REQUEST, COMMITS_PER_PULL_REQUEST = 8.8, 4.1

#: Share of workdays on which a member who uses AI tools uses them.
DAILY_USE_RATE = 0.85

#: The formula for rows of daily AI usage, in words.
USAGE_FORMULA = f"members x workdays x {DAILY_USE_RATE} x adoption"

# Figures from the application's old seeder.

#: Shares of members by the tool that they use every day.
USAGE_TOOL_SHARES = {"copilot": 0.7, "cursor": 0.3}

#: Drawn once per member: hours of use per day, suggestions shown per day, and the share of suggestions
#: accepted (minimum and maximum).
USAGE_HOURS, USAGE_SUGGESTIONS, USAGE_ACCEPTANCE = (2.0, 6.0), (100.0, 400.0), (0.25, 0.45)

#: Drawn per member and day: a factor for hours and suggestions, and another for the share accepted (minimum
#: and maximum).
USAGE_VARIATION, ACCEPTANCE_VARIATION = (0.7, 1.3), (0.9, 1.1)

#: Bonuses that the size of a change adds to the probability that AI assisted it: (lines, bonus) and (files,
#: bonus) pairs. In each table, the first pair whose limit the change exceeds applies.
LINES_BONUS, FILES_BONUS = ((300, 0.15), (150, 0.08)), ((5, 0.10), (3, 0.05))

#: Greatest probability that AI assisted a pull request.
MAX_AI_PROBABILITY = 0.85

#: Hours from the merge until an author and a reviewer answer a survey (minimum and maximum).
AUTHOR_RESPONSE_HOURS, REVIEWER_RESPONSE_HOURS = (1, 48), (1, 72)

#: The same for the author in a scenario, in which every survey is answered.
SCENARIO_RESPONSE_HOURS = (1, 24)

#: Share of reviewers who answer.
REVIEWER_RESPONSE_RATE = 0.7

#: Shares of the quality ratings 3, 2 and 1.
QUALITY_SHARES = (0.50, 0.35, 0.15)

#: Share of a reviewer's guesses that are right, fixed for each reviewer (minimum and maximum).
GUESS_ACCURACY = (0.60, 0.75)

#: Number of an organisation's first generated Jira issue.
FIRST_JIRA_ISSUE = 1000

#: (line limit, points) pairs: an issue with fewer changed lines than the limit gets these story points.
#: Larger issues get ``MAX_STORY_POINTS``.
STORY_POINTS, MAX_STORY_POINTS = ((50, 1), (150, 2), (400, 3), (800, 5)), 8

#: The Monday on which the first sprint began, and the length of a sprint in days.
FIRST_SPRINT, SPRINT_DAYS = datetime.date(2024, 1, 1), 14

#: Shares of issue types, for issues whose title and labels do not determine the type.
ISSUE_TYPE_SHARES = {"Story": 0.50, "Task": 0.25, "Bug": 0.20, "Improvement": 0.05}


def expected_usage_rows(members: float, workdays: float, adoption: float) -> float:
    """Return the expected number of daily AI usage rows: one per member and day of use.

    Parameters:
      workdays: days from Monday to Friday.
      adoption: share of members who use AI tools, averaged over the workdays.
    """
    return members * workdays * DAILY_USE_RATE * adoption
