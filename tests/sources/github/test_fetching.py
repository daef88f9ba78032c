"""Fetching: every page and every list to its end, in pages that GitHub bears, and no more than is needed."""

import pytest

from tests.support.github.fetching import Heard, fetch, known, utc
from tests.support.github.server import TIMED_OUT, Answer, GitHub, Request
from tests.support.github.world import ANN, BOB, DEPENDABOT, EVE, World
from tformance_seed.errors import InputError, UnavailableError
from tformance_seed.sources.github.cache import Cache, cache_path
from tformance_seed.sources.github.pages import FIRST_SIZE, MAX_SIZE


def fill(world: World, count: int, repository: str = "acme/api") -> None:
    """Pull requests that change one minute after the other."""
    for number in range(1, count + 1):
        at = f"2026-02-01 {number // 60:02}:{number % 60:02}"
        world.pull_request(repository, number, at, commits=[], files=[])


def test_everything_that_github_says_is_kept(github: GitHub, world: World, tmp_path) -> None:
    made = world.pull_request(
        "acme/api",
        7,
        "2026-02-01 10:00",
        merged="2026-02-02 10:00",
        title="Do it",
        body="Fixes #3",
        isDraft=True,
        headRefName="feature/ABC-7",
        milestone={"title": "Q1"},
        labels=[{"name": "bug"}, {"name": "p1"}],
        assignees=[ANN, BOB],
        commits=[world.commit("One", "2026-02-01 09:00", BOB)],
        files=[world.file("a.py", "DELETED", 0, 9), world.file("b.py", "COPIED", 4, 0)],
    )
    issues = [{"number": 3, "repository": world.repository("acme/api")}]
    made["closingIssuesReferences"] += [
        *issues,
        {"number": 4, "repository": {"nameWithOwner": "other/place"}},
    ]
    answered = world.comment(ANN, "2026-02-01 12:00", "Why?", path="a.py")
    made["reviews"] += [
        world.review(BOB, "2026-02-01 12:00", "DISMISSED", "No", answered),
        world.review(ANN, None, "PENDING", "", world.comment(ANN, "2026-02-01 12:30", path="a.py")),
        world.review(
            ANN,
            "2026-02-01 13:00",
            "COMMENTED",
            "",
            world.comment(ANN, "2026-02-01 13:00", "So", path="a.py", line=None, replyTo=answered),
        ),
    ]
    made["comments"].append(world.comment(DEPENDABOT, "2026-02-01 11:00", "Bumped"))
    head = made["commits"][0]["commit"]
    status = world.node("StatusContext", context="legacy")
    world.checks(head, world.check_run("ci", "2026-02-01 10:00", "STARTUP_FAILURE"), status)
    world.deployment(made["mergeCommit"], "2026-02-02 11:00")
    world.deployment(made["mergeCommit"], "2026-02-02 11:00", "somewhere")
    (found,) = known(fetch(github, tmp_path)["acme/api"]).values()
    assert (found.number, found.title, found.body, found.branch) == (7, "Do it", "Fixes #3", "feature/ABC-7")
    assert (found.created_at, found.merged_at) == (utc("2026-02-01 10:00"), utc("2026-02-02 10:00"))
    assert (found.is_draft, found.milestone, found.labels) == (True, "Q1", ["bug", "p1"])
    assert (found.assignees, found.linked_issues) == (["ann", "bobray"], [3])
    assert [(file.name, file.status) for file in found.files] == [("a.py", "removed"), ("b.py", "added")]
    (commit,) = found.commits
    assert (commit.sha, commit.account.id, commit.author_name) == (head["oid"], 1234, "bobray")
    assert [(review.state, review.author.login) for review in found.reviews] == [
        ("dismissed", "bobray"),
        ("commented", "ann"),
    ]
    issue, why, so = found.comments
    assert (issue.path, issue.author.login, issue.author.is_bot) == (None, "dependabot", True)
    assert (why.path, why.line, so.reply_to, so.line) == ("a.py", 7, why.id, 7)
    assert why.id == int(answered["fullDatabaseId"]) > 2**32
    assert [(run.name, run.status, run.conclusion) for run in found.check_runs] == [
        ("ci", "completed", "failure")
    ]
    assert [(each.environment, each.status) for each in found.deployments] == [("production", "success")]


