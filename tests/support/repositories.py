"""Small git repositories made to measure, and what the git source reads from them as plain Python."""

import datetime
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tformance_seed.catalog import Organisation
from tformance_seed.catalog.profile import Profile
from tformance_seed.sources.git import GitSource, Repository

ANN = "Ann Lee <ann@corp.io>"
BOB = "Bob Ray <1234+bobray@users.noreply.github.com>"
CARL = "Carl Ek <carl@corp.io>"
DEPENDABOT = "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>"


class Workshop:
    """A repository under construction. Times are in UTC, ``2025-03-01 10:00``."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, **variables: str) -> str:
        command = [
            "git",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "user.name=W",
            "-c",
            "user.email=w@w.io",
            *arguments,
        ]
        return subprocess.run(
            command,
            cwd=self.path,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **variables},
            check=True,
            capture_output=True,
            encoding="utf-8",
        ).stdout.strip()

    def commit(
        self,
        message: str,
        at: str,
        author: str = ANN,
        authored: str | None = None,
        files: dict[str, str | bytes | None] | None = None,
    ) -> str:
        """A commit of these files (None removes one), by default of one to which each adds a line."""
        if files is None:
            log = self.path / f"{self.git('branch', '--show-current').replace('/', '-')}.py"
            files = {log.name: (log.read_text() if log.exists() else "") + f"{message.splitlines()[0]}\n"}
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message, **_people(author, at, authored or at))
        return self.head

    def branch(self, name: str, start: str = "main") -> None:
        self.git("checkout", "--quiet", "-b", name, start)

    def merge(self, *branches: str, message: str, at: str, into: str = "main", author: str = CARL) -> str:
        self.git("checkout", "--quiet", into)
        self.git("merge", "--quiet", "--no-ff", "-m", message, *branches, **_people(author, at, at))
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")


def _people(author: str, at: str, authored: str) -> dict[str, str]:
    name, _, email = author.partition(" <")
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email.rstrip(">"),
        "GIT_AUTHOR_DATE": f"{authored} +0000",
        "GIT_COMMITTER_NAME": "GitHub",
        "GIT_COMMITTER_EMAIL": "noreply@github.com",
        "GIT_COMMITTER_DATE": f"{at} +0000",
    }


def profile(since: str = "2025-03-01", until: str = "2025-03-31", seed: int = 1) -> Profile:
    return Profile(
        Organisation("acme", "Acme"),
        seed=seed,
        since=datetime.date.fromisoformat(since),
        until=datetime.date.fromisoformat(until),
        members=0,
    )


def source(
    *paths: Path, since: str = "2025-03-01", until: str = "2025-03-31", emails: bool = False
) -> GitSource:
    """A source of repositories called ``acme/`` and their folder."""
    repositories = [Repository(path, f"acme/{path.name}") for path in paths]
    return GitSource(repositories, profile(since, until), emails=emails)


@dataclass
class Contents:
    """The content of a source: references resolved, arrays as lists of rows."""

    pull_requests: list[dict]
    commits: list[dict]
    members: dict[str, dict]  # by github_username
    ranges: list[tuple[int, int]]

    @property
    def numbers(self) -> list[int]:
        return [row["number"] for row in self.pull_requests]

    @property
    def loose(self) -> list[str]:
        """Subjects of the commits outside any pull request."""
        return [row["message"].splitlines()[0] for row in self.commits if row["pull_request"] is None]

    def pull_request(self, number: int) -> dict:
        return next(row for row in self.pull_requests if row["number"] == number)

    def subjects(self, number: int) -> list[str]:
        return [row["message"].splitlines()[0] for row in self.commits if row["pull_request"] == number]


def read_all(source: GitSource, size: int = 100, first: int = 0) -> Contents:
    members = _rows(source.members().columns)
    logins = [member["github_username"] for member in members]
    everything = Contents([], [], dict(zip(logins, members, strict=True)), [])
    starts = range(first, source.length, size)
    batches = (batch for start in starts for batch in source.batches(start, min(start + size, source.length)))
    for batch in batches:
        pull_requests = _rows(batch.pull_requests)
        for pull_request in pull_requests:
            pull_request["files"] = []
        for file in _rows(batch.files):
            pull_requests[file.pop("pull_request")]["files"].append(file)
        commits = _rows(batch.commits)
        for commit in commits:
            place = commit["pull_request"]
            commit["pull_request"] = None if place < 0 else pull_requests[place]["number"]
        for row in pull_requests + commits:
            row["author"] = None if row["author"] < 0 else logins[row["author"]]
        everything.pull_requests += pull_requests
        everything.commits += commits
        everything.ranges.append((batch.start, batch.stop))
    return everything


def _rows(columns: dict) -> list[dict]:
    plain = {
        name: [value.decode() if isinstance(value, bytes) else value for value in column.tolist()]
        for name, column in columns.items()
    }
    return [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]


#: What is read of a repository, and the fingerprint of what was read.
Content = tuple[Contents, str]


def content_of(path: Path) -> Content:
    read = source(path)
    return read_all(read), read.fingerprint


@dataclass(frozen=True)
class Imported:
    """A commit to import: its file is called as it is, and has a line for each word of its message."""

    name: str
    parents: str  #: names of imported commits, such as "a b"; empty for a first commit
    message: str
    at: str  #: in UTC, ``2025-03-01 10:00``
    author: str = ANN
    committer: str = "W <w@w.io>"
    authored: str = ""  #: if that was not when it was committed


def import_history(folder: Path, *commits: Imported) -> dict[str, str]:
    """Make a repository of commits, which come after their parents, with the last one as HEAD.

    If there is one already, its history is rewritten.
    Much faster than a ``Workshop``: git is called three times.

    Returns:
      The names of the commits -> what git calls them.
    """
    made = Workshop(folder)
    stream = []
    marks = {commit.name: f":{mark}" for mark, commit in enumerate(commits, start=1)}
    for commit in commits:
        authored, committed = (
            f"{datetime.datetime.fromisoformat(f'{at}+00:00').timestamp():.0f} +0000"
            for at in (commit.authored or commit.at, commit.at)
        )
        message, content = commit.message, "\n".join(commit.message.split()) + "\n"
        first, *others = [marks[parent] for parent in commit.parents.split()] or [""]
        stream += [
            f"commit refs/heads/{commit.name}",
            f"mark {marks[commit.name]}",
            f"author {commit.author} {authored}",
            f"committer {commit.committer} {committed}",
            f"data {len(message.encode())}\n{message}",
            *([f"from {first}"] if first else ["deleteall"]),
            *(f"merge {other}" for other in others),
            f"M 100644 inline {commit.name}.py\ndata {len(content.encode())}\n{content}",
        ]
    subprocess.run(
        ["git", "fast-import", "--quiet", "--force", "--export-marks=marks"],
        cwd=folder,
        input="\n".join([*stream, ""]).encode("utf-8", "surrogateescape"),
        check=True,
    )
    made.git("symbolic-ref", "HEAD", f"refs/heads/{commits[-1].name}")
    lines = (folder / "marks").read_text().split("\n")
    shas = dict(line.split(" ") for line in lines if line)
    return {name: shas[mark] for name, mark in marks.items()}
