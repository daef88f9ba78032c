"""The shape of GitHub's answers apart from pull requests: pages, limits, owners and repositories."""

import datetime
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")


class Answer(msgspec.Struct, rename="camel"):
    """A part of an answer, with GitHub's names; fields that nobody asked for are ignored."""


class PageInfo(Answer):
    """Where a page ends."""

    has_next_page: bool
    end_cursor: str | None = None


class Page(Answer, Generic[Item]):
    """A page of a list. Items that GitHub hides are None."""

    nodes: list[Item | None]
    page_info: PageInfo

    def __iter__(self) -> Iterator[Item]:
        return (item for item in self.nodes if item is not None)


class RateLimit(Answer):
    """What a query cost, and what its token may still spend until ``reset_at``."""

    cost: int
    remaining: int
    reset_at: datetime.datetime


class Updated(Answer):
    """When a pull request changed last."""

    updated_at: datetime.datetime


class Newest(Answer):
    """The pull request that changed last, if there is any."""

    nodes: list[Updated | None]


class Repository(Answer):
    """A repository, and when its pull requests changed last."""

    name_with_owner: str
    pull_requests: Newest

    @property
    def newest(self) -> datetime.datetime | None:
        """When a pull request changed last; None if there is none."""
        return next((item.updated_at for item in self.pull_requests.nodes if item), None)


class Owner(Answer):
    """An owner with a page of repositories."""

    login: str
    repositories: Page[Repository]
    name: str | None = None


class RepositoriesAnswer(Answer):
    """The answer to ``queries.REPOSITORIES``."""

    repository_owner: Owner | None
