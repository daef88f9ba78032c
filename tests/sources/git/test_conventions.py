"""How forges and bots write the number of a pull request into a message, and where a number is none."""

from pathlib import Path

import pytest

from tests.support.repositories import Workshop, read_all, source
from tformance_seed.sources.git.conventions import (
    CHANGE_ID,
    CONVENTIONS,
    OTHER_FORGES,
    Named,
    find_pull_request,
)

MESSAGES = {
    "Merge pull request #101 from corp/b1\n\nGitHub title\n\nWhy": ("GitHub merge", "b1"),
    "v1.4.1: Merge pull request #101 from corp/b1\n\nRelease title": ("GitHub merge", "b1"),
    "Auto merge of #102 - ann:feature, r=bob\n\nhomu title": ("homu", "feature"),
    "Merge #103\n\n103: bors title r=bob a=ann\n\nWhy": ("bors-ng", ""),
    "Merge #104: Bitcoin title": ("Bitcoin merge", ""),
    "Merge corp/app#105: Bitcoin title": ("Bitcoin merge", ""),
    "Merge branch 'b6' into 'main'\n\nGitLab title\n\nSee merge request corp/sub/app!106": ("GitLab", ""),
    "Merged in b7 (pull request #107)\n\nCloud title\n\nApproved-by: Bob Ray": ("Bitbucket Cloud", "b7"),
    "Merge pull request #108 in PROJ/app from feature/x to main\n\nServer title": (
        "Bitbucket Server merge",
        "x",
    ),
    "Pull request #109: Server title\n\nMerge in PROJ/app from x to main\n\n* commit '1f2e3d4':": (
        "Bitbucket Server",
        "",
    ),
    "Merged PR 110: Azure title\n\nRelated work items: #9": ("Azure DevOps", ""),
    "Merge pull request 126 from users/ann/x into main\n\nAzure title": ("Azure DevOps", "ann/x"),
    "Merge pull request 'Gitea title' (#127) from ann/app:x into main": ("Gitea", "x"),
    "Gitea title (#128)\n\nReviewed-on: https://host/ann/app/pulls/128": ("Gitea", ""),
    "gh-1: CPython title (GH-111)": ("GitHub squash", ""),
    "GitLab title\n\nSee merge request corp/app!112": ("GitLab", ""),
    "GitLab title\n\nSee merge request https://gitlab.host/corp/app/-/merge_requests/129": ("GitLab", ""),
    "Gerrit title\n\nChange-Id: I0123\nReviewed-on: https://go-review.host/c/tools/+/113": ("Gerrit", ""),
    "Gerrit title\n\nReviewed-on: https://host/114\nReviewed-by: Bob <b@c.io>": ("Gerrit", ""),
    "Phabricator title\n\nDifferential Revision: https://phabricator.host/D115": ("Phabricator", ""),
    "Phabricator title\n\nDifferential Revision: D116": ("Phabricator", ""),
    "Merge PR #117: By hand title (#9)": ("merge by hand", ""),
    "Squash title (#118)": ("GitHub squash", ""),
    "Issue (#9) and title (#119)": ("GitHub squash", ""),
    "Merge pull request #9 from corp/title (#130)": ("GitHub squash", ""),
    "Bump action title (#120) 3.17.0": ("GitHub squash", ""),
    "Read title (#121).": ("GitHub squash", ""),
    "Add title (#122)q": ("GitHub squash", ""),
    "Checkbox title (#123), close: #7650": ("GitHub squash", ""),
    "Document title (#124) [skip ci]": ("GitHub squash", ""),
    "SPARK-1 title\n\nWhy\n\nCloses #125 from ann/feature.\n\nSigned-off-by: Bob": ("Apache", "feature"),
}


def found(message: str) -> Named | None:
    subject, _, body = message.partition("\n\n")
    return find_pull_request(subject, body)


