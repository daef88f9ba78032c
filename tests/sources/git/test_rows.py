"""What the git source makes of a commit's files and words."""

import json
from pathlib import Path

import pytest

from tests.support.repositories import DEPENDABOT, Workshop, read_all, source
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path / "api")
    made.commit("Begin", "2025-02-01 09:00", files={"README.md": "hello\n"})
    return made


def merge(workshop: Workshop, number: int, branch: str, at: str, body: str = "A title\n\nA body") -> str:
    return workshop.merge(branch, message=f"Merge pull request #{number} from corp/{branch}\n\n{body}", at=at)


def test_files_have_counts_status_and_category(workshop: Workshop) -> None:
    lines = "".join(f"line {number}\n" for number in range(20))
    workshop.commit("Before", "2025-02-02 10:00", files={"old.py": lines, "gone.css": "a\n", "run.sh": "x\n"})
    (workshop.path / "run.sh").chmod(0o755)
    workshop.commit(
        "Everything (#1)",
        "2025-03-02 10:00",
        files={
            "old.py": None,
            "app/new.py": lines + "one more\n",
            "gone.css": None,
            "tests/test_new.py": "x\ny\n",
            "logo.png": bytes(range(256)) * 8,
            "README.md": "hello\nworld\n",
        },
    )
    row = read_all(source(workshop.path)).pull_request(1)
    files = {file["filename"]: tuple(file.values())[1:] for file in row["files"]}
    assert files == {
        "app/new.py": ("renamed", 1, 0, "backend"),
        "gone.css": ("removed", 0, 1, "frontend"),
        "tests/test_new.py": ("added", 2, 0, "test"),
        "logo.png": ("added", 0, 0, "other"),
        "README.md": ("modified", 1, 0, "docs"),
        "run.sh": ("modified", 0, 0, "backend"),
    }
    assert (row["additions"], row["deletions"]) == (4, 1)


ODD_NAMES = [
    "with space.py",
    "tab\there.py",
    "new\nline.py",
    "ünïcode/ファイル.py",
    '"quoted".py',
    ">:1\t2\t.py",
]


def test_odd_file_names_survive_adding_and_renaming(workshop: Workshop) -> None:
    content = {name: f"{place}\n" * 9 for place, name in enumerate(ODD_NAMES)}
    workshop.commit("Add (#1)", "2025-03-02 10:00", files=content)
    moved = {f"moved/{name}": text for name, text in content.items()}
    workshop.commit("Move (#2)", "2025-03-03 10:00", files=dict.fromkeys(content) | moved)
    contents = read_all(source(workshop.path))
    assert sorted(file["filename"] for file in contents.pull_request(1)["files"]) == sorted(ODD_NAMES)
    assert sorted(file["filename"] for file in contents.pull_request(2)["files"]) == sorted(moved)
    assert {file["status"] for file in contents.pull_request(2)["files"]} == {"renamed"}


def test_file_names_that_are_equal_once_truncated_share_a_row(workshop: Workshop) -> None:
    folder = "/".join(["d" * 100] * 5)
    names = {f"{folder}/{letter}.py": "x\n" for letter in "ab"}
    workshop.commit("Deep (#1)", "2025-03-02 10:00", files=names)
    (file,) = read_all(source(workshop.path)).pull_request(1)["files"]
    assert file["filename"] == f"{folder}/a.py"[:500]
    assert file["additions"] == 2


def test_messages_in_another_encoding_and_long_ones_are_converted(workshop: Workshop) -> None:
    workshop.git("config", "i18n.commitEncoding", "ISO-8859-1")
    (workshop.path / "message").write_bytes("Grüße (#1)\n".encode("latin-1"))
    workshop.git(
        "commit", "--quiet", "--allow-empty", "-F", "message", GIT_COMMITTER_DATE="2025-03-02 10:00 +0000"
    )
    workshop.git("config", "--unset", "i18n.commitEncoding")
    workshop.commit("Long (#2)\n\n" + "word " * 5000, "2025-03-03 10:00")
    contents = read_all(source(workshop.path))
    assert contents.pull_request(1)["title"] == "Grüße"
    assert len(contents.pull_request(2)["body"]) == 8000


