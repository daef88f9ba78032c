"""Nothing is dated later than the window, or than now; a history can be moved, with all of its dates."""

import datetime
import json

import peewee
import pytest

import tformance_seed
from tests.support.commands import command
from tests.support.repositories import ANN, BOB, CARL, Workshop
from tests.support.seeds import UNTIL, content, seed
from tformance_seed import verification
from tformance_seed.canonical_json import json_text
from tformance_seed.errors import InputError
from tformance_seed.planning.plan import make_plans, restore
from tformance_seed.planning.request import Request
from tformance_seed.storage.models import (
    APPLICATION,
    Commit,
    Deployment,
    JiraIssue,
    PRCheckRun,
    PRReview,
    PRSurvey,
    PullRequest,
    Team,
    TeamMember,
)

DAY = datetime.timedelta(days=1)

#: A Wednesday's afternoon.
NOW = datetime.datetime(2025, 6, 11, 15, 30, tzinfo=datetime.UTC)


def latest(database: peewee.Database) -> dict[str, datetime.datetime]:
    """Return the latest moment in each column with dates or times; an expiry is in the future by nature."""
    found = {}
    for model in APPLICATION:
        for field in model._meta.sorted_fields:
            is_date = isinstance(field, peewee.DateField | peewee.DateTimeField)
            if not is_date or field is PRSurvey.token_expires_at:
                continue
            value = model.select(peewee.fn.MAX(field)).scalar()
            if isinstance(value, datetime.date):
                midnight = datetime.datetime.combine(value, datetime.time(), datetime.UTC)
                moment = value.astimezone(datetime.UTC) if isinstance(value, datetime.datetime) else midnight
                found[f"{model.__name__}.{field.name}"] = moment
    return found


@pytest.mark.parametrize("options", [{"members": 40}, {"scenario": "ai-success"}])
def test_nothing_is_later_than_the_window(database, options):
    report = seed(database, "posthog", **({"days": None} | options), until=UNTIL).reports[0]
    end = datetime.datetime.combine(report.until + DAY, datetime.time(), datetime.UTC)
    found = latest(database)
    assert len(found) > 40
    assert {name: moment for name, moment in found.items() if moment >= end} == {}
    near = [name for name, moment in found.items() if moment > end - 4 * DAY]
    assert len(near) > 20  # the window is full up to its end


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A history of ten weeks up to yesterday's ``NOW``, with a branch whose last commit has a wrong date."""
    workshop = Workshop(tmp_path_factory.mktemp("corp") / "app")
    for number in range(1, 71):
        when = f"{NOW - (71 - number) * DAY:%Y-%m-%d %H:%M}"
        workshop.commit(f"APP-{number}: change {number} (#{number})", when, (ANN, BOB, CARL)[number % 3])
    workshop.branch("wrong-clock")
    workshop.commit("From the future", f"{NOW - DAY:%Y-%m-%d %H:%M}", BOB, authored="2031-01-01 10:00")
    workshop.merge(
        "wrong-clock", message="Merge pull request #71 from bob/x", at=f"{NOW - DAY:%Y-%m-%d %H:%M}"
    )
    return workshop


def seed_clone(database, clone, **options):
    (report,) = tformance_seed.seed(database, repositories=[clone.path], adoption=0.8, **options).reports
    return report


def test_nothing_is_later_than_a_clone(database, clone):
    seed_clone(database, clone, days=60)
    found = latest(database)
    assert max(found.values()) == NOW - DAY == found["PullRequest.merged_at"]
    merged = Commit.get(Commit.message == "From the future")
    assert merged.committed_at == NOW - DAY
    assert verification.check(database, Team.get().id) == []


