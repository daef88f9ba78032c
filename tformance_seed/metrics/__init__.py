"""Aggregates computed in the database: weekly metrics, reviewer pairs, insights, summaries, issue facts."""

from tformance_seed.metrics.insights import last_day_differs, refresh_insights
from tformance_seed.metrics.jira_facts import facts_from_columns, issue_facts
from tformance_seed.metrics.reviewer_pairs import refresh_reviewer_pairs
from tformance_seed.metrics.summaries import (
    Window,
    pull_requests_to_summarise,
    refresh_summaries,
    summarise_columns,
)
from tformance_seed.metrics.summary_facts import PullRequestFacts, pull_request_facts
from tformance_seed.metrics.weekly import data_extent, refresh_weekly

__all__ = [
    "PullRequestFacts",
    "Window",
    "data_extent",
    "facts_from_columns",
    "issue_facts",
    "last_day_differs",
    "pull_request_facts",
    "pull_requests_to_summarise",
    "refresh_insights",
    "refresh_reviewer_pairs",
    "refresh_summaries",
    "refresh_weekly",
    "summarise_columns",
]
