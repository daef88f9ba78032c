"""Aggregates that are computed in the database: weekly metrics, reviewer pairs, insights."""

from tformance_seed.metrics.insights import insights
from tformance_seed.metrics.reviewers import reviewer_pairs
from tformance_seed.metrics.weekly import extent, weekly_metrics

__all__ = ["extent", "insights", "reviewer_pairs", "weekly_metrics"]