def test_nobody_is_a_member_before_the_first_commit_that_counts(database, tmp_path):
    workshop = Workshop(tmp_path / "app")
    workshop.commit("One (#1)", "2025-06-02 10:00")
    workshop.branch("wrong-clock")
    workshop.commit("From the future", "2025-06-03 09:00", BOB, authored="2031-01-01 10:00")
    workshop.merge("wrong-clock", message="Merge pull request #2 from bob/x", at="2025-06-03 10:00")
    workshop.commit("Three (#3)", "2025-06-05 10:00", "Eli Po <eli@corp.io>")
    seed_clone(database, workshop, until="2025-06-04")
    names = {row.display_name: row.created_at for row in TeamMember.select()}
    assert names.keys() == {"Ann Lee", "Bob Ray", "Carl Ek"}  # not Eli
    assert names["Bob Ray"] == datetime.datetime(2025, 6, 3, 9, tzinfo=datetime.UTC)
    assert max(latest(database).values()) < datetime.datetime(2025, 6, 5, tzinfo=datetime.UTC)


def test_the_window_ends_yesterday_by_default():
    (plan,) = make_plans(Request(), NOW)
    assert plan.profile.until == datetime.date(2025, 6, 10)
    assert plan.profile.end == NOW.replace(hour=0, minute=0, tzinfo=None)


@pytest.mark.parametrize("day", ["2025-06-11", "2025-06-12", "9999-12-31"])
@pytest.mark.parametrize("everything", [False, True])
def test_a_day_that_is_not_over_is_refused(day, everything):
    request = Request(until=datetime.date.fromisoformat(day), everything=everything)
    with pytest.raises(InputError) as refusal:
        make_plans(request, NOW)
    assert str(refusal.value) == (
        f"the window would end on {day}, not over yet in UTC; nothing is dated later than now: "
        "choose --until 2025-06-10 or earlier"
    )


def test_a_clone_of_this_morning_ends_with_its_last_commit(tmp_path):
    workshop = Workshop(tmp_path / "app")
    workshop.commit("One (#1)", "2025-06-09 10:00")
    workshop.commit("Two (#2)", "2025-06-11 10:00")
    (plan,) = make_plans(Request(repositories=[workshop.path]), NOW)
    assert (plan.profile.until, plan.source.total) == (NOW.date(), 2)
    assert str(plan.profile.end) == "2025-06-11T10:00:01"
    # Later commits change nothing about a window that they are not in.
    before = make_plans(Request(repositories=[workshop.path], until=NOW.date() - DAY), NOW)[0].profile
    assert str(before.end) == "2025-06-11T00:00:00"


def test_commits_dated_in_the_future_are_left_out_until_then(tmp_path):
    workshop = Workshop(tmp_path / "app")
    workshop.commit("One (#1)", "2025-06-09 10:00")
    workshop.commit("Two (#2)", "2025-06-11 18:00")
    (plan,) = make_plans(Request(repositories=[workshop.path]), NOW)
    assert (plan.profile.until, plan.source.total) == (NOW.date() - DAY, 1)
    with pytest.raises(InputError, match="choose --until 2025-06-10 or earlier"):
        make_plans(Request(repositories=[workshop.path], until=NOW.date()), NOW)
    (plan,) = make_plans(Request(repositories=[workshop.path]), NOW.replace(hour=18, minute=1))
    assert (plan.profile.until, plan.source.total) == (NOW.date(), 2)


#: What names a row, and a time of it.
MOMENTS = (
    (Commit.github_sha, Commit.committed_at),
    (PullRequest.github_pr_id, PullRequest.pr_created_at),
    (PullRequest.github_pr_id, PullRequest.merged_at),
    (PRReview.github_review_id, PRReview.submitted_at),
    (PRCheckRun.github_check_run_id, PRCheckRun.completed_at),
    (Deployment.github_deployment_id, Deployment.deployed_at),
    (PRSurvey.token, PRSurvey.author_responded_at),
    (JiraIssue.jira_id, JiraIssue.issue_created_at),
)


