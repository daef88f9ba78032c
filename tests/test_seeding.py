"""The promises, on both databases: same content, nothing twice, nothing lost, nobody else's data touched."""

import contextlib
import datetime
import threading
import time

import pytest

from tformance_seed import database as databases
from tformance_seed import ledger, maintenance, metrics, planning, seeding, verify
from tformance_seed.errors import InputError, SeedError
from tformance_seed.ledger.jobs import SILENCE
from tformance_seed.models import (
    APPLICATION,
    AIUsageDaily,
    Commit,
    JiraIssue,
    PRFile,
    PRSurvey,
    PullRequest,
    SeedJob,
    SeedRun,
    SeedTask,
    SeedTeam,
    Team,
    TeamMember,
    WeeklyMetrics,
)
from tformance_seed.planning import Options
from tformance_seed.schema import prepare
from tformance_seed.stages import aggregates, loading
from tformance_seed.stages.work import Work
from tformance_seed.workers import local
from tformance_seed.workers.crew import Crew

UNTIL = datetime.date(2026, 3, 18)
ORGANISATION = "polar"


def seed(database, *organisations, options=None, until=UNTIL, days=21, progress=lambda _: None, **wishes):
    """Seed a small organisation as the command does; returns the outcome."""
    request = planning.Request(
        organisations=organisations or (ORGANISATION,),
        days=days,
        until=until,
        options=options or Options(),
        **wishes,
    )
    with local.crew(database) as crew:
        return seeding.run(database, crew, request, planning.plan(request, until), progress)


def content(database, slug=ORGANISATION):
    return verify.digest(database, Team.get(Team.slug == slug).id)


def opened(url):
    return databases.connect(url)


@pytest.fixture
def two_databases(tmp_path, postgresql_url):
    """Opens SQLite and PostgreSQL in turn: models are bound to one database at a time."""
    return [f"sqlite:///{tmp_path}/one.db", postgresql_url]


def test_every_table_is_filled_and_every_invariant_holds(database):
    outcome = seed(database, days=60)
    assert outcome.failures == {}
    counts = {model.__name__: model.select().count() for model in APPLICATION}
    assert all(counts.values()), counts
    assert verify.check(database, Team.get().id) == []


def test_second_run_writes_nothing(database):
    first = seed(database)
    before = content(database)
    second = seed(database)
    assert sum(r.written for r in first.reports[0].tables.values()) > 1000
    assert {name: r.written for name, r in second.reports[0].tables.items() if r.written} == {}
    assert content(database) == before


def test_summaries_that_come_with_their_rows_are_those_that_the_database_tells(url):
    database = opened(url)
    seed(database)
    team = Team.get(Team.slug == ORGANISATION).id
    midnight = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    window = (midnight, midnight + datetime.timedelta(days=9999))
    count = PullRequest.select().count()
    assert count > 100
    assert metrics.summarise(database, team, 0, 2**40, window) == (0, count)
    database.close()


def test_second_run_locks_no_row(postgresql_url):
    database = opened(postgresql_url)

    def marks():  # whoever locks a row leaves a mark on it
        each = "SELECT coalesce(sum(xmax::text::bigint), 0), count(*) FROM {}"
        return {
            model.__name__: database.execute_sql(each.format(model._meta.table_name)).fetchone()
            for model in APPLICATION
        }

    seed(database)
    before = marks()
    assert before["WeeklyMetrics"][1] > 50
    seed(database)
    assert marks() == before
    database.close()


def test_issues_that_come_with_pull_requests_are_what_those_say(database):
    """Where no two share an issue, they are made of the pull requests before those are in the database."""
    seed(database)
    job = SeedJob.get()
    work = Work(database, job, planning.restore(job.plan, job.identity))
    assert not work.source.shares_issues
    work.doubt()  # the rows are there now
    results = {}
    aggregates.jira(work, 0, 1)(results)
    issues = results["metrics_jiraissue"]
    assert issues.written == 0
    assert issues.unchanged == JiraIssue.select().count() > 50


