"""How a pull request stood when the window ended, and who its accounts are."""

import datetime
from dataclasses import dataclass
from typing import NamedTuple

from tformance_seed.sources.detection import is_bot, reviewer_type
from tformance_seed.sources.github import facts
from tformance_seed.sources.people import Identity


@dataclass(frozen=True)
class Window:
    """The times that count, in seconds since 1970, after every time was moved by ``shift``.

    ``horizon`` is the time after which nothing is known, or nothing known is used: the end, as a rule.
    """

    start: int
    end: int
    shift: int
    horizon: int

    def seconds(self, when: datetime.datetime) -> int:
        """Return a time of the source, moved."""
        return int(when.timestamp()) + self.shift

    def known(self, when: datetime.datetime | None) -> int | None:
        """Return a time of the source, moved; None if it is unknown, or beyond the horizon."""
        if when is None:
            return None
        seconds = self.seconds(when)
        return seconds if seconds < self.horizon else None


class Snapshot(NamedTuple):
    """How a pull request stood at the end of the window; times in seconds since 1970, moved."""

    state: str
    created: int
    ended: int  #: merged, closed, or of an open one the last thing that happened


def snapshot(pull_request: facts.PullRequest, window: Window) -> Snapshot | None:
    """Return how a pull request stood at the horizon of a window; None if it was not there yet."""
    created = window.known(pull_request.created_at)
    if created is None:
        return None
    merged, closed = window.known(pull_request.merged_at), window.known(pull_request.closed_at)
    if merged is not None:
        return Snapshot("merged", min(created, merged), merged)
    if closed is not None and pull_request.merged_at is None:
        return Snapshot("closed", min(created, closed), closed)
    events = [
        *(commit.committed_at for commit in pull_request.commits),
        *(review.submitted_at for review in pull_request.reviews or ()),
        *(comment.created_at for comment in pull_request.comments or ()),
    ]
    happened = [seconds for event in events if (seconds := window.known(event)) is not None]
    return Snapshot("open", created, max([created, *happened]))


def account_identity(account: facts.Account) -> Identity:
    """Return an account as git would know it: a name, and GitHub's own address."""
    number = f"{account.id}+" if account.id else ""
    return account.name or account.login, f"{number}{account.login}@users.noreply.github.com"


def commit_identity(commit: facts.Commit) -> Identity:
    """Return the author of a commit as git knows it; where no address is known, that of the account."""
    if commit.author_email or commit.account is None:
        return commit.author_name, commit.author_email
    return account_identity(commit.account)


def tool_of(account: facts.Account | None) -> str:
    """Return the tool that an account belongs to; empty for everybody else.

    GraphQL gives the logins of bots without the ``[bot]`` with which most of them are known.
    """
    if account is None:
        return ""
    return reviewer_type(account.login) or (reviewer_type(f"{account.login}[bot]") if account.is_bot else "")


def is_program(account: facts.Account | None) -> bool:
    """Return whether an account is a bot's or a tool's."""
    if account is None:
        return False
    return account.is_bot or bool(tool_of(account)) or is_bot(*account_identity(account))
