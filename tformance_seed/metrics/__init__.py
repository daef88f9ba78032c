"""What is computed from the database: weekly metrics, reviewer pairs, insights, the facts of Jira issues."""

from tformance_seed.metrics.insights import insights
from tformance_seed.metrics.issues import issue_facts
from tformance_seed.metrics.reviewers import reviewer_pairs
from tformance_seed.metrics.weekly import extent, weekly_metrics

__all__ = ["extent", "insights", "issue_facts", "reviewer_pairs", "weekly_metrics"]
