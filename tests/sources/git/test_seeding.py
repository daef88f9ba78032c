"""A real history, all the way into both databases."""

import datetime

import pytest

import tformance_seed
from tests.support.databases import connect
from tests.support.repositories import ANN, BOB, CARL, DEPENDABOT, Workshop
from tests.support.seeds import rows_before
from tformance_seed import verification
from tformance_seed.errors import InputError
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Request
from tformance_seed.storage.models import (
    APPLICATION,
    AIUsageDaily,
    Commit,
    CopilotSeatSnapshot,
    JiraIssue,
    PRFile,
    PRReview,
    PullRequest,
    Team,
    TeamMember,
)

FIRST = datetime.date(2025, 3, 3)
AGGREGATES = {"WeeklyMetrics", "ReviewerCorrelation", "DailyInsight"}
AUTHORS = (ANN, BOB, CARL, "Dee Oh <77+dee@users.noreply.github.com>", "Eli Po <eli@corp.io>")
TRAILERS = ("", "", "\n\nCo-Authored-By: Claude <noreply@anthropic.com>", "\n\nABC-7 and more")


def land(workshop: Workshop, number: int) -> None:
    """One squashed pull request a day."""
    day = FIRST + datetime.timedelta(days=number)
    author = DEPENDABOT if number % 11 == 10 else AUTHORS[number % 7 % len(AUTHORS)]
    title = f"ABC-{number}: change {number}" if number % 3 == 0 else f"Change {number}"
    workshop.commit(f"{title} (#{number}){TRAILERS[number % 4]}", f"{day} 11:0{number % 10}", author)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    workshop = Workshop(tmp_path_factory.mktemp("corp") / "app")
    for number in range(1, 61):
        land(workshop, number)
    return workshop


def seed(database, *paths, slug=(), days=30, **options):
    return tformance_seed.seed(database, *slug, repositories=paths, days=days, adoption=0.8, **options)


def content(database):
    return verification.digest(database, Team.get().id)


def test_a_history_becomes_an_organisation_that_agrees_with_itself(database, clone):
    report = seed(database, clone.path, days=60).reports[0]
    assert (report.organisation, report.until) == ("app", datetime.date(2025, 5, 2))
    assert PullRequest.select().count() == 60
    assert Commit.select().count() == 60
    assert PRFile.select().count() == 60
    assert TeamMember.select().count() == 5
    assert PRReview.select().count() > 20
    assert AIUsageDaily.select().count() > 20
    assert verification.check(database, Team.get().id) == []


def test_ai_and_jira_keys_come_from_the_messages(database, clone):
    seed(database, clone.path, days=60)
    row = PullRequest.get(PullRequest.github_pr_id == 6)
    assert (row.is_ai_assisted, row.ai_tools_detected, row.has_ai_commits) == (False, [], True)
    assert row.jira_key == "ABC-6"
    assert not PullRequest.get(PullRequest.github_pr_id == 4).is_ai_assisted
    assert JiraIssue.get(JiraIssue.jira_key == "ABC-6").status == "Done"


def test_no_address_is_stored_unless_asked_for(database, clone):
    seed(database, clone.path, days=60)
    assert all(member.email.endswith("@example.com") for member in TeamMember.select())
    seed(database, clone.path, days=60, emails=True)
    assert {"ann@corp.io", "carl@corp.io"} <= {member.email for member in TeamMember.select()}


def test_second_run_writes_nothing(database, clone):
    seed(database, clone.path)
    again = seed(database, clone.path, chunk_size=50).reports[0]
    assert {name: result.written for name, result in again.tables.items() if result.written} == {}


def test_content_is_the_same_on_both_databases_and_for_every_chunk_size(tmp_path, postgresql_url, clone):
    digests = set()
    for url in (f"sqlite:///{tmp_path}/a.db", postgresql_url):
        database = connect(url)
        for size in (10, 50_000):
            seed(database, clone.path, chunk_size=size, clear=True)
            digests.add(content(database).digest)
        database.close()
    assert len(digests) == 1


