"""Histories in which conventions are mixed at random, against what is known of how they were made."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.repositories import Imported, Workshop, import_history, read_all, source
from tformance_seed.sources.git.conventions import CHANGE_ID, find_pull_request

GITHUB = "GitHub <noreply@github.com>"

#: Messages of merges, with what is in them: the number, the branch, the title.
MERGES = (
    "Merge pull request #{0} from ann/{1}\n\n{2}",
    "Auto merge of #{0} - ann:{1}, r=bob\n\n{2}",
    "Merge #{0}\n\n{0}: {2} r=bob a=ann",
    "Merge acme/api#{0}: {2}",
    "Merge branch '{1}' into 'main'\n\n{2}\n\nSee merge request acme/api!{0}",
    "Merged in {1} (pull request #{0})\n\n{2}",
    "Merge PR #{0}: {2}",
    "Merge pull request {0} from users/ann/{1} into main\n\n{2}",
    "Merge pull request '{2}' (#{0}) from ann/api:{1} into main\n\nReviewed-on: https://host/acme/api/pulls/{0}",
)

#: Messages of squashed commits.
SQUASHES = (
    "{2} (#{0})",
    "{2} (GH-{0})",
    "Merged PR {0}: {2}",
    "Pull request #{0}: {2}",
    "{2}\n\nWhy\n\nReviewed-on: https://review.io/c/app/+/{0}",
    "{2}\n\nDifferential Revision: https://phab.io/D{0}",
    "{2}\n\nCloses #{0} from ann/{1}.",
)


@dataclass
class Made:
    """A history under construction, and what is true of it."""

    commits: list[Imported] = field(default_factory=list)
    heads: dict[str, str] = field(default_factory=lambda: {"main": "", "develop": ""})
    pull_requests: dict[int, list[str]] = field(default_factory=dict)  # -> the subjects of their commits
    refs: dict[int, str] = field(default_factory=dict)
    loose: list[str] = field(default_factory=list)

    def commit(self, parents: str, message: str, authored: str = "") -> str:
        """Add a commit a minute after the last one; return its name."""
        count = len(self.commits)
        at = f"2025-03-{2 + count // 1440:02} {count // 60 % 24:02}:{count % 60:02}"
        made = Imported(f"c{count}", parents, message, at, committer=GITHUB, authored=authored)
        self.commits.append(made)
        return made.name

    def branch(self, start: str, number: int, size: int) -> list[str]:
        """Add the commits of a pull request."""
        names = [start]
        for each in range(size):
            names.append(self.commit(names[-1], f"Work {number} {each}"))
        self.pull_requests[number] = [f"Work {number} {each}" for each in range(size)]
        return names[1:]


def land(made: Made, how: str, form: int, into: str, number: int, size: int, behind: int) -> None:
    """Land a pull request on a line of the history, branched off some commits before."""
    tip = made.heads[into]
    title, branch = f"Title {number}", f"b{number}"
    start = tip
    parents = {commit.name: commit.parents.split() for commit in made.commits}
    for _ in range(behind):
        start = (parents[start] or [start])[0]
    if how == "merge":
        work = made.branch(start, number, size)
        message = MERGES[form % len(MERGES)].format(number, branch, title)
        made.heads[into] = made.commit(f"{tip} {work[-1]}", message)
        made.refs[number] = work[-1]
    elif how == "squash":
        message = SQUASHES[form % len(SQUASHES)].format(number, branch, title)
        made.heads[into] = made.commit(tip, message)
        made.pull_requests[number] = [message.partition("\n")[0]]
        made.refs[number] = made.commit(start, f"Draft {number}")
    elif how == "rebase":
        work = made.branch(start, number, size)
        written = {commit.name: (commit.message, commit.at) for commit in made.commits}
        made.refs[number] = work[-1]
        made.heads[into] = tip
        for name in work:
            message, at = written[name]
            made.heads[into] = made.commit(made.heads[into], message, at)
    elif how == "foxtrot":  # somebody merged the line into their own branch, and pushed that
        local = made.commit(tip, f"Local {number}")
        made.loose.append(f"Local {number}")
        land(made, "merge", form, into, number, size, 0)
        made.heads[into] = made.commit(f"{local} {made.heads[into]}", "Merge branch 'main' of host:api")
    else:
        made.heads[into] = made.commit(tip, f"Direct {number}")
        made.loose.append(f"Direct {number}")


STEPS = st.tuples(
    st.sampled_from(["merge", "merge", "squash", "squash", "rebase", "foxtrot", "direct"]),
    st.integers(0, 20),
    st.sampled_from(["main", "main", "develop"]),
    st.integers(1, 3),
    st.integers(0, 2),
)


def read(made: Made, *, refs: bool) -> tuple[dict[int, list[str]], list[str]]:
    """What is read of a history: the subjects of the commits of each pull request, and of all others."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "api"
        names = import_history(path, *made.commits)
        if refs:
            shop = Workshop(path)
            lines = "".join(f"{names[name]} refs/pull/{number}/head\n" for number, name in made.refs.items())
            (path / ".git" / "packed-refs").write_text(f"# pack-refs with: peeled fully-peeled \n{lines}")
            assert len(shop.git("for-each-ref", "refs/pull").splitlines()) == len(made.refs)
        contents = read_all(source(path))
    return {number: contents.subjects(number) for number in contents.numbers}, contents.loose


