"""Tables that are computed from the other tables."""

from peewee import BooleanField, CharField, DateField, IntegerField, TextField

from tformance_seed.storage.models.fields import (
    ApplicationModel,
    JSONField,
    NumericField,
    TimestampField,
    choices,
    reference,
)
from tformance_seed.storage.models.teams import Team, TeamMember


class WeeklyMetrics(ApplicationModel):
    """A member's figures for one week."""

    week_start = DateField()
    prs_merged = IntegerField(default=0)
    avg_cycle_time_hours = NumericField(10, 2, null=True)
    avg_review_time_hours = NumericField(10, 2, null=True)
    commits_count = IntegerField(default=0)
    lines_added = IntegerField(default=0)
    lines_removed = IntegerField(default=0)
    revert_count = IntegerField(default=0)
    hotfix_count = IntegerField(default=0)
    story_points_completed = NumericField(10, 1, default=0)
    issues_resolved = IntegerField(default=0)
    ai_assisted_prs = IntegerField(default=0)
    avg_quality_rating = NumericField(3, 2, null=True)
    surveys_completed = IntegerField(default=0)
    guess_accuracy = NumericField(5, 2, null=True)
    member = reference(TeamMember)
    team = reference(Team)

    class Meta:
        table_name = "metrics_weeklymetrics"
        indexes = (
            (("team", "member", "week_start"), True),
            (("member", "week_start"), False),
        )


class ReviewerCorrelation(ApplicationModel):
    """How many pull requests two members both reviewed, and in how many of these they agreed."""

    prs_reviewed_together = IntegerField(default=0, index=True)
    agreements = IntegerField(default=0)
    disagreements = IntegerField(default=0)
    reviewer_1 = reference(TeamMember)
    reviewer_2 = reference(TeamMember)
    team = reference(Team)

    class Meta:
        table_name = "metrics_reviewercorrelation"
        indexes = (
            (("team", "reviewer_1", "reviewer_2"), True),
            (("reviewer_1", "reviewer_2"), False),
        )


class DailyInsight(ApplicationModel):
    """A message about a team's figures on one day, for the dashboard."""

    date = DateField(index=True)
    category = CharField(
        max_length=20, choices=choices("trend", "anomaly", "comparison", "action", "llm_insight")
    )
    priority = CharField(max_length=20, choices=choices("high", "medium", "low"))
    title = CharField(max_length=255)
    description = TextField()
    metric_type = CharField(max_length=100)
    metric_value = JSONField(null=True)
    comparison_period = CharField(max_length=100, default="")
    is_dismissed = BooleanField(default=False)
    dismissed_at = TimestampField(null=True)
    team = reference(Team)

    class Meta:
        table_name = "metrics_dailyinsight"
        indexes = (
            (("date", "category"), False),
            (("priority", "is_dismissed"), False),
        )