def test_a_repository_that_was_renamed_keeps_its_issues(github: GitHub, world: World, tmp_path) -> None:
    made = world.pull_request("acme/new", 1, "2026-02-01 10:00")
    made["closingIssuesReferences"] += [
        {"number": 7, "repository": {"nameWithOwner": "acme/new"}},
        {"number": 8, "repository": {"nameWithOwner": "acme/old"}},
    ]
    world.repositories["acme/old"] = world.repositories["acme/new"]
    cache = fetch(github, tmp_path, names=["acme/old"])["acme/old"]
    assert cache.path == cache_path(tmp_path, "acme/old")
    assert known(cache)[1].linked_issues == [7]


def test_every_list_is_read_to_its_end(github: GitHub, world: World, tmp_path) -> None:
    made = world.pull_request("acme/api", 1, "2026-02-01 10:00", merged="2026-02-02 10:00")
    made["files"] = [world.file(f"f{number}.py") for number in range(300)]
    made["commits"] = [{"commit": world.commit(f"c{number}", "2026-02-01 10:00")} for number in range(230)]
    made["labels"] = [{"name": f"l{number}"} for number in range(60)]
    made["assignees"] = [EVE] * 30
    made["closingIssuesReferences"] = [
        {"number": number, "repository": world.repository("acme/api")} for number in range(1, 40)
    ]
    made["comments"] = [world.comment(ANN, "2026-02-01 11:00") for _ in range(130)]
    made["reviews"] = [
        world.review(
            BOB,
            "2026-02-01 11:00",
            "COMMENTED",
            "",
            *(world.comment(BOB, "2026-02-01 11:00", path="a.py") for _ in range(110 if place == 40 else 1)),
        )
        for place in range(45)
    ]
    head = made["commits"][-1]["commit"]
    world.checks(head, *(world.check_run(f"r{number}", "2026-02-01 10:00") for number in range(140)))
    for _ in range(28):
        world.deployment(made["mergeCommit"], "2026-02-02 11:00")
    (found,) = known(fetch(github, tmp_path)["acme/api"]).values()
    assert [file.name for file in found.files] == [f"f{number}.py" for number in range(300)]
    counts = [len(each) for each in (found.commits, found.labels, found.assignees, found.linked_issues)]
    assert counts == [230, 60, 30, 39]
    assert (len(found.comments), len(found.reviews)) == (130 + 44 + 110, 45)
    assert (len(found.check_runs), len(found.deployments)) == (140, 28)
    assert len({comment.id for comment in found.comments}) == 284
    assert len(github.operations("NextPages")) <= 4


def test_pages_begin_small_grow_slowly_and_their_size_is_remembered(
    github: GitHub, world: World, tmp_path
) -> None:
    fill(world, 150)
    fetch(github, tmp_path)
    sizes = [request.variables["first"] for request in github.operations("PullRequests")]
    assert sizes == [25, 28, 31, 34, 37]
    assert FIRST_SIZE == 25
    world.pull_request("acme/api", 999, "2026-02-03 10:00")
    fetch(github, tmp_path)
    assert github.operations("PullRequests")[-1].variables["first"] == 40 < MAX_SIZE