def test_nothing_is_left_of_a_command_s_own_workers(database):
    seed(database)
    deadline = time.monotonic() + 5
    while any("Consumer" in type(thread).__name__ for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not any("Worker" in type(thread).__name__ for thread in threading.enumerate())


#: Tables whose rows one task brings up to date.
FIGURES = {
    "metrics_copilotseatsnapshot",
    "metrics_copilotlanguagedaily",
    "metrics_copiloteditordaily",
    "metrics_reviewercorrelation",
    "metrics_dailyinsight",
}


def test_a_run_that_another_version_began_is_begun_anew(url, monkeypatch):
    database = opened(url)
    monkeypatch.setattr(ledger.jobs, "PLAN_VERSION", 1)
    with monkeypatch.context() as patched:
        patched.setattr(metrics, "insights", lambda *_: 1 / 0)
        assert seed(database).failures
    monkeypatch.undo()
    outcome = seed(database)
    assert outcome.failures == {}
    assert not outcome.reports[0].resumed
    assert {name for name, r in outcome.reports[0].tables.items() if r.written} == FIGURES
    database.close()


def test_second_run_moves_no_statistics_of_postgresql(server, application_url):
    database = opened(application_url)

    def statistics():
        database.execute_sql("SELECT pg_stat_force_next_flush()")
        database.close()
        time.sleep(0.3)
        database.connect()
        return server.execute(
            "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables "
            "WHERE relname NOT LIKE 'seed_%' ORDER BY 1",
            application_url,
        )

    seed(database)
    before = statistics()
    assert {row[0]: row[1] for row in before}["metrics_prfile"] > 100
    seed(database)
    seed(database, options=Options(chunk_size=50))
    assert statistics() == before


def test_content_is_the_same_on_every_database_and_for_every_chunk_size(two_databases):
    digests = set()
    for url in two_databases:
        database = opened(url)
        for size in (None, 100, 50_000):
            seed(database, options=Options(chunk_size=size, clear=True))
            digests.add(content(database).digest)
        database.close()
    assert len(digests) == 1


def test_content_is_the_same_alone_or_together(database):
    seed(database)
    alone = content(database)
    seed(database, "resend", "polar", "dub", options=Options(clear=True))
    assert content(database) == alone
    assert Team.select().count() == 3


def test_another_seed_gives_other_content(database):
    seed(database)
    before = content(database)
    seed(database, seed=43)
    after = content(database)
    assert before.tables["metrics_commit"]["digest"] != after.tables["metrics_commit"]["digest"]


def rows(model, where=None):
    names = [field.column_name for field in model._meta.sorted_fields]
    query = model.select().where(
        model.created_at < datetime.datetime.combine(UNTIL, datetime.time(), datetime.UTC)
    )
    return {row[0]: dict(zip(names, row, strict=True)) for row in query.tuples()}


def test_a_window_that_slides_by_a_day_adds_that_day_and_changes_nothing_older(database):
    exempt = {"WeeklyMetrics", "ReviewerCorrelation", "DailyInsight"}  # they sum up what is there
    models = [model for model in APPLICATION if model.__name__ not in exempt]
    day = datetime.timedelta(days=1)
    seed(database, until=UNTIL - day, days=30)
    before = {model: rows(model) for model in models}
    counts = {model: model.select().count() for model in models}
    seed(database, until=UNTIL, days=30)
    for model in models:
        after = rows(model)
        assert {key: after[key] for key in before[model]} == before[model], model
    assert PullRequest.select().count() > counts[PullRequest]
    assert AIUsageDaily.select().where(AIUsageDaily.date == UNTIL).count() > 0
    assert verify.check(database, Team.get().id) == []


def test_weekly_metrics_stay_right_when_windows_jump(database):
    for until, days in (("2026-01-15", 40), ("2026-01-16", 40), ("2026-01-30", 3)):
        seed(database, until=datetime.date.fromisoformat(until), days=days)
        assert verify.check(database, Team.get().id) == []


def test_windows_in_any_order_end_in_the_same_content(database):
    day = datetime.timedelta(days=1)
    for shift in (2, 1, 0):
        seed(database, until=UNTIL - shift * day, days=10)
    forward = {model: model.select().count() for model in (PullRequest, PRFile, Commit, AIUsageDaily)}
    tables = content(database).tables
    seed(database, until=UNTIL, days=12, options=Options(clear=True))
    for model in forward:
        name = model._meta.table_name
        assert content(database).tables[name] == tables[name]


def test_other_inputs_start_over_and_leave_nothing_of_the_old(database):
    seed(database, adoption=0.9, members=9)
    expected = content(database)
    seed(database, adoption=0.2, members=14, options=Options(clear=True))
    report = seed(database, adoption=0.9, members=9).reports[0]
    assert report.started_over
    assert content(database) == expected


def test_ai_usage_is_the_same_when_members_come_one_at_a_time(database):
    for members in range(1, 6):
        seed(database, adoption=1.0, members=members)
    grown = content(database).tables["metrics_aiusagedaily"]
    seed(database, adoption=1.0, members=5, options=Options(clear=True))
    assert content(database).tables["metrics_aiusagedaily"] == grown


class CrashError(BaseException):
    """Stands in for the death of a process at a chosen moment."""


@contextlib.contextmanager
def breaking_off(monkeypatch, after):
    """Lets so many tasks be done and breaks off in the transaction of the next; yields who looks on."""
    complete, left, crashed = ledger.complete, [after], []

    def break_off(task, results, phase):
        if left[0] <= 0:
            crashed.append(task)
            raise CrashError
        left[0] -= 1
        return complete(task, results, phase)

    def look(_status):
        if crashed:
            raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "complete", break_off)
        yield look