def test_bot_opens_pull_requests_and_is_no_member(workshop: Workshop) -> None:
    workshop.commit("Bump left-pad (#1)", "2025-03-02 10:00", DEPENDABOT)
    contents = read_all(source(workshop.path))
    row = contents.pull_request(1)
    assert (row["author"], row["is_bot"], row["labels"]) == (None, True, '["dependencies"]')
    assert contents.commits[0]["author"] is None
    assert "dependabot" not in str(contents.members)


CLAUDE = "Co-Authored-By: Claude Opus 4 <noreply@anthropic.com>"


def test_signs_of_ai_reach_commit_and_pull_request(workshop: Workshop) -> None:
    workshop.commit(f"By hand and Claude (#1)\n\n{CLAUDE}", "2025-03-02 10:00")
    workshop.commit("Reviewed (#2)\n\n## Summary by CodeRabbit\n\nFine", "2025-03-03 10:00")
    workshop.commit("Plain, moves a cursor (#3)", "2025-03-04 10:00", files={"CLAUDE.md": "x\n"})
    workshop.branch("four")
    workshop.commit(f"Half\n\n{CLAUDE}", "2025-03-05 10:00")
    workshop.commit("Other half", "2025-03-05 11:00")
    merge(
        workshop, 4, "four", "2025-03-06 10:00", body="Four\n\n🤖 Generated with [Claude Code](https://x.y)"
    )
    devin = "Devin AI <158243242+devin-ai-integration[bot]@users.noreply.github.com>"
    workshop.commit("All by itself (#5)", "2025-03-07 10:00", devin)
    contents = read_all(source(workshop.path))
    kinds = {row["number"]: (row["ai_kind"], json.loads(row["ai_tools"])) for row in contents.pull_requests}
    assert kinds == {
        1: (AI_CODE, ["claude"]),
        2: (AI_REVIEW, ["coderabbit"]),
        3: (AI_NONE, []),
        4: (AI_CODE, ["claude_code"]),
        5: (AI_CODE, ["devin"]),
    }
    assert [row["has_ai_commits"] for row in contents.pull_requests] == [True, False, False, True, False]
    assert [row["has_ai_files"] for row in contents.pull_requests] == [False, False, True, False, False]
    assert [row["is_bot"] for row in contents.pull_requests] == [False, False, False, False, True]
    assisted = [(commit["ai_co_authors"], commit["is_ai_assisted"]) for commit in contents.commits]
    none = ("[]", False)
    assert assisted == [('["claude"]', True), none, none, ('["claude"]', True), none, none]


def test_a_bot_that_the_application_knows_is_found_as_author_alone(workshop: Workshop) -> None:
    workshop.commit("Bump left-pad (#1)", "2025-03-02 10:00", DEPENDABOT)
    (row,) = read_all(source(workshop.path)).pull_requests
    assert (row["ai_kind"], json.loads(row["ai_tools"])) == (AI_NONE, ["dependabot"])


def test_titles_give_jira_keys_reverts_and_hotfixes(workshop: Workshop) -> None:
    workshop.commit("ABC-123: hotfix for UTF-8 (#1)", "2025-03-02 10:00")
    workshop.commit('Revert "ABC-123: hotfix for UTF-8 (#1)" (#2)', "2025-03-03 10:00")
    workshop.commit("Read UTF-8 (#3)", "2025-03-04 10:00")
    rows = read_all(source(workshop.path)).pull_requests
    assert [row["jira_key"] for row in rows] == ["ABC-123", "ABC-123", "UTF-8"]
    assert [row["is_revert"] for row in rows] == [False, True, False]
    assert [row["is_hotfix"] for row in rows] == [True, True, False]