@pytest.mark.parametrize("grows", [False, True], ids=["the same clone", "a clone that grew"])
def test_one_more_day_changes_nothing_older(database, tmp_path, grows):
    workshop = Workshop(tmp_path / "app")
    for number in range(1, 46 if grows else 47):
        land(workshop, number)
    yesterday = FIRST + datetime.timedelta(days=45)
    seed(database, workshop.path, until=yesterday)
    if grows:
        land(workshop, 46)
    models = [model for model in APPLICATION if model.__name__ not in AGGREGATES]
    before = {model: rows_before(model, yesterday) for model in models}
    seed(database, workshop.path, until=yesterday + datetime.timedelta(days=1))
    assert PullRequest.get(PullRequest.github_pr_id == 46)
    for model in models:
        after = rows_before(model, yesterday)
        assert {row: after[row] for row in before[model]} == before[model], model


def test_direct_commits_alone_make_an_organisation_too(database, tmp_path):
    workshop = Workshop(tmp_path / "solo")
    for day in range(1, 4):
        workshop.commit(f"Work of day {day}", f"2025-03-0{day} 10:00", AUTHORS[day])
    report = seed(database, workshop.path).reports[0]
    assert (report.pull_requests, Commit.select().count()) == (0, 3)
    assert verification.check(database, Team.get().id) == []


def test_a_history_of_bots_alone_is_refused(database, tmp_path):
    workshop = Workshop(tmp_path / "solo")
    workshop.commit("Update the lock file (#1)", "2025-03-01 10:00", author=DEPENDABOT)
    with pytest.raises(InputError, match="solo: nobody took part in the window who can be a member"):
        seed(database, workshop.path)
    assert Team.select().count() == 0


def test_copilot_seats_of_older_days_stay_when_the_window_slides(database, clone):
    seed(database, clone.path, until=datetime.date(2025, 4, 20))
    before = rows_before(CopilotSeatSnapshot, datetime.date(2025, 4, 20))
    seed(database, clone.path, until=datetime.date(2025, 5, 2))
    after = rows_before(CopilotSeatSnapshot, datetime.date(2025, 4, 20))
    assert before
    assert {row: after[row] for row in before} == before


def test_repositories_share_numbers_in_one_organisation(database, clone, tmp_path):
    other = Workshop(tmp_path / "corp" / "lib")
    for number in range(1, 61):
        land(other, number)
    report = seed(database, clone.path, other.path, days=60, slug=["corp"]).reports[0]
    assert (report.organisation, report.pull_requests) == ("corp", 120)
    assert PullRequest.select().where(PullRequest.github_pr_id == 5).count() == 2
    assert verification.check(database, Team.get().id) == []


def languages(repositories, **options):
    """The languages of the repositories in a plan."""
    request = Request(repositories=repositories, **options)
    (plan,) = make_plans(request, datetime.datetime(2025, 6, 1, tzinfo=datetime.UTC))
    return plan.profile.organisation.languages


def test_a_clone_is_in_the_languages_with_which_it_began(tmp_path):
    workshop = Workshop(tmp_path / "thing")
    files = ["a.rs", "b/c.rs", "src/d.rs", "web/e.ts", "f.css", "README.md", "Dockerfile"]
    workshop.commit("Begin", "2025-03-01 10:00", files=dict.fromkeys(files, "text"))
    workshop.commit("More (#1)", "2025-03-02 10:00", files={f"{number}.go": "text" for number in range(9)})
    assert languages([workshop.path]) == ({"Rust": 3, "TypeScript": 1},)


def test_a_clone_of_a_known_repository_has_the_languages_of_the_catalogue(tmp_path):
    for name in ("PostHog+posthog-js", "supabase+realtime"):
        Workshop(tmp_path / name).commit("Begin (#1)", "2025-03-01 10:00", files={"a.py": "text"})
    paths = [tmp_path / "PostHog+posthog-js", tmp_path / "supabase+realtime"]
    assert languages(paths, organisations=["both"]) == (
        {"TypeScript": 90, "JavaScript": 8},
        {"Elixir": 96},
    )


def test_a_clone_that_began_without_code_has_languages_all_the_same(tmp_path):
    workshop = Workshop(tmp_path / "client-python")
    workshop.commit("Begin (#1)", "2025-03-01 10:00", files={"README.md": "text"})
    assert next(iter(languages([workshop.path])[0])) == "Python"
