"""The promises, on both databases: same content, nothing twice, nothing lost, no foreign data touched."""

import datetime
import threading
import time

import pytest

import tformance_seed
from tests.support.databases import connect
from tests.support.seeds import NOW, ORGANISATION, TEAM, UNTIL, content, rows_before, seed
from tformance_seed import ledger, metrics, verification
from tformance_seed.commands import maintain
from tformance_seed.errors import InputError
from tformance_seed.llm.language_model import LanguageModel
from tformance_seed.pipeline import aggregate
from tformance_seed.pipeline.job_context import JobContext
from tformance_seed.planning.plan import make_plans, restore
from tformance_seed.planning.request import Options, Request
from tformance_seed.storage.models import (
    APPLICATION,
    AIUsageDaily,
    Commit,
    CopilotSeatSnapshot,
    JiraIssue,
    PRFile,
    PRSurvey,
    PullRequest,
    SeedJob,
    SeedTeam,
    Team,
    TeamMember,
    WeeklyMetrics,
)


@pytest.fixture
def two_databases(tmp_path, postgresql_url):
    """The URLs of an SQLite and a PostgreSQL database, both empty."""
    return [f"sqlite:///{tmp_path}/one.db", postgresql_url]


def test_every_table_is_filled_and_every_invariant_holds(database):
    outcome = seed(database, days=60)
    assert outcome.failures == {}
    counts = {model.__name__: model.select().count() for model in APPLICATION}
    assert all(counts.values()), counts
    assert verification.check(database, Team.get().id) == []


def test_second_run_writes_nothing(database):
    first = seed(database)
    before = content(database)
    second = seed(database)
    assert sum(r.written for r in first.reports[0].tables.values()) > 1000
    assert {name: r.written for name, r in second.reports[0].tables.items() if r.written} == {}
    assert content(database) == before


def test_summaries_written_with_their_rows_equal_those_computed_from_the_database(url):
    database = connect(url)
    seed(database)
    team = SeedTeam.get().team_id
    midnight = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    window = (midnight, midnight + datetime.timedelta(days=9999))
    count = PullRequest.select().count()
    assert count > 100
    assert metrics.refresh_summaries(database, team, 0, 2**40, window) == (0, count)
    database.close()


def test_issues_written_with_their_pull_requests_equal_those_computed_from_the_database(database):
    """If no two share an issue, issues are derived from pull requests before those are in the database."""
    tformance_seed.seed(database, scenario="baseline", until=UNTIL)
    job = SeedJob.get()
    language_model = LanguageModel(lambda: False, threading.Event())
    context = JobContext(database, job, restore(job.plan, job.fingerprint), language_model)
    assert not context.source.shares_issues
    context.invalidate()  # the rows are there now
    results = {}
    aggregate.jira(context, 0, 1)(results)
    issues = results["metrics_jiraissue"]
    assert issues.written == 0
    assert issues.unchanged == JiraIssue.select().count() > 50


