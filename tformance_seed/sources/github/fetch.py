"""Bring caches up to date: fetch what changed since they were written, and go on where a fetch broke off."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tformance_seed.errors import InputError
from tformance_seed.sources.github import queries
from tformance_seed.sources.github.cache import Cache, DamagedError, Walk, cache_path, is_repository_name
from tformance_seed.sources.github.client import Client, InvalidCursorError, Question
from tformance_seed.sources.github.pages import PageSize, Reader
from tformance_seed.sources.github.replies import PageInfo, RepositoriesAnswer, Repository
from tformance_seed.sources.request import FetchListener


@dataclass(frozen=True)
class Found:
    """A repository on GitHub.

    Parameters:
      name: owner/name.
      owner: what its owner is called; empty if that was not asked for.
      newest: when a pull request changed last; None: there is none.
    """

    name: str
    owner: str
    newest: datetime.datetime | None


def find_repositories(client: Client, login: str) -> list[Found]:
    """Return the repositories of an owner, forks excepted.

    Raises the errors of ``Client.ask``, and InputError: GitHub knows no such owner.
    """
    found: list[Found] = []
    cursor: str | None = None
    while True:

        def question(after: str | None = cursor) -> Question:
            return queries.REPOSITORIES, {"login": login, "after": after}

        def read(data: msgspec.Raw) -> tuple[list[Found], PageInfo]:
            owner = msgspec.json.decode(data, type=RepositoriesAnswer).repository_owner
            if owner is None:
                raise InputError(f"{login}: GitHub has no such organisation or user, nor has the catalogue")
            named = owner.name or owner.login
            page = owner.repositories
            return [_found(each.name_with_owner, named, each) for each in page], page.page_info

        some, page = client.ask(question, read)
        found += some
        if not page.has_next_page or page.end_cursor in (None, cursor):
            return found
        cursor = page.end_cursor


def look_up_repositories(client: Client, names: Sequence[str]) -> list[Found]:
    """Return repositories of which the names are known, in that order.

    Raises the errors of ``Client.ask``, and InputError: GitHub has no such repository.
    """
    found: list[Found] = []
    for first in range(0, len(names), queries.REPOSITORIES_PER_QUERY):
        some = names[first : first + queries.REPOSITORIES_PER_QUERY]
        variables: dict[str, Any] = {}
        for index, name in enumerate(some):
            variables[f"owner{index}"], variables[f"name{index}"] = name.split("/")

        def question(count: int = len(some), variables: dict[str, Any] = variables) -> Question:
            return queries.named_repositories(count), variables

        def read(data: msgspec.Raw, some: Sequence[str] = some) -> list[Found]:
            answer = msgspec.json.decode(data, type=dict[str, Any])
            several = []
            for index, name in enumerate(some):
                if answer.get(f"r{index}") is None:
                    raise InputError(f"GitHub has no repository {name} that this token may read")
                repository = msgspec.convert(answer[f"r{index}"], type=Repository)
                several.append(_found(name, "", repository))
            return several

        found += client.ask(question, read)
    return found


def _found(name: str, owner: str, repository: Repository) -> Found:
    if not is_repository_name(name):
        raise msgspec.ValidationError(f"{name!r} is not the name of a repository")
    return Found(name, owner, repository.newest)


@dataclass
class Fetcher:
    """Brings caches up to date.

    Parameters:
      folder: where the caches are.
      url: the API's address.
      refresh: whether to forget what is there.
    """

    client: Client
    folder: Path
    url: str
    listener: FetchListener
    refresh: bool = False

    def update(self, repository: Found, since: datetime.datetime, now: datetime.datetime) -> Cache:
        """Fetch what is not there of a repository's pull requests that changed since a time.

        Each page is in the cache as soon as it was read, so whatever ends this, the next call goes on there.

        Raises the errors of ``Client.ask``, and InputError: the cache is another server's, or cannot be read
        or written.
        """
        cache = self._open(repository)
        header = cache.header
        header.owner = repository.owner or header.owner
        if header.walk is None and (repository.newest is None or repository.newest < since):
            header.since = min(since, header.since or since)
            header.newest = header.newest or repository.newest
        for walk in self._walks(cache, repository, since):
            header.walk = walk
            self._go(cache, walk)
        header.checked_at = now
        cache.save()
        return cache

    def _open(self, repository: Found) -> Cache:
        """Return the cache of a repository, an empty one if there is none that can be used."""
        path = cache_path(self.folder, repository.name)
        cache = Cache.empty(path, repository.name)
        if path.exists() and not self.refresh:
            try:
                kept = Cache.read(path)
                kept.lines()
            except DamagedError as error:
                self.listener.say(f"{error}; it is fetched again")
            else:
                if kept.header.url != self.url:
                    raise InputError(f"cache {path}: it is of another server; choose another --cache-dir")
                return kept
        cache.header.url = self.url
        return cache

    def _walks(self, cache: Cache, repository: Found, since: datetime.datetime) -> Iterator[Walk]:
        """Yield the walks that are missing, one after the other has ended."""
        header = cache.header
        if header.walk:
            if header.since is None or header.walk.extends:
                header.walk.until = min(header.walk.until, since)
            yield header.walk
        if header.since is None:
            yield Walk(since)
        assert header.since is not None  # noqa: S101 - a walk has ended
        if repository.newest and (header.newest is None or repository.newest > header.newest):
            yield Walk(max(header.newest or header.since, header.since))
        if since < header.since:
            yield Walk(since, cursor=header.tail, extends=True)

    def _go(self, cache: Cache, walk: Walk) -> None:
        """Go a walk to its end."""
        header = cache.header
        size = PageSize(header.first, header.nested) if header.first else PageSize()
        reader = Reader(self.client, header.repository, size)
        read = 0
        while True:
            try:
                page = reader.read(walk.cursor)
            except InvalidCursorError:
                self.listener.say(f"{header.repository}: where the last fetch ended is gone; it begins again")
                walk.cursor, walk.newest, walk.extends, header.tail = None, None, False, None
                continue
            changed = [pull_request.updated_at for pull_request in page.pull_requests]
            if walk.newest is None and changed and not walk.extends:
                walk.newest = max(changed)
            cache.add(page.pull_requests)
            walk.cursor = page.cursor
            header.first, header.nested = size.first, size.nested
            read += len(changed)
            is_over = page.is_last or (len(changed) > 0 and min(changed) < walk.until)
            if is_over:
                self._end(cache, walk)
            cache.save()
            self.listener.show(f"{header.repository}: {read} pull requests fetched")
            if is_over:
                return

    def _end(self, cache: Cache, walk: Walk) -> None:
        """Note that a walk has ended: what lies behind it is complete."""
        header = cache.header
        if header.since is None or walk.until < header.since:
            header.since, header.tail = walk.until, walk.cursor
        if walk.newest is not None:
            header.newest = max(walk.newest, header.newest or walk.newest)
        header.walk = None
