"""A clone that grows, or whose history is rewritten, between two runs."""

import dataclasses
import datetime
import shutil

import pytest

import tformance_seed
from tests.support.repositories import ANN, BOB, CARL, Imported, Workshop, import_history
from tformance_seed import verification
from tformance_seed.commands.preview import preview_removals
from tformance_seed.commands.seed import Report, plan
from tformance_seed.planning.request import Request
from tformance_seed.storage.models import PRFile, PRSurveyReview, PullRequest, Team, TeamMember

FIRST, LAST = datetime.date(2025, 3, 3), datetime.date(2025, 5, 11)
DAYS = (LAST - FIRST).days + 1
DEE = "Dee Oh <dee@corp.io>"


def pull_requests(count, authors=(ANN, BOB, CARL)):
    """One squashed pull request a day."""
    return [
        Imported(
            f"c{number}",
            f"c{number - 1}" if number > 1 else "",
            f"Change {number} (#{number})",
            f"{FIRST + datetime.timedelta(days=number)} 11:00",
            authors[number % len(authors)],
        )
        for number in range(1, count + 1)
    ]


@pytest.fixture
def clone(tmp_path):
    return tmp_path / "app"


def request(clone):
    return Request(repositories=[clone], until=LAST, days=DAYS)


def seed(database, clone, **options) -> Report:
    return tformance_seed.seed(database, repositories=[clone], until=LAST, days=DAYS, **options).reports[0]


def content(database):
    return verification.digest(database, Team.get().id).digest


def agrees_with_one_step(database, clone):
    """Whether the content is that of a run into an empty database, and agrees with itself."""
    found = content(database)
    assert verification.check(database, Team.get().id) == []
    seed(database, clone, clear=True)
    return found == content(database)


def numbers():
    return sorted(row.github_pr_id for row in PullRequest.select())


@pytest.mark.parametrize("is_cloned_again", [False, True])
@pytest.mark.parametrize("left", [8, 7], ids=["amended", "dropped"])
def test_what_was_rewritten_goes(database, clone, left, is_cloned_again):
    import_history(clone, *pull_requests(8))
    seed(database, clone)
    history = pull_requests(left)
    if left == 8:
        history[-1] = dataclasses.replace(history[-1], message="Another change (#9)")
    if is_cloned_again:
        shutil.rmtree(clone)
    import_history(clone, *history)
    assert seed(database, clone).started_over
    assert numbers() == [*range(1, 8), *([9] if left == 8 else [])]
    assert agrees_with_one_step(database, clone)


def test_removing_what_was_rewritten_is_shown_and_asked_for(database, clone):
    import_history(clone, *pull_requests(8))
    seed(database, clone)
    asked = request(clone)
    assert preview_removals(database, asked, plan(asked)) == {}
    import_history(clone, *pull_requests(7))
    planned = plan(asked)
    assert preview_removals(database, asked, planned)["app"].deleted["metrics_pullrequest"] == 8


def test_a_clone_that_grows_is_not_started_over(database, clone):
    import_history(clone, *pull_requests(20))
    seed(database, clone)
    ids = {row.github_pr_id: row.id for row in PullRequest.select()}
    import_history(clone, *pull_requests(40))
    assert not seed(database, clone).started_over
    assert ids.items() <= {row.github_pr_id: row.id for row in PullRequest.select()}.items()
    assert agrees_with_one_step(database, clone)


def test_survey_answers_of_whom_later_commits_show_not_to_have_reviewed_go(database, clone):
    history = pull_requests(30)
    import_history(clone, *history)
    seed(database, clone)
    before = {row.id for row in PRSurveyReview.select()}
    old = [
        Imported(
            f"d{number}", f"d{number - 1}" if number else "c1", f"Work {number}", "2025-03-05 10:00", DEE
        )
        for number in range(60)
    ]
    message = "Merge pull request #31 from dee/work"
    merge = Imported("merge", "c30 d59", message, "2025-04-10 11:00", CARL)
    import_history(clone, *history, *old, merge)
    assert not seed(database, clone).started_over
    assert before - {row.id for row in PRSurveyReview.select()}
    assert agrees_with_one_step(database, clone)


@pytest.mark.parametrize(
    "later", ["Dee Oh <77+dee@users.noreply.github.com>", "Dee Oh <dee@users.noreply.github.com>"]
)
def test_who_shows_an_address_later_is_the_same_member(database, clone, later):
    import_history(clone, *pull_requests(20, (ANN, BOB, DEE)))
    seed(database, clone)
    known = [*pull_requests(20, (ANN, BOB, DEE)), *pull_requests(24, (ANN, BOB, later))[20:]]
    import_history(clone, *known)
    seed(database, clone)
    assert sorted(row.display_name for row in TeamMember.select()) == ["Ann Lee", "Bob Ray", "Dee Oh"]
    assert TeamMember.get(TeamMember.display_name == "Dee Oh").github_username == "dee"
    assert agrees_with_one_step(database, clone)


def test_a_number_that_another_commit_turns_out_to_have_keeps_no_file_of_the_first_one(database, clone):
    history = pull_requests(8)
    older = Imported("older", "c1", "Older change", "2025-03-05 10:00", DEE)
    landed = Imported("landed", "c1 older", "Merge pull request #9 from dee/older", "2025-03-05 11:00", CARL)
    merge = Imported("merge", "c8 landed", "Merge branch 'next'", "2025-03-20 11:00", CARL)
    import_history(clone, *history, older, landed, merge)
    seed(database, clone)
    files = PRFile.select(PRFile.filename).join(PullRequest).where(PullRequest.github_pr_id == 9)
    assert [row.filename for row in files.clone()] == ["older.py"]
    last = Imported("last", "merge", "Change (#9)", "2025-03-21 10:00", DEE)
    import_history(clone, *history, older, landed, merge, last)
    assert not seed(database, clone).started_over
    assert [row.filename for row in files.clone()] == ["last.py"]
    assert agrees_with_one_step(database, clone)


def test_pull_requests_whose_refs_are_fetched_later_are_found(database, clone):
    begin, *rest = pull_requests(8)
    branch = [
        Imported(f"b{n}", f"b{n - 1}" if n else "c1", f"Work {n}", "2025-03-05 10:00") for n in range(3)
    ]
    copies = [
        Imported(
            f"d{n}", f"d{n - 1}" if n else "c8", f"Work {n}", "2025-03-20 10:00", authored="2025-03-05 10:00"
        )
        for n in range(3)
    ]
    names = import_history(clone, begin, *rest, *branch, *copies)
    seed(database, clone)
    assert numbers() == [*range(1, 9)]
    for number, name in {**{n: f"c{n}" for n in range(1, 9)}, 9: "b2"}.items():
        Workshop(clone).git("update-ref", f"refs/pull/{number}/head", names[name])
    seed(database, clone)
    assert numbers() == [*range(1, 10)]
    assert agrees_with_one_step(database, clone)


def test_what_later_commits_show_to_be_issues_is_no_pull_request(database, clone):
    history = pull_requests(8)
    import_history(clone, *history)
    seed(database, clone)
    assert numbers() == [*range(1, 9)]
    again = [
        dataclasses.replace(commit, name=f"d{turn}{commit.name}", parents=parent, at="2025-04-10 10:00")
        for turn in range(3)
        for commit, parent in zip(
            history, [f"d{turn - 1}c8" if turn else "c8", *(f"d{turn}c{n}" for n in range(1, 8))], strict=True
        )
    ]
    import_history(clone, *history, *again)
    assert seed(database, clone).started_over
    assert numbers() == []
    assert agrees_with_one_step(database, clone)