def moments_of_finished_tasks():
    done = SeedTask.select(SeedTask.id, SeedTask.finished_at).where(SeedTask.state == ledger.DONE)
    return dict(done.tuples())


@pytest.mark.parametrize("share", [0.01, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_run_that_breaks_off_goes_on_without_redoing_finished_tasks(database, share, monkeypatch):
    options = Options(chunk_size=400)
    seed(database, options=options)
    expected, in_all = content(database), SeedTask.select().count()
    ledger.clear_team(ledger.own_team(ORGANISATION))
    with breaking_off(monkeypatch, after=max(1, int(share * in_all))) as look, pytest.raises(CrashError):
        seed(database, options=options, progress=look)
    finished = moments_of_finished_tasks()
    assert finished
    outcome = seed(database, options=options)
    assert outcome.reports[0].resumed
    assert finished.items() <= moments_of_finished_tasks().items()
    assert content(database) == expected


def test_rows_that_somebody_writes_after_a_job_began_are_met_all_the_same(database, monkeypatch):
    """The job takes its tables for empty, so that COPY goes straight in, and is refused."""
    seed(database)
    expected = content(database)
    PRFile.update(additions=PRFile.additions + 1).where(PRFile.additions > 2).execute()
    models = [model.__name__ for model in APPLICATION]
    monkeypatch.setattr(loading, "_empty", lambda _database, _team: models)
    outcome = seed(database, options=Options(chunk_size=400))
    assert not outcome.failures
    assert content(database) == expected


def test_going_on_with_another_chunk_size_ends_the_same(database, monkeypatch):
    seed(database, options=Options(chunk_size=300))
    expected = content(database)
    ledger.clear_team(ledger.own_team(ORGANISATION))
    with breaking_off(monkeypatch, after=3) as look, pytest.raises(CrashError):
        seed(database, options=Options(chunk_size=300), progress=look)
    assert seed(database, options=Options(chunk_size=70)).reports[0].resumed
    assert content(database) == expected


@pytest.mark.parametrize("stage", ["pull_requests", "weekly"])
def test_a_run_that_breaks_off_before_it_sends_what_follows_goes_on(database, monkeypatch, stage):
    """A phase has begun in the ledger, and nobody was told of its tasks."""
    seed(database)
    expected = content(database)
    ledger.clear_team(ledger.own_team(ORGANISATION))
    send, lost = Crew.send, []

    def break_off(self, tasks, *patience):
        tasks = list(tasks)
        if any(key.stage == stage for _, key in tasks):
            lost.extend(tasks)
            raise CrashError
        send(self, tasks, *patience)

    def look(_status):
        if lost:
            raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(Crew, "send", break_off)
        with pytest.raises(CrashError):
            seed(database, progress=look)
    finished = moments_of_finished_tasks()
    assert seed(database).reports[0].resumed
    assert finished.items() <= moments_of_finished_tasks().items()
    assert content(database) == expected


def test_tasks_that_end_at_once_see_each_other_whatever_isolation_is_the_default(postgresql_url):
    seen = "&" if "?" in postgresql_url else "?"
    strict = f"{postgresql_url}{seen}options=-c%20default_transaction_isolation%3Dserializable"
    with contextlib.closing(opened(strict)) as database:
        assert database.execute_sql("SHOW transaction_isolation").fetchone() == ("serializable",)
        outcome = seed(database, ORGANISATION, "resend", options=Options(chunk_size=300))
    assert not outcome.failures


def busy(database, **wishes):
    """Another process seeds the organisation: its run is in the ledger and has just been heard of."""
    request = planning.Request(organisations=(ORGANISATION,), days=21, until=UNTIL, **wishes)
    (item,) = planning.plan(request, UNTIL)
    prepare(database)
    plan = item.record() | {"summaries_apart": False}
    opened, _ = ledger.open_jobs([ledger.Wanted(item.slug, item.identity(), plan, anew=False)])
    return ledger.start_run({}, [each.job for each in opened.values()])


def test_two_runs_with_other_inputs_do_not_meet(database):
    theirs = busy(database, seed=7)
    outcome = seed(database, ORGANISATION, "resend")
    assert "another run is seeding polar" in outcome.failures[ORGANISATION]
    assert f"tformance-seed cancel {theirs.name}" in outcome.failures[ORGANISATION]
    assert [report.organisation for report in outcome.reports] == ["resend"]
    ledger.cancel(theirs)
    assert seed(database).failures == {}


def test_a_second_run_with_the_same_inputs_goes_on_with_the_first_ones_work(database):
    theirs = busy(database)
    outcome = seed(database)
    assert outcome.reports[0].resumed
    assert ledger.status(theirs).state == "finished"


def test_a_run_of_which_nothing_was_heard_for_long_is_taken_to_be_dead(database):
    theirs = busy(database, seed=7)
    SeedJob.update(created_at=ledger.now() - 2 * SILENCE).execute()
    assert seed(database).failures == {}
    assert ledger.status(theirs).state == "superseded"


def test_neither_clear_nor_weekly_meddles_with_a_run(database):
    seed(database)
    theirs = busy(database)
    for command in (
        lambda: maintenance.recompute_weekly(database, [ORGANISATION], None, None),
        lambda: maintenance.clear_teams(database, [ORGANISATION], wait=False),
    ):
        with pytest.raises(SeedError, match="another run is seeding polar"):
            command()
    ledger.cancel(theirs)
    assert maintenance.clear_teams(database, [ORGANISATION], wait=False)[ORGANISATION]


def foreign_team(slug=ORGANISATION):
    moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    stamps = {"created_at": moment, "updated_at": moment}
    team = Team.create(slug=slug, name="theirs", billing_details_last_changed=moment, **stamps)
    TeamMember.create(team=team, display_name="Theirs", github_id="1", email="a@example.com", **stamps)
    return team


def test_somebody_elses_team_is_not_touched(database):
    foreign_team()
    with pytest.raises(InputError, match="did not make"):
        seed(database, "resend", ORGANISATION)
    assert Team.select().count() == 1
    assert TeamMember.select().count() == 1
    assert ledger.own_team(ORGANISATION) is None


def test_an_adopted_team_keeps_its_own_rows_when_cleared(database):
    team = foreign_team()
    seed(database, options=Options(adopt=True))
    assert TeamMember.select().count() > 1
    assert Team.get().name == "theirs"
    ledger.clear_team(ledger.own_team(ORGANISATION))
    assert [member.display_name for member in TeamMember.select()] == ["Theirs"]
    assert Team.get().id == team.id
    assert PullRequest.select().count() == 0


def test_an_adopted_team_is_neither_cleared_nor_started_over_unasked(database):
    foreign_team()
    seed(database, options=Options(adopt=True))
    before = content(database)
    with pytest.raises(InputError, match="whoever wrote it"):
        seed(database, seed=7, options=Options(clear=True))
    outcome = seed(database, seed=7)
    assert "--adopt --clear" in outcome.failures[ORGANISATION]
    assert content(database) == before
    seed(database, seed=7, options=Options(adopt=True, clear=True))
    assert content(database) != before
    assert "Theirs" in {member.display_name for member in TeamMember.select()}


def test_aggregates_that_an_adopted_team_had_stay(database):
    team = foreign_team()
    moment = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)
    stamps = {"created_at": moment, "updated_at": moment}
    theirs = WeeklyMetrics.create(
        team=team, member=TeamMember.get(), week_start=moment.date(), prs_merged=99, **stamps
    )
    seed(database, options=Options(adopt=True))
    maintenance.recompute_weekly(database, [ORGANISATION], None, None)
    assert WeeklyMetrics.get_by_id(theirs.id).prs_merged == 99


def test_issues_are_made_for_seeded_pull_requests_alone(database):
    team = foreign_team()
    moment = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)
    PullRequest.create(
        team=team,
        github_pr_id=1,
        github_repo="their/own",
        state="open",
        jira_key="THEIRS-1",
        created_at=moment,
        updated_at=moment,
        synced_at=moment,
    )
    assert seed(database, options=Options(adopt=True)).failures == {}
    assert not JiraIssue.select().where(JiraIssue.jira_key == "THEIRS-1").exists()
    assert JiraIssue.select().exists()