def test_no_worker_thread_outlives_its_command(database):
    seed(database)
    deadline = time.monotonic() + 5
    while any("Consumer" in type(thread).__name__ for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not any("Worker" in type(thread).__name__ for thread in threading.enumerate())


def test_content_is_the_same_on_every_database_and_for_every_chunk_size(two_databases):
    digests = set()
    for url in two_databases:
        database = connect(url)
        for size in (None, 100, 50_000):
            seed(database, chunk_size=size, clear=True)
            digests.add(content(database).digest)
        database.close()
    assert len(digests) == 1


def test_content_is_the_same_alone_or_together(database):
    seed(database)
    alone = content(database)
    seed(database, "resend", "polar", "dub", clear=True)
    assert content(database) == alone
    assert Team.select().count() == 3


def test_another_seed_gives_other_content(database):
    seed(database)
    before = content(database)
    seed(database, seed=43)
    after = content(database)
    assert before.tables["metrics_commit"]["digest"] != after.tables["metrics_commit"]["digest"]


@pytest.mark.parametrize("shift", [0, 5])
def test_a_window_that_slides_by_a_day_adds_that_day_and_changes_nothing_older(database, shift):
    exempt = {"WeeklyMetrics", "ReviewerCorrelation", "DailyInsight"}  # they summarise all rows
    models = [model for model in APPLICATION if model.__name__ not in exempt]
    day = datetime.timedelta(days=1)
    until = UNTIL - shift * day
    seed(database, until=until - day, days=30)
    before = {model: rows_before(model, until) for model in models}
    counts = {model: model.select().count() for model in models}
    seed(database, until=until, days=30)
    for model in models:
        after = rows_before(model, until)
        assert {key: after[key] for key in before[model]} == before[model], model
    assert PullRequest.select().count() > counts[PullRequest]
    assert AIUsageDaily.select().where(AIUsageDaily.date == until).count() > 0
    assert verification.check(database, Team.get().id) == []


def test_weekly_metrics_stay_right_when_windows_jump(database):
    for until, days in (("2026-01-15", 40), ("2026-01-16", 40), ("2026-01-30", 3)):
        seed(database, until=datetime.date.fromisoformat(until), days=days)
        assert verification.check(database, Team.get().id) == []


def test_windows_in_any_order_end_in_the_same_content(database):
    day = datetime.timedelta(days=1)
    for shift in (2, 1, 0):
        seed(database, until=UNTIL - shift * day, days=10)
    forward = {model: model.select().count() for model in (PullRequest, PRFile, Commit, AIUsageDaily)}
    tables = content(database).tables
    seed(database, until=UNTIL, days=12, clear=True)
    for model in forward:
        name = model._meta.table_name
        assert content(database).tables[name] == tables[name]


def test_other_inputs_start_over_and_leave_no_old_rows(database):
    seed(database, adoption=0.9, members=9)
    expected = content(database)
    seed(database, adoption=0.2, members=14, clear=True)
    report = seed(database, adoption=0.9, members=9).reports[0]
    assert report.started_over
    assert content(database) == expected


def test_ai_usage_is_the_same_when_members_come_one_at_a_time(database):
    for members in range(1, 6):
        seed(database, adoption=1.0, members=members)
    grown = content(database).tables["metrics_aiusagedaily"]
    seed(database, adoption=1.0, members=5, clear=True)
    assert content(database).tables["metrics_aiusagedaily"] == grown


def foreign_team(slug=TEAM):
    moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    stamps = {"created_at": moment, "updated_at": moment}
    team = Team.create(slug=slug, name="theirs", billing_details_last_changed=moment, **stamps)
    TeamMember.create(team=team, display_name="Theirs", github_id="1", email="a@example.com", **stamps)
    return team


def test_a_foreign_team_is_not_touched(database):
    foreign_team()
    with pytest.raises(InputError, match="did not create"):
        seed(database, "resend", ORGANISATION)
    assert Team.select().count() == 1
    assert TeamMember.select().count() == 1
    assert ledger.own_team(database, ORGANISATION) is None


def test_an_adopted_team_keeps_its_own_rows_when_cleared(database):
    team = foreign_team()
    seed(database, adopt=True)
    assert TeamMember.select().count() > 1
    assert Team.get().name == "theirs"
    ledger.clear_team(database, ledger.own_team(database, ORGANISATION))
    assert [member.display_name for member in TeamMember.select()] == ["Theirs"]
    assert Team.get().id == team.id
    assert PullRequest.select().count() == 0


def test_an_adopted_team_is_neither_cleared_nor_started_over_without_adopt(database):
    foreign_team()
    seed(database, adopt=True)
    before = content(database)
    with pytest.raises(InputError, match="whoever wrote it"):
        seed(database, seed=7, clear=True)
    outcome = seed(database, seed=7)
    assert "--adopt --clear" in outcome.failures[ORGANISATION]
    assert content(database) == before
    seed(database, seed=7, adopt=True, clear=True)
    assert content(database) != before
    assert "Theirs" in {member.display_name for member in TeamMember.select()}


def test_aggregates_from_before_an_adoption_stay(database):
    team = foreign_team()
    moment = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)
    stamps = {"created_at": moment, "updated_at": moment}
    theirs = WeeklyMetrics.create(
        team=team, member=TeamMember.get(), week_start=moment.date(), prs_merged=99, **stamps
    )
    seed(database, adopt=True)
    maintain.recompute_weekly(database, [ORGANISATION], None, None)
    assert WeeklyMetrics.get_by_id(theirs.id).prs_merged == 99
    assert verification.check(database, team.id) == []  # which leaves them alone, too