def end(made: Made) -> Made:
    """Merge ``develop`` into ``main``, which comes last."""
    made.commit(f"{made.heads['main']} {made.heads['develop']}", "Merge branch 'develop'")
    return made


@settings(max_examples=15, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=14))
def test_every_pull_request_is_found_with_its_own_commits_whatever_the_mixture(
    steps: list[tuple[str, int, str, int, int]],
) -> None:
    made = Made()
    made.heads = dict.fromkeys(made.heads, made.commit("", "Begin"))
    for number, (how, form, into, size, behind) in enumerate(steps, start=101):
        land(made, how, form, into, number, size, behind)
    found, loose = read(end(made), refs=True)
    assert found == made.pull_requests
    assert sorted(loose) == sorted(["Begin", *made.loose])
    rebased = {number for number, (how, *_) in enumerate(steps, start=101) if how == "rebase"}
    found, _ = read(made, refs=False)
    assert found == {number: own for number, own in made.pull_requests.items() if number not in rebased}


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.sampled_from(["main", "develop"])), min_size=1)
)
def test_every_change_on_gerrit_is_found_however_it_was_submitted(steps: list[tuple[bool, int, str]]) -> None:
    made = Made()
    made.heads = dict.fromkeys(made.heads, made.commit("", "Begin"))
    for number, (is_merged, size, into) in enumerate(steps):
        tip = name = made.heads[into]
        for each in range(size):
            title = f"Change {number} {each}"
            digest = hashlib.sha1(title.encode(), usedforsecurity=False).hexdigest()
            name = made.commit(name, f"{title}\n\nWhy\n\nChange-Id: I{digest}\nSigned-off-by: A <a@b.io>")
            named = find_pull_request(title, f"Change-Id: I{digest}")
            assert named is not None
            assert named.convention == CHANGE_ID.name
            made.pull_requests[named.number] = [title]
        made.heads[into] = made.commit(f"{tip} {name}", f'Merge "{title}" into {into}') if is_merged else name
    found, loose = read(end(made), refs=False)
    assert found == made.pull_requests
    assert loose == ["Begin"]


def test_history_that_moved_from_one_forge_to_another_has_the_pull_requests_of_both() -> None:
    made = Made()
    made.heads = dict.fromkeys(made.heads, made.commit("", "Begin"))
    for number in range(101, 121):
        land(made, "merge", 0, "main", number, 1, 0)  # on GitHub
    on_github = dict(made.refs)
    for number in range(1, 24):
        land(made, "merge", 4, "main", number, 1, 0)  # on GitLab
    made.refs = on_github
    found, loose = read(made, refs=True)
    assert found == made.pull_requests
    assert loose == ["Begin"]