def test_weekly_leaves_somebody_elses_team_alone(database):
    foreign_team()
    with pytest.raises(InputError, match="not made by this package"):
        maintenance.recompute_weekly(database, [ORGANISATION], None, None)


def test_weekly_after_seeding_writes_nothing(database):
    seed(database)
    results = maintenance.recompute_weekly(database, [], None, None)
    assert results[ORGANISATION].written == 0
    assert results[ORGANISATION].unchanged > 10


def test_a_team_that_vanished_in_mid_run_is_seeded_anew(database, monkeypatch):
    with breaking_off(monkeypatch, after=2) as look, pytest.raises(CrashError):
        seed(database, options=Options(chunk_size=300), progress=look)
    ledger.delete_rows(SeedTeam.get())
    Team.delete().execute()
    SeedJob.update(created_at=ledger.now() - 2 * SILENCE).execute()
    SeedTask.update(taken_at=None, finished_at=None).execute()
    outcome = seed(database, options=Options(chunk_size=300))
    assert outcome.failures == {}
    assert verify.check(database, Team.get().id) == []


def test_a_team_made_anew_by_somebody_else_is_theirs(database):
    seed(database)
    entry = SeedTeam.get()
    ledger.delete_rows(entry)
    Team.delete().execute()
    foreign_team()
    with pytest.raises(InputError, match="did not make"):
        seed(database)