@pytest.mark.parametrize(
    "failure",
    [
        Answer(502, b"<html>"),
        Answer(504),
        Answer(200, {"data": None, "errors": [TIMED_OUT]}),
        Answer(200, {"data": None}),
        Answer(200, {"data": {"repository": {"pullRequests": {}}}, "errors": [TIMED_OUT]}),
        Answer(200, {"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "too many nodes"}]}),
    ],
    ids=["502", "504", "data null and an error", "data null", "data and an error", "too many nodes"],
)
def test_a_page_that_is_too_much_is_halved_until_it_is_not(
    github: GitHub, world: World, tmp_path, failure
) -> None:
    fill(world, 20)
    github.rule = lambda request: failure if request.variables.get("first", 0) > 7 else None
    cache = fetch(github, tmp_path)["acme/api"]
    sizes = [request.variables["first"] for request in github.operations("PullRequests")]
    assert sizes[:3] == [25, 12, 6]
    assert sorted(known(cache)) == list(range(1, 21))
    assert cache.header.first < FIRST_SIZE


def test_a_pull_request_that_is_too_much_by_itself_is_read_in_smaller_parts(
    github: GitHub, world: World, tmp_path
) -> None:
    made = world.pull_request("acme/api", 1, "2026-02-01 10:00")
    made["files"] = [world.file(f"f{number}.py") for number in range(60)]
    github.rule = lambda request: Answer(502) if request.variables.get("nested", 0) > 6 else None
    (found,) = known(fetch(github, tmp_path)["acme/api"]).values()
    assert len(found.files) == 60


def test_what_never_succeeds_ends_in_one_line_and_what_was_read_is_kept(
    github: GitHub, world: World, tmp_path
) -> None:
    fill(world, 40)
    github.rule = lambda request: Answer(502) if request.variables.get("after") else None
    with pytest.raises(UnavailableError, match="the query took too long") as caught:
        fetch(github, tmp_path)
    assert "\n" not in str(caught.value)
    kept = Cache.read(cache_path(tmp_path, "acme/api"))
    assert (len(known(kept)), kept.is_complete) == (25, False)


def test_a_slow_page_is_asked_for_again_in_halves(github: GitHub, world: World, tmp_path) -> None:
    fill(world, 3)

    def slow(request: Request) -> Answer | None:
        return Answer(502, delay=0.3) if request.variables.get("first") == 25 else None

    github.rule = slow
    assert len(known(fetch(github, tmp_path, timeout=0.15)["acme/api"])) == 3


@pytest.mark.parametrize(
    "fault",
    [
        Answer(200, b"<html>it works</html>"),
        Answer(200, b'{"data": {"repository'),
        Answer(200, [1, 2]),
        Answer(200, {"data": {"repository": {"pullRequests": {"nodes": [{"number": "x"}]}}}}),
        Answer(200, b"\xff\xfe"),
        Answer(503),
    ],
    ids=["HTML", "half an answer", "a list", "another shape", "bytes", "overloaded"],
)
def test_a_malformed_answer_is_asked_for_again(github: GitHub, world: World, tmp_path, fault) -> None:
    fill(world, 2)
    github.faults = [lambda _request: None, fault, fault]
    assert len(known(fetch(github, tmp_path)["acme/api"])) == 2


def test_an_enormous_answer_is_not_read_to_its_end(
    github: GitHub, world: World, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("tformance_seed.sources.github.client.MAX_ANSWER", 20_000)
    fill(world, 4)
    github.faults = [lambda _request: None, Answer(200, b" " * 10_000_000)]
    assert len(known(fetch(github, tmp_path)["acme/api"])) == 4
    assert github.operations("PullRequests")[1].variables["first"] < FIRST_SIZE


def test_a_page_that_leads_nowhere_ends(github: GitHub, world: World, tmp_path) -> None:
    world.repository("acme/api")
    fill(world, 1)
    page = {"pageInfo": {"hasNextPage": True, "endCursor": None}, "nodes": []}
    answer = Answer(200, {"data": {"repository": {"nameWithOwner": "acme/api", "pullRequests": page}}})
    github.rule = lambda request: answer if request.operation == "PullRequests" else None
    with pytest.raises(UnavailableError, match="does not say where the next one begins"):
        fetch(github, tmp_path)


def test_what_is_up_to_date_costs_one_request(github: GitHub, world: World, tmp_path) -> None:
    for name in ("acme/api", "acme/web", "acme/docs"):
        fill(world, 5, name)
    fetch(github, tmp_path)
    github.requests.clear()
    fetch(github, tmp_path)
    assert [request.operation for request in github.requests] == ["Repositories"]


def test_repositories_in_which_nothing_changed_since_are_not_asked_for(
    github: GitHub, world: World, tmp_path
) -> None:
    fill(world, 3)
    world.pull_request("acme/old", 1, "2020-02-01 10:00")
    world.repository("acme/empty")
    caches = fetch(github, tmp_path)
    assert len(github.operations("PullRequests")) == 1
    assert all(cache.is_complete for cache in caches.values())


def test_the_next_run_fetches_what_changed(github: GitHub, world: World, tmp_path) -> None:
    fill(world, 120)
    fetch(github, tmp_path)
    github.requests.clear()
    world.repositories["acme/api"]["pullRequests"][2] |= {
        "title": "Changed",
        "updatedAt": "2026-03-01T10:00:00Z",
    }
    world.pull_request("acme/api", 500, "2026-03-02 10:00")
    cache = fetch(github, tmp_path)["acme/api"]
    assert len(github.operations("PullRequests")) == 1
    assert (known(cache)[3].title, len(known(cache))) == ("Changed", 121)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_fetch_that_broke_off_goes_on_after_its_last_page(
    github: GitHub, world: World, tmp_path, page
) -> None:
    fill(world, 100)
    fetch(github, tmp_path / "whole")
    pages = len(github.operations("PullRequests"))
    github.requests.clear()

    github.faults = [*[lambda _request: None] * (1 + page), Answer(403, {"message": "no more"})]
    with pytest.raises(InputError, match="no more"):
        fetch(github, tmp_path / "halves")
    assert not Cache.read(cache_path(tmp_path / "halves", "acme/api")).is_complete
    cache = fetch(github, tmp_path / "halves")["acme/api"]
    assert cache.is_complete
    assert len(github.operations("PullRequests")) == pages + 1  # the one that failed
    assert known(cache) == known(Cache.read(cache_path(tmp_path / "whole", "acme/api")))


def test_what_changed_while_a_fetch_was_broken_off_is_fetched_too(
    github: GitHub, world: World, tmp_path
) -> None:
    fill(world, 60)
    github.faults = [*[lambda _request: None] * 2, Answer(400, {"message": "no"})]
    with pytest.raises(InputError):
        fetch(github, tmp_path)
    world.repositories["acme/api"]["pullRequests"][0] |= {
        "title": "New",
        "updatedAt": "2026-03-01T10:00:00Z",
    }
    cache = fetch(github, tmp_path)["acme/api"]
    assert (known(cache)[1].title, len(known(cache)), cache.is_complete) == ("New", 60, True)


def test_a_cursor_that_expired_begins_the_fetch_again(github: GitHub, world: World, tmp_path) -> None:
    fill(world, 60)
    github.faults = [*[lambda _request: None] * 2, Answer(400, {"message": "no"})]
    with pytest.raises(InputError):
        fetch(github, tmp_path)
    cursor = Cache.read(cache_path(tmp_path, "acme/api")).header.walk.cursor
    github.expired_cursors.add(cursor)
    heard = Heard()
    cache = fetch(github, tmp_path, heard=heard)["acme/api"]
    assert (len(known(cache)), cache.is_complete) == (60, True)
    assert "begins again" in heard.said[0]


def test_an_earlier_beginning_is_fetched_from_where_the_cache_ends(
    github: GitHub, world: World, tmp_path
) -> None:
    for number in range(1, 101):
        world.pull_request("acme/api", number, f"2025-{1 + number // 9:02}-{1 + number % 9:02} 10:00")
    assert len(known(fetch(github, tmp_path, since="2025-10-01")["acme/api"])) < 60
    github.requests.clear()
    cache = fetch(github, tmp_path, since="2025-01-01")["acme/api"]
    assert (sorted(known(cache)), cache.is_complete) == (list(range(1, 101)), True)
    assert all(request.variables["after"] for request in github.operations("PullRequests"))


def test_refresh_forgets_what_was_there(github: GitHub, world: World, tmp_path) -> None:
    fill(world, 3)
    fetch(github, tmp_path)
    del world.repositories["acme/api"]["pullRequests"][0]
    assert len(known(fetch(github, tmp_path)["acme/api"])) == 3
    assert len(known(fetch(github, tmp_path, refresh=True)["acme/api"])) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "other version", "no gzip"])
def test_a_damaged_cache_is_fetched_again(github: GitHub, world: World, tmp_path, damage) -> None:
    fill(world, 3)
    cache = fetch(github, tmp_path)["acme/api"]
    content = bytearray(cache.path.read_bytes())
    if damage == "cut":
        content = content[:-9]
    elif damage == "flipped":
        content[-20] ^= 0xFF
    elif damage == "no gzip":
        content = bytearray(b"not a cache")
    else:
        cache.header.version = 99
        cache.save()
        content = bytearray(cache.path.read_bytes())
    cache.path.write_bytes(content)
    heard = Heard()
    assert len(known(fetch(github, tmp_path, heard=heard)["acme/api"])) == 3
    assert "it is fetched again" in heard.said[0]


def test_a_cache_is_readable_by_its_owner_alone_and_replaced_as_a_whole(
    github: GitHub, world: World, tmp_path
) -> None:
    fill(world, 30)
    path = fetch(github, tmp_path)["acme/api"].path
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_names_of_files_are_never_those_of_a_server(github: GitHub, world: World, tmp_path) -> None:
    world.repository("acme/api")["nameWithOwner"] = "../../etc"
    with pytest.raises(UnavailableError, match="is not the name of a repository"):
        fetch(github, tmp_path / "inside")
    assert list(tmp_path.iterdir()) == []
