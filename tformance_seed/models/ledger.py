"""The package's own tables: runs, what each covers, how far it got, and which teams are its own."""

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    DateField,
    Model,
    TextField,
)

from tformance_seed.models.fields import BigIdentityField, JSONField, TimestampField, reference


class LedgerModel(Model):
    """A table of the ledger, ``seed_...``."""

    class Meta:
        legacy_table_names = False


class SeedRun(LedgerModel):
    """One command that seeded: when, with which inputs (no secrets among them), how it ended."""

    id = AutoField()
    name = CharField(max_length=40, unique=True)
    state = CharField(max_length=10)
    parameters = JSONField(default=dict)
    reason = TextField(default="")
    started_at = TimestampField()
    finished_at = TimestampField(null=True)

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
    """One organisation of one run. The identity is a digest of everything that decides its content."""

    id = BigIdentityField()
    run = reference(SeedRun)
    organisation = CharField(max_length=50, index=True)
    identity = CharField(max_length=64)
    state = CharField(max_length=10)
    since = DateField()
    until = DateField()

    class Meta:
        table_name = "seed_job"


class SeedChunk(LedgerModel):
    """A piece of work that is done: committed in the same transaction as its rows.

    ``start`` and ``stop`` are places in the stage's own order; ``tables`` maps a table's name to rows
    written, rows unchanged and seconds.
    """

    id = BigIdentityField()
    job = reference(SeedJob)
    stage = CharField(max_length=30)
    start = BigIntegerField()
    stop = BigIntegerField()
    tables = JSONField()

    class Meta:
        table_name = "seed_chunk"
        indexes = ((("job", "stage", "start"), True),)
