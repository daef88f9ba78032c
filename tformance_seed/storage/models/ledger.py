"""The package's own tables: runs, their jobs and tasks, and the teams that the package manages."""

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    FloatField,
    IntegerField,
    Model,
    TextField,
)

from tformance_seed.storage.models.fields import BigIdentityField, JSONField, TimestampField, reference


class LedgerModel(Model):
    """Base class for the ledger's tables, ``seed_...``."""

    class Meta:
        legacy_table_names = False


class SeedRun(LedgerModel):
    """One seeding command: its time, its inputs (without secrets), and the ids of its jobs.

    Its status is that of its jobs. Two runs share a job if the second run resumes a job of the first.
    ``tokens`` counts what its requests to a language model spent, if that is limited.
    """

    id = AutoField()
    name = CharField(max_length=40, unique=True)
    parameters = JSONField(default=dict)
    jobs = JSONField(default=list)
    started_at = TimestampField()
    tokens = BigIntegerField(default=0)

    class Meta:
        table_name = "seed_run"


class SeedTeam(LedgerModel):
    """A team that the package created, or that it adopted at the user's request.

    ``slug`` is the organisation's, by which commands name it; ``team_slug`` is that of its team in the
    application. ``input_spec`` holds every input except the window. If it changes, the content would be
    different, so seeding starts over. It is NULL as long as nothing is seeded. ``team_created_at``
    distinguishes the team from a later team with the same id.
    ``max_ids_before_adoption`` holds the greatest id in each table at the time of adoption (NULL if the
    package created the team). Rows with ids up to these existed before and are never deleted. ``member_ids``
    holds the ids of the members that the package wrote, as ranges (NULL: not recorded, as before 0.3.0).
    ``source_state`` is the state in which the rows' source was when it was read last (NULL: not recorded).
    """

    team_id = BigIntegerField(primary_key=True)
    slug = CharField(max_length=50, unique=True)
    team_slug = CharField(max_length=50)
    team_created_at = TimestampField()
    created_here = BooleanField()
    max_ids_before_adoption = JSONField(null=True)
    member_ids = JSONField(null=True)
    input_spec = JSONField(null=True)
    source_state = JSONField(null=True)
    seeded_at = TimestampField(null=True)

    class Meta:
        table_name = "seed_team"


class SeedAccess(LedgerModel):
    """A row that the package wrote outside the application's tables that it seeds: a user, a membership.

    ``team_id`` is NULL for a row that is not of one team. ``name`` identifies such a row, a user's address or
    a flag's name, in case another program has reused its id.
    """

    id = BigIdentityField()
    row_table = CharField(max_length=63)
    row_id = BigIntegerField()
    team_id = BigIntegerField(null=True, index=True)
    name = CharField(max_length=254, default="")

    class Meta:
        table_name = "seed_access"
        indexes = ((("row_table", "row_id"), True),)


class SeedSummary(LedgerModel):
    """What came of asking a language model for the summary of a pull request.

    ``request`` is a digest of what was asked, and of which model; as long as it is the same, the answer is
    used again. ``summary`` is NULL unless ``outcome`` is "valid". ``run`` is the name of the run that asked,
    and the other numbers say what that cost.
    """

    id = BigIdentityField()
    organisation = CharField(max_length=50)
    repository = CharField(max_length=255)
    number = BigIntegerField()
    model = CharField(max_length=100)
    request = CharField(max_length=32)
    outcome = CharField(max_length=20)
    summary = JSONField(null=True)
    run = CharField(max_length=40, index=True)
    requests = IntegerField()
    prompt_tokens = IntegerField()
    completion_tokens = IntegerField()

    class Meta:
        table_name = "seed_summary"
        indexes = ((("organisation", "repository", "number"), True),)


class SeedJob(LedgerModel):
    """The work for one organisation, in phases; the tasks in a phase may run in parallel.

    ``fingerprint`` is a digest of everything that determines the content. ``plan`` is the data from which
    any process can restore the profile and the source. ``empty_tables`` lists the models for which the team
    had no rows when the job began.
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
    """A part of a job. Its completion is committed in the same transaction as its rows.

    A task covers ``limit`` items of its stage, starting at ``offset`` in the stage's own order. ``tables``
    maps a table's name to rows written, rows unchanged and seconds. ``seconds`` is the time that it took to
    make and write its rows, without waiting for its turn. ``attempts`` counts how many times the task was
    claimed.
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
    seconds = FloatField(default=0)

    class Meta:
        table_name = "seed_task"
        indexes = ((("job", "stage", "offset"), True),)