def test_clearing_removes_everything_of_that_team_alone(database):
    seed(database, "resend", ORGANISATION)
    other = content(database, "resend")
    ledger.clear_team(ledger.own_team(ORGANISATION))
    assert [team.slug for team in Team.select()] == ["resend"]
    assert content(database, "resend") == other
    team = Team.get()
    for model in APPLICATION:
        if model is not Team:
            assert model.select().where(model.team != team.id).count() == 0


def test_an_exact_number_of_pull_requests(database):
    seed(database, prs=137)
    assert PullRequest.select().count() == 137
    assert PullRequest.select().where(PullRequest.llm_summary.is_null()).count() == 0
    assert verify.check(database, Team.get().id) == []
    seed(database, prs=0)
    assert PullRequest.select().count() == 0
    assert WeeklyMetrics.select().count() == 0


def test_nothing_lies_in_the_future_of_the_window(database):
    seed(database)
    end = datetime.datetime.combine(UNTIL + datetime.timedelta(days=1), datetime.time(), datetime.UTC)
    for model in APPLICATION:
        for field in model._meta.sorted_fields:
            if (
                field.field_type == "TIMESTAMPTZ"
                and model is not WeeklyMetrics
                and "expires" not in field.name
            ):
                assert model.select().where(field >= end).count() == 0, field
    assert PRSurvey.select().count() > 0


