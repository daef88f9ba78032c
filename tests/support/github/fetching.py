"""Fetch from our GitHub into caches, as ``seed`` does, without seeding."""

import datetime
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tests.support.github.server import GitHub
from tformance_seed.sources.github import facts
from tformance_seed.sources.github.cache import Cache
from tformance_seed.sources.github.client import Client
from tformance_seed.sources.github.fetch import Fetcher, find_repositories, look_up_repositories
from tformance_seed.sources.github.tokens import TokenPool
from tformance_seed.sources.request import FetchListener

NOW = datetime.datetime(2026, 3, 19, 9, 30, tzinfo=datetime.UTC)


def utc(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


@dataclass
class Heard:
    """What a listener was told."""

    said: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def listener(self) -> FetchListener:
        return FetchListener(say=self.said.append, show=self.shown.append)


def fetch(
    github: GitHub,
    folder: Path,
    since: str = "2026-01-01",
    owner: str = "acme",
    heard: Heard | None = None,
    *,
    patient: bool = False,
    refresh: bool = False,
    timeout: float = 30.0,
    names: Sequence[str] = (),
) -> dict[str, Cache]:
    """Bring the caches of an owner's repositories, or of those named, up to date; return them by name."""
    listener = (heard or Heard()).listener()
    tokens = TokenPool(list(github.tokens), "GITHUB_SEEDING_TOKENS")
    client = Client(github.url, tokens, listener, patient=patient, timeout=timeout)
    with closing(client):
        fetcher = Fetcher(client, folder, github.url, listener, refresh=refresh)
        found = look_up_repositories(client, names) if names else find_repositories(client, owner)
        return {each.name: fetcher.update(each, utc(since), NOW) for each in found}


def known(cache: Cache) -> dict[int, facts.PullRequest]:
    """The pull requests in a cache, by number."""
    decoder = msgspec.json.Decoder(facts.PullRequest)
    return {number: decoder.decode(line) for number, line in sorted(cache.lines().items())}