def moments(shift: datetime.timedelta = datetime.timedelta()) -> set[tuple]:
    """Return what names each row, with its times less ``shift``."""
    return {
        (str(moment), name, when - shift)
        for key, moment in MOMENTS
        for name, when in key.model.select(key, moment).where(moment.is_null(False)).tuples()
    }


def test_a_history_is_moved_by_whole_weeks(database, clone):
    seed_clone(database, clone, days=30)
    before, dates = moments(), latest(database)
    assert len({moment for moment, *_ in before}) == len(MOMENTS)
    target = datetime.date(2026, 3, 18)  # a Wednesday; the history ends on a Tuesday
    report = seed_clone(database, clone, days=30, shift_to=target)
    assert (report.until, report.shift_weeks) == (datetime.date(2026, 3, 17), 40)
    shift = datetime.timedelta(weeks=40)
    assert moments(shift) == before
    assert max(latest(database).values()) == max(dates.values()) + shift
    assert verification.check(database, Team.get().id) == []

    for day in (target, target + 5 * DAY):
        again = seed_clone(database, clone, days=30, shift_to=day)
        assert sum(result.written for result in again.tables.values()) == 0

    moved = seed_clone(database, clone, days=30, shift_to=target + 6 * DAY)
    assert (moved.until, moved.shift_weeks) == (datetime.date(2026, 3, 24), 41)
    assert moments(datetime.timedelta(weeks=41)) == before


def test_a_worker_restores_the_plan_of_a_moved_history(clone):
    request = Request(repositories=[clone.path], days=30, shift_to=datetime.date(2025, 5, 1))
    (plan,) = make_plans(request, NOW)
    record = json.loads(json_text(plan.record()))  # as the ledger returns it
    again = restore(record, plan.fingerprint())
    assert again.profile == plan.profile
    assert again.profile.shift_weeks == -6
    rows = [next(each.source.batches(0, 5)).commits["committed_at"] for each in (plan, again)]
    assert (rows[0] == rows[1]).all()
    assert rows[0].max() < plan.profile.end


def test_a_moved_history_is_the_same_in_both_databases(database, clone, tmp_path):
    seed_clone(database, clone, days=30, shift_to="2026-03-18")
    other = tformance_seed.connect(f"sqlite:///{tmp_path}/other.db")
    seed_clone(other, clone, days=30, shift_to="2026-03-18", chunk_size=20)
    assert content(database, "app") == content(other, "app")


def test_summary_and_report_say_that_a_history_was_moved(tmp_path, clone):
    database = f"sqlite:///{tmp_path}/moved.db"
    options = ("--repo", clone.path, "--days", "30", "--shift-to", "2026-03-18", "--database", database)
    said = "all dates of app were moved 40 weeks later: its history is of 2025-05-12 to 2025-06-10"
    assert said in command("seed", *options, "--dry-run").stdout
    assert said in command("seed", *options).stdout
    (seeded,) = json.loads(command("seed", *options, "--json").stdout)["organisations"]
    assert (seeded["shift_weeks"], seeded["until"]) == (40, "2026-03-17")
    found = json.loads(command("report", "--json", "--database", database).stdout)
    assert (said in found["notes"], found["usage"][0]["shift_weeks"]) == (True, 40)
    page = tmp_path / "page.html"
    command("report", "--html", page, "--database", database)
    assert f"{said[0].upper()}{said[1:]}." in page.read_text()


def test_a_move_beyond_the_calendar_or_of_generated_data_is_refused(clone):
    for day, message in {
        "9999-12-31": "choose --shift-to 2025-06-10 or earlier",
        "0001-01-01": "impossible window",
        "1960-01-01": "impossible window",
    }.items():
        request = Request(repositories=[clone.path], shift_to=datetime.date.fromisoformat(day))
        with pytest.raises(InputError, match=message):
            make_plans(request, NOW)
    with pytest.raises(InputError, match="--shift-to works only with --source git"):
        make_plans(Request(shift_to=UNTIL), NOW)
