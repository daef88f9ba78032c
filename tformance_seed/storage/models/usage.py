"""Daily use of AI tools, and a team's Copilot figures."""

from peewee import CharField, DateField, IntegerField

from tformance_seed.storage.models.fields import (
    ApplicationModel,
    NumericField,
    TimestampField,
    choices,
    reference,
)
from tformance_seed.storage.models.teams import Team, TeamMember


class AIUsageDaily(ApplicationModel):
    """A member's use of one AI tool on one day."""

    date = DateField()
    source = CharField(max_length=20, choices=choices("copilot", "cursor"))
    active_hours = NumericField(5, 2, null=True)
    suggestions_shown = IntegerField(default=0)
    suggestions_accepted = IntegerField(default=0)
    acceptance_rate = NumericField(5, 2, null=True)
    synced_at = TimestampField()
    member = reference(TeamMember, index=False)
    team = reference(Team)

    class Meta:
        table_name = "metrics_aiusagedaily"
        indexes = (
            (("team", "member", "date", "source"), True),
            (("member", "date"), False),
        )


class CopilotSeatSnapshot(ApplicationModel):
    """A team's Copilot seats on one day."""

    date = DateField(index=True)
    total_seats = IntegerField()
    active_this_cycle = IntegerField()
    inactive_this_cycle = IntegerField()
    pending_cancellation = IntegerField(default=0)
    synced_at = TimestampField()
    team = reference(Team)

    class Meta:
        table_name = "metrics_copilotseatsnapshot"
        indexes = ((("team", "date"), True),)


class CopilotLanguageDaily(ApplicationModel):
    """A team's use of Copilot in one programming language on one day."""

    date = DateField(index=True)
    language = CharField(max_length=50)
    suggestions_shown = IntegerField()
    suggestions_accepted = IntegerField()
    lines_suggested = IntegerField(default=0)
    lines_accepted = IntegerField(default=0)
    synced_at = TimestampField()
    team = reference(Team)

    class Meta:
        table_name = "metrics_copilotlanguagedaily"
        indexes = ((("team", "date", "language"), True),)


class CopilotEditorDaily(ApplicationModel):
    """A team's use of Copilot in one editor on one day."""

    date = DateField(index=True)
    editor = CharField(max_length=100)
    suggestions_shown = IntegerField()
    suggestions_accepted = IntegerField()
    active_users = IntegerField(default=0)
    synced_at = TimestampField()
    team = reference(Team)

    class Meta:
        table_name = "metrics_copiloteditordaily"
        indexes = ((("team", "date", "editor"), True),)
