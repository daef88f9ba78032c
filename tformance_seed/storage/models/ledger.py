"""The package's own tables: runs, the jobs and tasks that they are made of, and which teams are its own."""

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

    How it stands is what its jobs say. Two runs share a job where the second goes on with the first one's.
    """

    id = AutoField()
    name = CharField(max_length=40, unique=True)
    parameters = JSONField(default=dict)
    jobs = JSONField(default=list)
    started_at = TimestampField()

    class Meta:
        table_name = "seed_run"


class SeedTeam(LedgerModel):
    """A team that the package made or, by the user's word, adopted.

    ``recipe`` is every input but the window: with another one the content would be another, so seeding
    starts over. ``team_created_at`` tells the team from a later one with its id. ``watermarks`` is the
    greatest id of each table at adoption (null: the team was made here): rows up to it were there before and
    are nobody's to delete.
    """

    team_id = BigIntegerField(primary_key=True)
    slug = CharField(max_length=50, unique=True)
    team_created_at = TimestampField()
    made = BooleanField()
    watermarks = JSONField(null=True)
    recipe = JSONField(null=True)
    seeded_at = TimestampField(null=True)

    class Meta:
        table_name = "seed_team"


class SeedJob(LedgerModel):
    """One organisation's work, in phases; the tasks of a phase may be done side by side.

    ``identity`` is a digest of everything that decides its content, ``plan`` what any process makes profile
    and source of, ``fresh`` the models of which the team had no row when it began.
    """

    id = BigIdentityField()
    organisation = CharField(max_length=50, index=True)
    identity = CharField(max_length=64)
    plan = JSONField()
    state = CharField(max_length=10)
    phase = IntegerField(default=0)
    fresh = JSONField(default=list)
    members = IntegerField(default=0)
    pull_requests = IntegerField(default=0)
    started_over = BooleanField(default=False)
    created_at = TimestampField()
    finished_at = TimestampField(null=True)

    class Meta:
        table_name = "seed_job"


class SeedTask(LedgerModel):
    """A piece of a job. That it is done commits in the same transaction as its rows.

    ``start`` and ``stop`` are places in the stage's own order; ``tables`` maps a table's name to rows
    written, rows unchanged and seconds; ``attempts`` counts how often it was begun.
    """

    id = BigIdentityField()
    job = reference(SeedJob)
    stage = CharField(max_length=30)
    start = BigIntegerField()
    stop = BigIntegerField()
    phase = IntegerField()
    queue = CharField(max_length=20)
    state = CharField(max_length=10)
    attempts = IntegerField(default=0)
    worker = CharField(max_length=100, default="")
    reason = TextField(default="")
    taken_at = TimestampField(null=True)
    finished_at = TimestampField(null=True)
    rows_written = BigIntegerField(default=0)
    rows_unchanged = BigIntegerField(default=0)
    tables = JSONField(default=dict)

    class Meta:
        table_name = "seed_task"
        indexes = ((("job", "stage", "start"), True),)
