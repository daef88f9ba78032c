"""Jira issues."""

from peewee import CharField, TextField

from tformance_seed.storage.models.fields import (
    ApplicationModel,
    JSONField,
    NumericField,
    TimestampField,
    reference,
)
from tformance_seed.storage.models.teams import Team, TeamMember


class JiraIssue(ApplicationModel):
    """A Jira issue."""

    jira_key = CharField(max_length=50, index=True)
    jira_id = CharField(max_length=50)
    summary = TextField(default="")
    issue_type = CharField(max_length=50, default="")
    status = CharField(max_length=50, default="")
    story_points = NumericField(5, 1, null=True)
    sprint_id = CharField(max_length=50, default="")
    sprint_name = CharField(max_length=255, default="")
    issue_created_at = TimestampField(null=True)
    resolved_at = TimestampField(null=True)
    cycle_time_hours = NumericField(10, 2, null=True)
    synced_at = TimestampField()
    assignee = reference(TeamMember, null=True)
    team = reference(Team)
    description = TextField(default="")
    labels = JSONField(default=list)
    parent_issue_key = CharField(max_length=50, default="")
    priority = CharField(max_length=50, default="")

    class Meta:
        table_name = "metrics_jiraissue"
        indexes = ((("team", "jira_id"), True),)
