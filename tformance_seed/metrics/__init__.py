"""Aggregates that are computed in the database: weekly metrics, reviewer pairs, insights."""

from tformance_seed.metrics.weekly import weekly_metrics

__all__ = ["weekly_metrics"]
