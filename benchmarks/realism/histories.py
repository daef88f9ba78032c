"""Merged pull requests of a repository, from a clone or from the synthetic source."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tformance_seed.catalog import Organisation, load_organisations
from tformance_seed.catalog.profile import Profile
from tformance_seed.sources.git.source import GitSource, Repository, repository_name
from tformance_seed.sources.records import Batch, Source
from tformance_seed.sources.synthetic import SyntheticSource

#: Pull requests that are read at a time.
BATCH = 2000

#: Letters of the statuses of files.
LETTERS = {b"added": "a", b"modified": "m", b"removed": "d", b"renamed": "r"}


@dataclass(frozen=True)
class File:
    """A file that a pull request changes."""

    path: str
    status: str  #: one of ``LETTERS``
    additions: int
    deletions: int


@dataclass(frozen=True)
class Change:
    """A merged pull request."""

    number: int
    title: str
    body: str
    author: int
    is_bot: bool
    merged_at: datetime.datetime  #: in UTC
    jira_key: str
    files: list[File] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """Additions and deletions."""
        return sum(file.additions + file.deletions for file in self.files)


def read_clone(path: Path, since: datetime.date, until: datetime.date) -> list[Change]:
    """Return the pull requests that a clone's first-parent history merged, oldest first."""
    name = repository_name(path)
    organisation = Organisation("real", name, (name,), jira_project_key="REAL")
    profile = Profile(organisation, 0, since, until, 0)
    return _changes(GitSource([Repository(path, name)], profile), name)


def generate(slug: str, seed: int, since: datetime.date, until: datetime.date) -> list[Change]:
    """Return the merged pull requests of a generated organisation's first repository, oldest first."""
    organisation = load_organisations()[slug]
    profile = Profile(
        organisation, seed, since, until, organisation.members, adoption=organisation.ai_adoption_rate
    )
    return _changes(SyntheticSource(profile), organisation.repos[0])


def _changes(source: Source, repository: str) -> list[Change]:
    changes = [
        change
        for start in range(0, source.length, BATCH)
        for batch in source.batches(start, min(start + BATCH, source.length))
        for change in _merged(batch, repository.encode())
    ]
    return sorted(changes, key=lambda change: change.merged_at)


def _merged(batch: Batch, repository: bytes) -> Iterator[Change]:
    prs, columns = batch.pull_requests, batch.files
    files: list[list[File]] = [[] for _ in prs["key"]]
    names = ("pull_request", "filename", "status", "additions", "deletions")
    for owner, name, status, added, removed in zip(*(columns[at].tolist() for at in names), strict=True):
        files[owner].append(File(name.decode(), LETTERS[status], added, removed))
    for row, state in enumerate(prs["state"].tolist()):
        if state == b"merged" and prs["repository"][row] == repository:
            yield Change(
                number=int(prs["number"][row]),
                title=prs["title"][row].decode(),
                body=prs["body"][row].decode(),
                author=int(prs["author"][row]),
                is_bot=bool(prs["is_bot"][row]),
                merged_at=prs["ended_at"][row].item().replace(tzinfo=datetime.UTC),
                jira_key=prs["jira_key"][row].decode(),
                files=files[row],
            )
