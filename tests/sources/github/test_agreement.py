"""A clone and GitHub agree on what both know of one organisation."""

import datetime
from typing import Any

import pytest

import tformance_seed
from tests.support.github.world import World, user
from tests.support.repositories import Workshop
from tformance_seed import verification
from tformance_seed.storage.models import Commit, PRFile, PullRequest, Team, TeamMember

ANN, BOB, CARL = user("annlee", 11, "Ann Lee"), user("bobray", 1234, "Bob Ray"), user("carl", 15, "Carl Ek")
#: How each writes commits: Ann and Bob with GitHub's address, Ann also with another, Carl with his own alone.
WRITES = {
    "annlee": ["Ann Lee <11+annlee@users.noreply.github.com>", "Ann Lee <ann@corp.io>"],
    "bobray": ["Bob Ray <1234+bobray@users.noreply.github.com>"],
    "carl": ["Carl Ek <carl@corp.io>"],
}
PEOPLE = (ANN, BOB, CARL)
UNTIL = datetime.date(2026, 2, 28)


def build(workshop: Workshop, world: World) -> None:
    """Twelve pull requests of two commits each, merged with merge commits, in a clone and on GitHub."""
    workshop.commit("Begin", "2026-01-01 10:00", WRITES["annlee"][0])
    for number in range(1, 13):
        person = PEOPLE[number % 3]
        workshop.branch(f"work{number}")
        commits = []
        for part in (1, 2):
            writes = WRITES[person["login"]]
            author = writes[(number + part) % len(writes)]
            at = f"2026-02-{number:02} 0{7 + part}:00"
            message = f"Part {part} of {number}\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
            name, _, email = author.rstrip(">").partition(" <")
            sha = workshop.commit(message, at, author, files={f"src/f{number}.py": "x\n" * part})
            made = world.commit(message, at, person, oid=sha, additions=1, deletions=0)
            made["author"] |= {"name": name, "email": email}
            commits.append(made)
        merged = f"2026-02-{number:02} 15:00"
        title = f"ABC-{number}: work"
        workshop.merge(
            f"work{number}",
            message=f"Merge pull request #{number} from corp/work{number}\n\n{title}",
            at=merged,
            author="Carl Ek <carl@corp.io>",
        )
        world.pull_request(
            "corp/app",
            number,
            f"2026-02-{number:02} 08:00",
            merged=merged,
            author=person,
            title=title,
            commits=commits,
            files=[world.file(f"src/f{number}.py", "ADDED", 2, 0)],
        )


def known_of(url: str) -> dict[str, Any]:
    """What is in a database that both sources know, by the names that both use."""
    database = tformance_seed.connect(url)
    members = {row.id: row for row in TeamMember.select().execute(database)}

    def person(number: int | None) -> str | None:
        return None if number is None else members[number].display_name

    found = {
        "people": {row.display_name: row.email for row in members.values()},
        "accounts": {
            (row.github_id, row.github_username)
            for row in members.values()
            if row.display_name != CARL["name"]
        },
        "pull requests": {
            row.github_pr_id: (
                row.title,
                row.state,
                row.merged_at,
                person(row.author_id),
                row.jira_key,
                row.additions,
                row.deletions,
                row.has_ai_commits,
            )
            for row in PullRequest.select().execute(database)
        },
        "commits": {
            row.github_sha: (
                row.message,
                row.committed_at,
                person(row.author_id),
                row.additions,
                row.deletions,
                row.ai_co_authors,
            )
            for row in Commit.select().where(Commit.pull_request.is_null(False)).execute(database)
        },
        "files": sorted(
            (row.filename, row.status, row.additions, row.deletions, row.file_category)
            for row in PRFile.select().execute(database)
        ),
    }
    team = Team.select().execute(database)[0]
    assert verification.check(database, team.id) == []
    database.close()
    return found


@pytest.mark.parametrize("emails", [False, True], ids=["without addresses", "with addresses"])
def test_a_clone_and_github_agree(tmp_path, github, monkeypatch, emails) -> None:
    workshop = Workshop(tmp_path / "corp+app")
    build(workshop, github.world)
    for name, value in github.environment.items():
        monkeypatch.setenv(name, value)
    options: dict[str, Any] = {"until": UNTIL, "days": 50, "emails": emails, "login": None}
    urls = {name: f"sqlite:///{tmp_path}/{name}.db" for name in ("git", "github")}
    tformance_seed.seed(urls["git"], "corp", repositories=[workshop.path], **options)
    tformance_seed.seed(urls["github"], "corp", source="github", cache_dir=tmp_path / "cache", **options)
    from_git, from_github = (known_of(url) for url in urls.values())
    assert len(from_github["commits"]) == 24
    for what in ("accounts", "pull requests", "commits", "files"):
        assert from_github[what] == from_git[what], what
    assert from_github["people"].keys() == from_git["people"].keys() == {"Ann Lee", "Bob Ray", "Carl Ek"}
    if emails:
        assert from_github["people"]["Carl Ek"] == from_git["people"]["Carl Ek"] == "carl@corp.io"
        assert from_github["people"]["Ann Lee"] == from_git["people"]["Ann Lee"] == "ann@corp.io"