def test_only_seeded_pull_requests_get_issues(database):
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
    assert seed(database, adopt=True).failures == {}
    assert not JiraIssue.select().where(JiraIssue.jira_key == "THEIRS-1").exists()
    assert JiraIssue.select().exists()


def test_weekly_refuses_a_foreign_team(database):
    foreign_team()
    with pytest.raises(InputError, match="not created by this package"):
        maintain.recompute_weekly(database, [TEAM], None, None)


def test_weekly_after_seeding_writes_nothing(database):
    seed(database)
    results = maintain.recompute_weekly(database, [], None, None)
    assert results[ORGANISATION].written == 0
    assert results[ORGANISATION].unchanged > 10


def test_a_team_created_again_by_another_program_is_foreign(database):
    seed(database)
    entry = SeedTeam.get()
    ledger.delete_rows(database, entry)
    Team.delete().execute()
    foreign_team()
    with pytest.raises(InputError, match="did not create"):
        seed(database)


def test_clearing_removes_all_rows_of_that_team_and_no_others(database):
    seed(database, "resend", ORGANISATION)
    other = content(database, "resend")
    ledger.clear_team(database, ledger.own_team(database, ORGANISATION))
    assert [team.slug for team in Team.select()] == ["resend-demo"]
    assert content(database, "resend") == other
    team = Team.get()
    for model in APPLICATION:
        if model is not Team:
            assert model.select().where(model.team != team.id).count() == 0


def test_an_exact_number_of_pull_requests(database):
    seed(database, prs=137)
    assert PullRequest.select().count() == 137
    assert PullRequest.select().where(PullRequest.llm_summary.is_null()).count() == 0
    assert verification.check(database, Team.get().id) == []
    seed(database, prs=0)
    assert PullRequest.select().count() == 0
    assert WeeklyMetrics.select().count() == 0


def test_no_moment_lies_after_the_window(database):
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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"days": 0}, "--days 0: impossible window"),
        ({"days": 10**9}, "impossible window"),
        ({"members": 0}, "--members 0"),
        ({"prs": -1}, "--prs -1"),
        ({"adoption": 1.5}, "--adoption 1.5"),
        ({"scenario": "nonsense"}, "--scenario nonsense: no such scenario; expected one of ai-success"),
        ({"source": "nonsense"}, "--source nonsense"),
        ({"source": "git"}, "needs --repo"),
        ({"organisations": ["polr"]}, "no organisation 'polr' in the catalogue; did you mean polar"),
        ({"everything": True, "organisations": ["polar"]}, "cannot be combined"),
        ({"options": Options(chunk_size=0)}, "--chunk-size 0"),
        ({"emails": True}, "--emails works only with --source git"),
        ({"days": 400, "until": datetime.date(2015, 6, 1)}, "2015-01-01"),
    ],
)
def test_a_bad_request_is_refused_in_one_line(options, message):
    with pytest.raises(InputError) as refusal:
        make_plans(Request(**options), NOW)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_copilot_is_connected_only_where_it_is_used(database):
    seed(database, adoption=0.0)
    team = Team.get()
    assert (team.copilot_status, team.copilot_last_sync_at) == ("disabled", None)
    assert CopilotSeatSnapshot.select().count() == 0
    seed(database, adoption=0.9)
    team = Team.get()
    newest = CopilotSeatSnapshot.select().order_by(CopilotSeatSnapshot.date.desc()).get()
    assert (team.copilot_status, team.copilot_last_sync_at) == ("connected", newest.synced_at)
    users = TeamMember.select().where(TeamMember.copilot_last_activity_at.is_null(False)).count()
    assert 0 < users == newest.active_this_cycle < TeamMember.select().count()
