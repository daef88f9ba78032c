"""Tables with which people open a team in the application: users, memberships, feature flags, integrations.

The package writes a few rows there if the tables exist, and never creates the tables.
"""

from peewee import BooleanField, CharField, Model, TextField

from tformance_seed.storage.models.fields import (
    BigIdentityField,
    JSONField,
    NumericField,
    TimestampField,
    reference,
)
from tformance_seed.storage.models.teams import Team


class AccessModel(Model):
    """Base class for these tables; defaults are the application's."""

    id = BigIdentityField()

    class Meta:
        legacy_table_names = False


class User(AccessModel):
    """A person who can log in."""

    password = CharField(max_length=128)
    last_login = TimestampField(null=True)
    is_superuser = BooleanField(default=False)
    username = CharField(max_length=150, unique=True)
    first_name = CharField(max_length=150, default="")
    last_name = CharField(max_length=150, default="")
    email = CharField(max_length=254)
    is_staff = BooleanField(default=False)
    is_active = BooleanField(default=True)
    date_joined = TimestampField()
    avatar = CharField(max_length=100, default="")

    class Meta:
        table_name = "users_customuser"


class Membership(AccessModel):
    """A user's membership in a team."""

    created_at = TimestampField()
    updated_at = TimestampField()
    role = CharField(max_length=100)
    team = reference(Team)
    user = reference(User)

    class Meta:
        table_name = "teams_membership"
        indexes = ((("team", "user"), True),)


class Flag(AccessModel):
    """A feature flag; it is on for a team that is linked to it."""

    name = CharField(max_length=100, unique=True)
    everyone = BooleanField(null=True)
    percent = NumericField(3, 1, null=True)
    testing = BooleanField(default=False)
    superusers = BooleanField(default=True)
    staff = BooleanField(default=False)
    authenticated = BooleanField(default=False)
    languages = TextField(default="")
    rollout = BooleanField(default=False)
    note = TextField(default="")
    created = TimestampField()
    modified = TimestampField()

    class Meta:
        table_name = "teams_flag"


class FlagTeam(AccessModel):
    """A link between a feature flag and a team."""

    flag = reference(Flag)
    team = reference(Team)

    class Meta:
        table_name = "teams_flag_teams"
        indexes = ((("flag", "team"), True),)


class IntegrationCredential(AccessModel):
    """A team's credential for an external service."""

    created_at = TimestampField()
    updated_at = TimestampField()
    provider = CharField(max_length=50)
    access_token = TextField(default="")
    refresh_token = TextField(default="")
    scopes = JSONField(default=list)
    team = reference(Team)
    is_revoked = BooleanField(default=False)
    revocation_reason = CharField(max_length=255, default="")

    class Meta:
        table_name = "integrations_integrationcredential"
        indexes = ((("team", "provider"), True),)


class JiraIntegration(AccessModel):
    """A team's connection to Jira."""

    created_at = TimestampField()
    updated_at = TimestampField()
    cloud_id = CharField(max_length=100)
    site_name = CharField(max_length=255)
    site_url = CharField(max_length=200)
    sync_status = CharField(max_length=20)
    credential = reference(IntegrationCredential, unique=True)
    team = reference(Team)

    class Meta:
        table_name = "integrations_jiraintegration"
