"""From GitHub all the way into both databases."""

import datetime
from pathlib import Path
from typing import Any

import peewee
import pytest

from tests.support.databases import connect
from tests.support.github.old_caches import entry, write
from tests.support.github.samples import acme
from tests.support.github.server import GitHub
from tests.support.github.world import ANN, BOB, CODERABBIT, DEPENDABOT, EVE, World, bot, user
from tests.support.seeds import content, rows_before
from tests.support.seeds import seed as seed_organisations
from tformance_seed import verification
from tformance_seed.commands.seed import Outcome
from tformance_seed.errors import InputError
from tformance_seed.storage.models import (
    APPLICATION,
    Commit,
    Deployment,
    JiraIssue,
    PRCheckRun,
    PRComment,
    PRFile,
    PRReview,
    PRSurvey,
    PullRequest,
    Team,
    TeamMember,
    WeeklyMetrics,
)

UNTIL = datetime.date(2026, 2, 10)

#: What is recomputed as a whole, and not a day's.
AGGREGATES = {"WeeklyMetrics", "ReviewerCorrelation", "DailyInsight", "JiraIssue"}


@pytest.fixture
def from_github(github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that seeds ``acme`` from our GitHub."""
    for name, value in github.environment.items():
        monkeypatch.setenv(name, value)

    def seed(database: peewee.Database, **options: Any) -> Outcome:
        return seed_organisations(
            database,
            "acme",
            **{"source": "github", "cache_dir": tmp_path / "cache", "until": UNTIL, "days": 40} | options,
        )

    return seed


@pytest.fixture
def busy(github: GitHub) -> World:
    """A GitHub with two repositories in which most things occur."""
    github.world = acme()
    return github.world


def test_an_organisation_agrees_with_itself(database, busy, from_github) -> None:
    report = from_github(database).reports[0]
    assert (report.organisation, report.pull_requests) == ("acme", 50)
    team = Team.get()
    assert (team.slug, team.name) == ("acme", "Acme Rockets")
    assert verification.check(database, team.id) == []
    counts = {model: model.select().count() for model in (PRReview, PRCheckRun, PRComment, Deployment)}
    assert all(count > 9 for count in counts.values()), counts
    for model in (PRSurvey, JiraIssue, WeeklyMetrics):
        assert model.select().count() > 5, model
    again = from_github(database).reports[0]
    assert {name: result.written for name, result in again.tables.items() if result.written} == {}


def test_content_is_the_same_on_both_databases_whenever_it_was_fetched(
    tmp_path, postgresql_url, busy, from_github
) -> None:
    digests = []
    for url, chunk_size in ((f"sqlite:///{tmp_path}/a.db", 200), (postgresql_url, 50_000)):
        database = connect(url)
        from_github(database, chunk_size=chunk_size, cache_dir=tmp_path / f"cache{chunk_size}")
        digests.append(content(database, "acme").digest)
        database.close()
        late = busy.pull_request("acme/api", 900, "2026-03-01 10:00", merged="2026-03-02 10:00")
        late["reviews"].append(busy.review(EVE, "2026-03-01 11:00"))
        revived = busy.repositories["acme/api"]["pullRequests"][3]
        revived |= {"updatedAt": "2026-03-04T10:00:00Z"}
        revived["comments"].append(busy.comment(EVE, "2026-03-04 10:00"))
    assert digests[0] == digests[1]


def test_one_more_day_changes_nothing_older(database, busy, from_github) -> None:
    from_github(database)
    models = [model for model in APPLICATION if model.__name__ not in AGGREGATES]
    before = {model: rows_before(model, UNTIL) for model in models}
    from_github(database, until=UNTIL + datetime.timedelta(days=1), days=41)
    for model in models:
        after = rows_before(model, UNTIL)
        kept = {row for row, values in before[model].items() if after.get(row) == values}
        left = before[model].keys() - kept
        opened = {row for row in left if before[model][row].get("state") == "open"}
        assert left == opened, model  # an open one may have ended
    assert verification.check(database, Team.get().id) == []


def test_a_window_that_grew_day_by_day_is_the_one_that_was_seeded_at_once(
    tmp_path, busy, from_github
) -> None:
    slow, quick = (connect(f"sqlite:///{tmp_path}/{name}.db") for name in ("slow", "quick"))
    for day in (20, 27, 33, 40):
        from_github(slow, until=UNTIL - datetime.timedelta(days=40 - day), days=day)
    from_github(quick)
    tables = [content(database, "acme").tables for database in (slow, quick)]
    differing = {name for name in tables[0] if tables[0][name] != tables[1][name]}
    assert differing <= {"metrics_dailyinsight", "metrics_copilotseatsnapshot"}
    slow.close()
    quick.close()


def test_what_ended_later_is_open_when_the_window_ends(database, github, world, from_github) -> None:
    made = world.pull_request("acme/api", 1, "2026-02-08 10:00", merged="2026-02-12 10:00")
    made["commits"] += [{"commit": world.commit("Later", "2026-02-11 10:00", ANN)}]
    made["reviews"] += [world.review(BOB, "2026-02-09 10:00"), world.review(BOB, "2026-02-11 10:00")]
    made["comments"] += [world.comment(ANN, "2026-02-09 11:00"), world.comment(ANN, "2026-02-12 11:00")]
    head = made["commits"][0]["commit"]
    late, early = (
        world.check_run("late", "2026-02-10 23:59", seconds=600),
        world.check_run("x", "2026-02-09 10:00"),
    )
    made["commits"].append(made["commits"].pop(0))
    world.checks(head, late, early)
    world.pull_request("acme/api", 2, "2026-02-11 10:00")
    from_github(database)
    (found,) = PullRequest.select()
    assert (found.state, found.merged_at, found.synced_at.day) == ("open", None, 9)
    assert (Commit.select().count(), PRReview.select().count(), PRComment.select().count()) == (1, 1, 1)
    runs = {run.name: (run.status, run.conclusion, run.completed_at is None) for run in PRCheckRun.select()}
    assert runs == {"late": ("in_progress", None, True), "x": ("completed", "success", False)}
    assert verification.check(database, Team.get().id) == []
    from_github(database, until=datetime.date(2026, 2, 13), days=43)
    assert {row.github_pr_id: row.state for row in PullRequest.select()} == {1: "merged", 2: "open"}
    assert verification.check(database, Team.get().id) == []


def test_repositories_share_numbers(database, world, from_github) -> None:
    for name in ("acme/api", "acme/web"):
        world.pull_request(name, 7, "2026-02-01 10:00", merged="2026-02-02 10:00", title=f"In {name}")
    from_github(database)
    assert {row.github_repo: row.title for row in PullRequest.select()} == {
        "acme/api": "In acme/api",
        "acme/web": "In acme/web",
    }
    assert PRFile.select().count() == 2


def test_jira_keys_come_from_title_or_branch(database, world, from_github) -> None:
    for number, title, branch in (
        (1, "ABC-1: do", "XYZ-9-do"),
        (2, "Do", "feature/XYZ-9-do"),
        (3, "Do", "abc-1"),
    ):
        world.pull_request(
            "acme/api", number, "2026-02-01 10:00", merged="2026-02-02 10:00", title=title, headRefName=branch
        )
    from_github(database)
    keys = {row.github_pr_id: row.jira_key for row in PullRequest.select()}
    assert (keys[1], keys[2]) == ("ABC-1", "XYZ-9")
    assert keys[3] not in ("ABC-1", "abc-1")


def test_ids_of_members_are_those_of_their_accounts(database, world, from_github) -> None:
    made = world.pull_request("acme/api", 1, "2026-02-01 10:00", merged="2026-02-02 10:00", author=ANN)
    made["reviews"].append(world.review(BOB, "2026-02-01 12:00"))
    from_github(database)
    members = {row.github_username: (row.github_id, row.display_name) for row in TeamMember.select()}
    assert members == {"ann": ("11", "Ann Lee"), "bobray": ("1234", "Bob Ray")}
    assert (PullRequest.get().author.github_id, PRReview.get().reviewer.github_id) == ("11", "1234")


def test_every_value_is_a_legal_choice(database, world, from_github) -> None:
    made = world.pull_request("acme/api", 1, "2026-02-01 10:00", merged="2026-02-02 10:00")
    made["files"] = [
        world.file(change.lower(), change)
        for change in ("ADDED", "CHANGED", "COPIED", "DELETED", "MODIFIED", "RENAMED")
    ]
    made["reviews"] = [
        world.review(BOB, "2026-02-01 11:00", state)
        for state in ("APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED")
    ]
    runs = [
        world.check_run(name, "2026-02-01 10:00", name)
        for name in ("STARTUP_FAILURE", "STALE", "ACTION_REQUIRED", "NEUTRAL", "TIMED_OUT")
    ]
    for state in ("QUEUED", "REQUESTED", "WAITING", "PENDING"):
        runs.append(world.check_run(state, "2026-02-01 10:00", None) | {"status": state})
    world.checks(made["commits"][0]["commit"], *runs)
    for state in ("ABANDONED", "DESTROYED", "INACTIVE", "IN_PROGRESS", "WAITING", "ERROR"):
        world.deployment(made["mergeCommit"], "2026-02-02 11:00", "staging-eu", state)
    from_github(database)
    assert verification.check(database, Team.get().id) == []
    assert {row.filename: row.status for row in PRFile.select()} == {
        "added": "added",
        "changed": "modified",
        "copied": "added",
        "deleted": "removed",
        "modified": "modified",
        "renamed": "renamed",
    }
    states = [row.state for row in PRReview.select().order_by(PRReview.github_review_id)]
    assert states == ["approved", "changes_requested", "commented", "commented"]
    assert {row.conclusion for row in PRCheckRun.select()} >= {"failure", "stale", "action_required", None}
    assert {row.environment for row in Deployment.select()} == {"staging"}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (None, {"ann", "bobray"}),
        ("authors", {"ann"}),
        ("reviewers", {"bobray"}),
        ("authors,reviewers", {"ann", "bobray"}),
        ("all", {"ann", "bobray", "eve", "drive-by"}),
    ],
)
def test_who_only_commented_is_no_member_unless_asked_for(
    tmp_path, world, from_github, kinds, expected
) -> None:
    made = world.pull_request("acme/api", 1, "2026-02-01 10:00", merged="2026-02-02 10:00")
    made["reviews"] += [
        world.review(BOB, "2026-02-01 12:00"),
        world.review(user("drive-by", 77), "2026-02-01 12:00", "COMMENTED", "Nice"),
        world.review(CODERABBIT, "2026-02-01 12:00", "COMMENTED", "Nice"),
    ]
    made["comments"].append(world.comment(EVE, "2026-02-01 12:00"))
    database = connect(f"sqlite:///{tmp_path}/a.db")
    from_github(database, members_from=kinds)
    assert {row.github_username for row in TeamMember.select()} == expected
    assert PRReview.select().count() == 3
    assert verification.check(database, Team.get().id) == []
    database.close()


def test_an_organisation_of_bots_and_deleted_accounts_is_refused(database, world, from_github) -> None:
    for number, author in enumerate((None, DEPENDABOT), start=1):
        day = f"2026-02-0{number}"
        world.pull_request(
            "acme/api", number, f"{day} 10:00", merged=f"{day} 12:00", author=author, commits=[]
        )
    with pytest.raises(InputError, match="acme: nobody took part in the window who can be a member"):
        from_github(database)
    assert Team.select().count() == 0


def test_a_cache_of_ours_counts_whatever_case_that_of_the_former_seeder_is_in(
    database, world, from_github, tmp_path
) -> None:
    world.pull_request("Acme/Api", 1, "2026-02-01 10:00", merged="2026-02-02 10:00")
    from_github(database)
    write(tmp_path / "cache", "acme/api", entry(1), entry(2))
    report = from_github(database, source="cache").reports[0]
    assert report.pull_requests == 1


def test_bots_are_no_members_and_tools_are_known(database, world, from_github) -> None:
    one = world.pull_request("acme/api", 1, "2026-02-01 10:00", merged="2026-02-02 10:00", author=DEPENDABOT)
    one["reviews"] += [
        world.review(CODERABBIT, "2026-02-01 11:00", "COMMENTED", "Hm"),
        world.review(bot("copilot-pull-request-reviewer"), "2026-02-01 11:05", "COMMENTED", ""),
        world.review(ANN, "2026-02-01 12:00"),
    ]
    world.pull_request("acme/api", 2, "2026-02-01 10:00", merged="2026-02-02 10:00", author=None)
    from_github(database)
    assert [row.github_username for row in TeamMember.select()] == ["ann"]
    found = PullRequest.get(PullRequest.github_pr_id == 1)
    assert (found.author_id, found.has_ai_review, found.ai_tools_detected) == (None, True, ["dependabot"])
    assert [row.ai_reviewer_type for row in PRReview.select().order_by(PRReview.submitted_at)] == [
        "coderabbit",
        "copilot",
        "",
    ]


def test_reviews_that_changed_nothing_are_left_out(database, world, from_github) -> None:
    made = world.pull_request("acme/api", 1, "2026-02-01 10:00", merged="2026-02-02 10:00")
    made["reviews"] += [
        world.review(ANN, "2026-02-01 11:00", "COMMENTED", "My own"),
        world.review(BOB, "2026-02-03 11:00", "APPROVED", "Too late"),
    ]
    from_github(database)
    assert PRReview.select().count() == 0
    assert PullRequest.get().first_review_at is None
    assert verification.check(database, Team.get().id) == []


def test_a_commit_belongs_to_the_pull_request_that_was_opened_first(database, world, from_github) -> None:
    shared = world.commit("Shared", "2026-01-31 10:00", ANN)
    for number, day in ((5, 1), (4, 3)):
        world.pull_request(
            "acme/api", number, f"2026-02-0{day} 10:00", merged=f"2026-02-0{day + 1} 10:00", commits=[shared]
        )
    from_github(database)
    assert Commit.get().pull_request.github_pr_id == 5
    assert verification.check(database, Team.get().id) == []


def test_observed_columns_of_pull_requests_are_written_as_they_are(database, world, from_github) -> None:
    world.pull_request(
        "acme/api",
        1,
        "2026-02-01 10:00",
        merged="2026-02-02 10:00",
        body="Fixes #99, says a@b.io",
        milestone={"title": "Q1"},
        labels=[{"name": "bug"}],
        assignees=[BOB],
        closingIssuesReferences=[{"number": 3, "repository": world.repository("acme/api")}],
    )
    from_github(database)
    found = PullRequest.get()
    assert (found.milestone_title, found.labels, found.assignees) == ("Q1", ["bug"], ["bobray"])
    assert (found.linked_issues, found.body) == ([3], "Fixes #99, says redacted@example.com")
    assert float(found.cycle_time_hours) == 24.0


def test_an_organisation_of_the_catalogue_has_the_repositories_stated_there(
    tmp_path, github, world, from_github
) -> None:
    for name in ("rockets/api", "rockets/secret"):
        world.pull_request(name, 1, "2026-02-01 10:00", merged="2026-02-02 10:00")
    catalog = tmp_path / "own.toml"
    catalog.write_text('[acme]\nname = "Acme"\nrepos = ["rockets/api"]\n')
    database = connect(f"sqlite:///{tmp_path}/a.db")
    from_github(database, catalog=catalog)
    assert [row.github_repo for row in PullRequest.select()] == ["rockets/api"]
    assert Team.get().name == "Acme"
    from_github(database, catalog=catalog, source="cache")
    assert len(github.requests) == 2
    database.close()
