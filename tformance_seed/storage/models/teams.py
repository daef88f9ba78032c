"""Teams and their members."""

from peewee import SQL, BigIntegerField, BooleanField, CharField, Check, IntegerField, TextField

from tformance_seed.storage.models.fields import (
    ApplicationModel,
    TimestampField,
    choices,
    postgresql_index,
    reference,
)


class Team(ApplicationModel):
    """A team, the tenant to which all other rows belong."""

    name = CharField(max_length=100)
    slug = CharField(max_length=50, unique=True)
    billing_details_last_changed = TimestampField()
    customer_id = BigIntegerField(null=True, index=True)
    last_synced_with_stripe = TimestampField(null=True)
    subscription_id = BigIntegerField(null=True, index=True)
    onboarding_complete = BooleanField(default=True)
    onboarding_pipeline_completed_at = TimestampField(null=True)
    onboarding_pipeline_error = TextField(null=True)
    onboarding_pipeline_started_at = TimestampField(null=True)
    onboarding_pipeline_status = CharField(
        max_length=50,
        default="not_started",
        choices=choices(
            "not_started",
            "syncing_members",
            "syncing",
            "syncing_copilot",
            "llm_processing",
            "computing_metrics",
            "computing_insights",
            "phase1_complete",
            "background_syncing",
            "background_llm",
            "complete",
            "failed",
        ),
    )
    background_llm_progress = IntegerField(default=0)
    background_sync_progress = IntegerField(default=0)
    copilot_consecutive_failures = IntegerField(default=0)
    copilot_last_sync_at = TimestampField(null=True)
    copilot_status = CharField(
        max_length=30,
        default="disabled",
        choices=choices("disabled", "connected", "insufficient_licenses", "token_revoked"),
    )
    copilot_price_tier = CharField(
        max_length=20, default="business", choices=choices("individual", "business", "enterprise")
    )

    class Meta:
        table_name = "teams_team"
        constraints = [Check("copilot_consecutive_failures >= 0")]


postgresql_index(Team, SQL("slug varchar_pattern_ops"), name="teams_team_slug_301a24e5_like")


class TeamMember(ApplicationModel):
    """A member of a team, with accounts on GitHub, Jira and Slack."""

    email = CharField(max_length=254, default="")
    display_name = CharField(max_length=255)
    github_username = CharField(max_length=100, default="")
    github_id = CharField(max_length=50, default="")
    jira_account_id = CharField(max_length=100, default="")
    slack_user_id = CharField(max_length=50, default="")
    role = CharField(max_length=20, default="developer", choices=choices("developer", "lead", "admin"))
    is_active = BooleanField(default=True)
    team = reference(Team)
    copilot_last_activity_at = TimestampField(null=True)
    copilot_last_editor = CharField(max_length=100, null=True)

    class Meta:
        table_name = "metrics_teammember"
        indexes = (
            (("team", "is_active"), False),
            (("team", "github_username"), False),
        )


# Members are upserted by the first of these keys: an address may change, but the account stays.
TeamMember.add_index(TeamMember.team, TeamMember.github_id, unique=True, where=TeamMember.github_id > "")
TeamMember.add_index(TeamMember.team, TeamMember.email, unique=True, where=TeamMember.email > "")
