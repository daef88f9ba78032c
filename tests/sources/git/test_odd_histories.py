"""Histories that are legal for git but odd: none takes long, much memory, or ends in a traceback."""

import datetime
import hashlib
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.repositories import read_all, source
from tformance_seed.errors import SeedError
from tformance_seed.sources.git import process
from tformance_seed.sources.git.conventions import find_pull_request

WHEN = 1_740_996_000  # 2025-03-03 10:00

ANN = b"Ann Lee <ann@corp.io>"


def bare_repository(path: Path) -> Path:
    (path / "objects").mkdir(parents=True)
    (path / "refs" / "heads").mkdir(parents=True)
    (path / "HEAD").write_text("ref: refs/heads/main\n")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return bare_repository(tmp_path / "api")


def put(folder: Path, kind: str, content: bytes) -> bytes:
    """Store an object as it is, even if git itself would not make such a one; return its name."""
    data = f"{kind} {len(content)}\0".encode() + content
    sha = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    file = folder / "objects" / sha[:2] / sha[2:]
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(zlib.compress(data, 1))
    return sha.encode()


def commit(
    folder: Path, message: bytes, *parents: bytes, people: bytes | None = None, tree: bytes = b""
) -> bytes:
    """Store a commit and make it the newest one; ``people`` are the lines of author and committer."""
    people = (
        b"author %b %d +0000\ncommitter %b %d +0000" % (ANN, WHEN, ANN, WHEN) if people is None else people
    )
    tree = tree or put(folder, "tree", b"")
    lines = [b"tree " + tree, *(b"parent " + parent for parent in parents), people, b"", message]
    sha = put(folder, "commit", b"\n".join(lines) + b"\n")
    (folder / "refs" / "heads" / "main").write_bytes(sha + b"\n")
    return sha


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Processor time, as others may use the machine."""
    began = time.process_time()
    yield
    assert time.process_time() - began < seconds


@pytest.mark.parametrize("when", [2**32 + 5, 253_402_300_800, 2**63 - 1_000])
def test_commit_from_a_far_future_is_outside_every_window(folder: Path, when: int) -> None:
    people = b"author %b %d +0000\ncommitter %b %d +0000" % (ANN, when, ANN, when)
    tip = commit(folder, b"Late (#2)", commit(folder, b"One (#1)"), people=people)
    commit(folder, b"Three (#3)", tip)
    assert read_all(source(folder)).numbers == [1, 3]


def test_author_from_a_far_future_wrote_when_it_was_committed(folder: Path) -> None:
    commit(
        folder, b"One (#1)", people=b"author %b 253402300800 +0000\ncommitter %b %d +0000" % (ANN, ANN, WHEN)
    )
    contents = read_all(source(folder))
    assert contents.members["ann-lee"]["created_at"] == datetime.datetime(2025, 3, 3, 10)


@pytest.mark.parametrize(
    "subject",
    [
        b"a" + b" " * 1_000_000 + b"b",
        b" (#1" * 300_000,
        b"(" * 1_000_000,
        b"Merge pull request #1 from " + b"a/" * 500_000,
        b"Merge #1" + b" #1" * 300_000,
        b"Fix " * 10_000 + b"(#7)",
    ],
    ids=lambda subject: subject[:12].decode(),
)
def test_endless_subject_is_read_at_once(folder: Path, subject: bytes) -> None:
    commit(folder, subject, commit(folder, b"Begin"))
    with at_most(2):
        contents = read_all(source(folder))
    assert all(len(row["message"]) <= 2_000 for row in contents.commits)
    if subject.endswith(b"(#7)"):
        assert contents.numbers == [7]


def test_endless_message_keeps_its_beginning_and_its_trailers(folder: Path) -> None:
    long = b"word another line\n" * 10_000
    commit(folder, b"One (#1)\n\nFirst.\n\n" + long + b"\nCo-Authored-By: Claude <noreply@anthropic.com>\n")
    row = read_all(source(folder)).pull_request(1)
    assert row["body"].startswith("First.")
    assert row["body"].endswith("Co-Authored-By: Claude <noreply@anthropic.com>")
    assert len(row["body"]) == 8_000
    assert row["has_ai_commits"]


def test_message_of_any_length_keeps_only_so_much_of_it(folder: Path) -> None:
    commit(folder, b"One (#1)\n\n" + b"x" * 50 * process.MAX_FIELD)
    assert len(read_all(source(folder)).pull_request(1)["body"]) == 8_000


def test_one_long_message_does_not_widen_many_short_ones(folder: Path) -> None:
    commit(folder, b"Short", commit(folder, b"Wide\n\n" + "漢".encode() * 100_000))
    read = source(folder)
    (batch,) = read.batches(0, read.length)
    assert batch.commits["message"].itemsize <= 2_000


def test_files_of_a_huge_change_are_listed_up_to_a_limit(folder: Path) -> None:
    tree, mode = put(folder, "blob", b"x\n"), b"100644"
    for _ in range(3):  # 8,000 files from three trees
        names = (b"%b f%02d\0" % (mode, number) for number in range(20))
        tree = put(folder, "tree", b"".join(name + bytes.fromhex(tree.decode()) for name in names))
        mode = b"40000"
    first = commit(folder, b"Begin")
    commit(folder, b"Remove", commit(folder, b"Many (#1)", first, tree=tree))
    contents = read_all(source(folder))
    row = contents.pull_request(1)
    assert (len(row["files"]), row["additions"]) == (3_000, 3_000)  # the lines are those of its files
    lines = [(commit["additions"], commit["deletions"]) for commit in contents.commits]
    assert lines == [(0, 0), (8_000, 0), (0, 8_000)]


def test_commit_that_needs_too_much_memory_is_refused_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(folder, b"x" * 60_000_000)
    monkeypatch.setattr(process, "MEMORY_LIMIT", 20 << 20)
    with pytest.raises(SeedError, match=r"git log\b.*memory"):
        source(folder)


@pytest.mark.parametrize(
    "people",
    [
        b"",
        b"author A <a@b.io>\ncommitter A <a@b.io>",
        b"author A <a@b.io> abc +0000\ncommitter A <a@b.io> -5 +0000",
        b"author A <a@b.io> %d +0000\ncommitter A <a@b.io> %d +0000" % (10**23, 10**23),
        b"author A\0B <a@b.io> %d +0000\ncommitter A <a@b.io> %d +0000" % (WHEN, WHEN),
        b"author \xe9 <\xff@\xfe> %d +0000\ncommitter <> %d +0000" % (WHEN, WHEN),
    ],
)
def test_commit_that_git_would_not_make_is_read_or_refused(folder: Path, people: bytes) -> None:
    commit(folder, b"Odd (#2)", commit(folder, b"One (#1)"), people=people)
    contents = read_all(source(folder))
    assert contents.numbers[:1] == [1]


def test_thousands_of_co_authors_with_names_alike_are_told_apart_at_once(folder: Path) -> None:
    trailers = "".join(
        f"Co-authored-by: Al{'.' * (n % 90)} Po{'!' * (n // 90)} <p{n}@b.co>\n" for n in range(1_500)
    )
    commit(folder, b"One (#1)\n\n" + trailers.encode())
    with at_most(10):
        members = read_all(source(folder)).members
    assert len(members) == 1_501


ODD_COMMITS = st.tuples(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)),  # message
    st.binary(max_size=40),  # name
    st.binary(max_size=40),  # address
    st.integers(-(2**40), 2**64),  # time
    st.sampled_from([b"+0000", b"-9999", b"+99999", b"", b"x"]),  # time zone
)


@settings(max_examples=15, deadline=None)
@given(st.lists(ODD_COMMITS, min_size=1, max_size=30))
def test_whatever_commits_say_they_are_read_or_refused_in_one_line(
    commits: list[tuple[bytes, bytes, bytes, int, bytes]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = bare_repository(Path(name, "api"))
        tip = commit(folder, b"One (#1)")
        for message, *who in commits:
            person = b"%b <%b> %d %b" % tuple(who)
            tip = commit(folder, message, tip, people=b"author %b\ncommitter %b" % (person, person))
        commit(folder, b"Last (#999999999)", tip)
        try:
            numbers = read_all(source(folder)).numbers
        except SeedError as error:
            refusal = str(error)
        else:
            refusal, numbers = "", [numbers[0], numbers[-1]]
    assert refusal.isprintable() if refusal else numbers == [1, 999_999_999]


@given(st.text(alphabet="Merge pull request #1(a) from/:!\n ", max_size=200), st.text(max_size=50))
def test_any_message_has_a_number_or_none(subject: str, body: str) -> None:
    found = find_pull_request(subject.replace("\n", " "), body)
    assert found is None or 1 <= found.number < 10**9
