"""Read a repository's pull requests page by page, each with all of its lists, in pages of bearable size."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tformance_seed.errors import InputError
from tformance_seed.sources.github import facts, queries
from tformance_seed.sources.github.answers import (
    NEXT_PAGE,
    List,
    PullRequest,
    PullRequestsAnswer,
    Review,
    line_comments,
    lists,
)
from tformance_seed.sources.github.client import Client, Question
from tformance_seed.sources.github.replies import Item, Page

#: Pull requests on the first page of a repository, on the largest one, and by how many a page grows after one
#: that was answered.
FIRST_SIZE, MAX_SIZE, GROWTH = 25, 50, 3

#: Items on the first page of a list below a pull request. GitHub's limit on the nodes of a query, 500,000, is
#: far away even if each list is read, and each review's.
FIRST_NESTED = 25

#: Lists that are continued by one query.
MAX_LISTS = 20


@dataclass
class PageSize:
    """How much is asked for at once: pull requests, and items of each of their lists."""

    first: int = FIRST_SIZE
    nested: int = FIRST_NESTED

    def halve(self) -> None:
        """Ask for half of the pull requests; if it is one only, for half of the items."""
        if self.first > 1:
            self.first //= 2
        else:
            self.nested = max(1, self.nested // 2)

    def grow(self) -> None:
        """Ask for a little more."""
        if self.nested < FIRST_NESTED:
            self.nested = min(self.nested * 2, FIRST_NESTED)
        else:
            self.first = min(self.first + GROWTH, MAX_SIZE)


@dataclass(frozen=True)
class PullRequestPage:
    """Pull requests, those that changed last first, and where the next page begins."""

    pull_requests: list[facts.PullRequest]
    cursor: str | None
    is_last: bool


@dataclass
class Reader:
    """Reads one repository.

    Parameters:
      repository: owner/name.
      size: how much to ask for; it is adapted to what GitHub answers.
    """

    client: Client
    repository: str
    size: PageSize = field(default_factory=PageSize)

    def read(self, cursor: str | None) -> PullRequestPage:
        """Return the page after a cursor, each of its pull requests complete.

        Raises the errors of ``Client.ask``.
        """
        owner, name = self.repository.split("/")

        def question() -> Question:
            size = {"first": self.size.first, "nested": self.size.nested}
            return queries.PULL_REQUESTS, {"owner": owner, "name": name, "after": cursor, **size}

        def read(data: msgspec.Raw) -> tuple[str, Page[PullRequest]]:
            repository = msgspec.json.decode(data, type=PullRequestsAnswer).repository
            if repository is None:
                raise InputError(f"GitHub has no repository {self.repository} that this token may read")
            return repository.name_with_owner, _moved_on(repository.pull_requests, cursor)

        name_now, page = self.client.ask(question, read, self.size.halve)
        found = list(page)
        self._complete(found)
        self.size.grow()
        return PullRequestPage(
            [pull_request.fact(name_now) for pull_request in found],
            page.page_info.end_cursor or cursor,
            is_last=not page.page_info.has_next_page,
        )

    def _complete(self, pull_requests: list[PullRequest]) -> None:
        """Read all lists of pull requests to their ends, several with one query."""
        waiting = _unfinished(each for pull_request in pull_requests for each in lists(pull_request))
        size = PageSize(MAX_LISTS, queries.MAX_NESTED)
        while waiting:
            pages = self._next_pages(waiting, size)
            asked, waiting = waiting[: len(pages)], waiting[len(pages) :]
            for (_name, _node, page), more in zip(asked, pages, strict=True):
                page.nodes += more.nodes
                page.page_info = more.page_info
            reviews = [review for page in pages for review in page if isinstance(review, Review)]
            waiting = _unfinished(asked) + _unfinished(map(line_comments, reviews)) + waiting

    def _next_pages(self, waiting: list[List], size: PageSize) -> list[Page[Any]]:
        """Return the next page of as many of the lists as GitHub answers for."""

        def question() -> Question:
            some = waiting[: size.first]
            variables: dict[str, Any] = {"nested": size.nested}
            for index, (_name, node, page) in enumerate(some):
                variables |= {f"id{index}": node, f"after{index}": page.page_info.end_cursor}
            return queries.next_pages([name for name, _node, _page in some]), variables

        def read(data: msgspec.Raw) -> list[Page[Any]]:
            answer = msgspec.json.decode(data, type=dict[str, Any])
            pages = []
            for index, (name, _node, before) in enumerate(waiting[: size.first]):
                value: Any = answer.get(f"n{index}")
                for part in queries.NESTED[name].fields:
                    value = value.get(part) if isinstance(value, dict) else None
                page: Page[Any] = msgspec.convert(value, type=NEXT_PAGE[name])
                pages.append(_moved_on(page, before.page_info.end_cursor))
            return pages

        def too_heavy() -> None:
            size.first = min(size.first, len(waiting))
            size.halve()

        return self.client.ask(question, read, too_heavy)


def _unfinished(found: Iterable[List]) -> list[List]:
    return [each for each in found if each[2].page_info.has_next_page]


def _moved_on(page: Page[Item], cursor: str | None) -> Page[Item]:
    """Return a page if it says how to go on, if there is more.

    Raises:
      msgspec.ValidationError: it does not; asking again would never end.
    """
    after = page.page_info
    if after.has_next_page and after.end_cursor in (None, cursor):
        raise msgspec.ValidationError("a page does not say where the next one begins")
    return page
