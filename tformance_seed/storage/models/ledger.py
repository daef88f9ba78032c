"""The package's own tables: runs, their jobs and tasks, and which teams are its own."""

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    IntegerField,
    Model,
    TextField,
)

from tformance_seed.storage.models.fields import BigIdentityField, JSONField, TimestampField, reference


class LedgerModel(Model):
    """A table of the ledger, ``seed_...``."""

    class Meta:
        legacy_table_names = False


class SeedRun(LedgerModel):
    """One command that seeded: when, with which inputs (no secrets among them), and the ids of its jobs.

    Its status is that of its jobs. Two runs share a job if the second resumes the first one's.
    """

    id = AutoField()
    name = CharField(max_length=40, unique=True)
    parameters = JSONField(default=dict)
    jobs = JSONField(default=list)
    started_at = TimestampField()

    class Meta:
        table_name = "seed_run"


class SeedTeam(LedgerModel):
    """A team that the package created, or adopted at the user's request.

    ``input_spec`` is every input but the window: with another one the content would be another, so seeding
    starts over. ``team_created_at`` distinguishes the team from a later one with its id.
    ``max_ids_before_adoption`` is the greatest id of each table at adoption (NULL: the team was created
    here): rows up to it were there before and are never deleted.
    """

    team_id = BigIntegerField(primary_key=True)
    slug = CharField(max_length=50, unique=True)
    team_created_at = TimestampField()
    created_here = BooleanField()
    max_ids_before_adoption = JSONField(null=True)
    input_spec = JSONField(null=True)
    seeded_at = TimestampField(null=True)

    class Meta:
        table_name = "seed_team"


class SeedJob(LedgerModel):
    """One organisation's work, in phases; the tasks of a phase may be done in parallel.

    ``fingerprint`` is a digest of everything that decides its content, ``plan`` what any process restores
    profile and source from, ``empty_tables`` the models of which the team had no row when it began.
    """

    id = BigIdentityField()
    organisation = CharField(max_length=50, index=True)
    fingerprint = CharField(max_length=64)
    plan = JSONField()
    state = CharField(max_length=10)
    phase = IntegerField(default=0)
    empty_tables = JSONField(default=list)
    members = IntegerField(default=0)
    pull_requests = IntegerField(default=0)
    started_over = BooleanField(default=False)
    created_at = TimestampField()
    finished_at = TimestampField(null=True)

    class Meta:
        table_name = "seed_job"


class SeedTask(LedgerModel):
    """A part of a job. That it is done commits in the same transaction as its rows.

    A task covers ``limit`` items of its stage, from ``offset`` on in the stage's own order; ``tables`` maps a
    table's name to rows written, rows unchanged and seconds; ``attempts`` counts how often it was claimed.
    """

    id = BigIdentityField()
    job = reference(SeedJob)
    stage = CharField(max_length=30)
    offset = BigIntegerField()
    limit = BigIntegerField()
    phase = IntegerField()
    queue = CharField(max_length=20)
    state = CharField(max_length=10)
    attempts = IntegerField(default=0)
    worker = CharField(max_length=100, default="")
    reason = TextField(default="")
    claimed_at = TimestampField(null=True)
    finished_at = TimestampField(null=True)
    rows_written = BigIntegerField(default=0)
    rows_unchanged = BigIntegerField(default=0)
    tables = JSONField(default=dict)

    class Meta:
        table_name = "seed_task"
        indexes = ((("job", "stage", "offset"), True),)
