"""Aggregates computed in the database: weekly metrics, reviewer pairs, insights; what it tells of rows."""

from tformance_seed.metrics.insights import insights
from tformance_seed.metrics.jira_facts import issue_facts, told_facts
from tformance_seed.metrics.reviewer_pairs import reviewer_pairs
from tformance_seed.metrics.summaries import pull_request_ids, summarise, told
from tformance_seed.metrics.weekly import extent, weekly_metrics

__all__ = [
    "extent",
    "insights",
    "issue_facts",
    "pull_request_ids",
    "reviewer_pairs",
    "summarise",
    "told",
    "told_facts",
    "weekly_metrics",
]