def test_a_failed_database_says_what_is_safe(server, application_url):
    database = opened(application_url)
    server.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON metrics_aiusagedaily EXECUTE FUNCTION refuse()",
        application_url,
    )
    outcome = seed(database)
    assert "no room. What was committed is safe; the server's disk is full" in outcome.failures[ORGANISATION]
    assert PullRequest.select().count() > 0
    server.execute("DROP TRIGGER refuse ON metrics_aiusagedaily", application_url)
    assert seed(database).reports[0].resumed


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"days": 0}, "--days 0: impossible window"),
        ({"days": 10**9}, "impossible window"),
        ({"members": 0}, "--members 0"),
        ({"prs": -1}, "--prs -1"),
        ({"adoption": 1.5}, "--adoption 1.5"),
        ({"scenario": "nonsense"}, "--scenario nonsense: want one of ai-success"),
        ({"source": "nonsense"}, "--source nonsense"),
        ({"source": "git"}, "needs --repo"),
        ({"organisations": ["polr"]}, "no organisation 'polr' in the catalogue; did you mean polar"),
        ({"everything": True, "organisations": ["polar"]}, "do not go together"),
        ({"options": Options(chunk_size=0)}, "--chunk-size 0"),
        ({"emails": True}, "--emails goes with --source git"),
        ({"days": 400, "until": datetime.date(2015, 6, 1)}, "2015-01-01"),
    ],
)
def test_bad_wishes_are_refused_in_one_line(wishes, words):
    with pytest.raises(InputError) as refusal:
        planning.plan(planning.Request(**wishes), UNTIL)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_connection_that_is_lost_is_made_again(server, application_url):
    """Every connection is cut while the work goes on; each task is tried again."""
    database = opened(application_url)
    name = application_url.split("/")[3].split("?")[0]
    cuts = []

    def cut(status):
        if len(cuts) < 2 and len(cuts) < sum(stage.done for job in status.jobs for stage in job.stages):
            end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            cuts.append(server.execute(end))

    seed(database, options=Options(chunk_size=300))
    expected = content(database)
    ledger.clear_team(ledger.own_team(ORGANISATION))
    assert seed(database, options=Options(chunk_size=300), progress=cut).failures == {}
    assert cuts
    assert content(database) == expected


def test_a_ledger_of_an_older_version_makes_room(database):
    seed(database)
    expected = content(database)
    database.drop_tables([SeedTask])
    database.execute_sql("ALTER TABLE seed_job ADD COLUMN since DATE")
    again = seed(database)
    assert sum(result.written for result in again.reports[0].tables.values()) == 0
    assert content(database) == expected
    assert SeedRun.select().count() == 1