@pytest.mark.parametrize("message", MESSAGES)
def test_message_gives_number_title_and_branch(message: str) -> None:
    convention, branch = MESSAGES[message]
    named = found(message)
    assert named is not None
    assert (named.convention, named.branch) == (convention, branch)
    assert f"{named.number}" in message
    assert named.number > 100
    assert "title" in named.title
    assert "\n" not in named.title
    assert "r=bob" not in named.title


def test_every_convention_has_an_example() -> None:
    named = {convention for convention, _ in MESSAGES.values()} | {CHANGE_ID.name}
    assert named == {each.name for each in CONVENTIONS}
    assert named >= OTHER_FORGES


@pytest.mark.parametrize(
    "message",
    [
        'Revert "One (#1)"',
        "Merge branch 'main' into feature",
        "Fix #12",
        "Explain (#12) in the parser",
        "Title (#0)",
        "Title (#1234567890)",
        "Title (corp/app#12)",
        "Title\n\nSee merge request corp/app!12 for why",
        "Title\n\nChange-Id: I0123456789",
        "[PATCH v2 3/4] Title\n\nLink: https://lore.host/r/1234",
        "Merged PR",
        "Title\n\nCloses #12",
        "Title\n\nCloses #12 from the list",
    ],
)
def test_message_without_a_number_of_its_own_names_no_pull_request(message: str) -> None:
    assert found(message) is None


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path / "api")
    made.commit("Begin", "2025-03-01 09:00")
    return made


def test_numbers_of_issues_are_not_those_of_pull_requests(workshop: Workshop) -> None:
    workshop.commit("Fix undo (#266)", "2025-03-02 10:00")
    workshop.commit("Merge PR #2221: hook census (#2217)", "2025-03-03 10:00")
    assert read_all(source(workshop.path)).numbers == [2221]


def test_numbers_that_repeat_are_those_of_issues(workshop: Workshop) -> None:
    for number in range(24):
        workshop.commit(f"Work (#{number // 2 + 1})", f"2025-03-02 10:{number}", files={})
    assert read_all(source(workshop.path)).numbers == []


def test_squashes_beside_a_merge_with_an_issue_in_its_title_stay(workshop: Workshop) -> None:
    workshop.commit("One (#1)", "2025-03-02 10:00")
    workshop.commit("Two (#2)", "2025-03-02 11:00")
    workshop.branch("b")
    workshop.commit("Work", "2025-03-03 10:00")
    workshop.merge("b", message="Merge pull request #4 from corp/b\n\nFix (#3)", at="2025-03-04 10:00")
    assert read_all(source(workshop.path)).numbers == [1, 2, 4]


@pytest.mark.parametrize(
    "ref", ["refs/pull/7/head", "refs/merge-requests/7/head", "refs/pull-requests/7/from"]
)
def test_pull_requests_in_the_clone_are_believed_over_any_subject(workshop: Workshop, ref: str) -> None:
    workshop.branch("b")
    workshop.git("update-ref", ref, workshop.commit("Work", "2025-03-03 10:00"))
    workshop.merge("b", message="Merge pull request #12 from corp/b\n\nTitle", at="2025-03-04 10:00")
    workshop.commit("Squash (#8)", "2025-03-05 10:00")
    workshop.git("update-ref", ref.replace("7", "8"), workshop.head)
    workshop.commit("Fix an issue (#5)", "2025-03-06 10:00")
    contents = read_all(source(workshop.path))
    assert contents.numbers == [7, 8]
    assert contents.pull_request(7)["title"] == "Title"
    assert contents.loose == ["Begin", "Fix an issue (#5)"]


def test_history_without_pull_requests_says_what_it_becomes(workshop: Workshop) -> None:
    assert "no commit names the pull request that it lands" in source(workshop.path).warnings[0]
    workshop.commit("One (#1)", "2025-04-02 10:00")  # outside the window
    assert source(workshop.path).warnings == []
