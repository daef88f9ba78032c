"""Show a week of a generated organisation as people see it, without a database."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tformance_seed.errors import InputError
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Request
from tformance_seed.sources.records import Batch, Columns
from tformance_seed.sources.request import last_whole_day

#: The author of bots' pull requests.
BOT = "bot"


@dataclass(frozen=True)
class ShownFile:
    """A file that a pull request changes."""

    filename: str
    status: str
    additions: int
    deletions: int


@dataclass(frozen=True)
class ShownPullRequest:
    """A pull request that ended in the week.

    Parameters:
      ended_at: when it was merged or closed, in UTC; of an open one, the last thing that happened.
      author: the login; ``BOT`` for bots.
      commits: the first lines of their messages, oldest first.
    """

    ended_at: datetime.datetime
    repository: str
    number: int
    state: str
    author: str
    title: str
    body: str
    additions: int
    deletions: int
    files: list[ShownFile]
    commits: list[str]


def show_week(
    organisation: str, day: datetime.date | None, seed: int, catalog: Path | None, now: datetime.datetime
) -> tuple[datetime.date, list[ShownPullRequest]]:
    """Return the Monday of a week, and the pull requests that ended in it, oldest first.

    Parameters:
      day: any day of the week; None: the last week that is over.

    Raises:
      InputError: the organisation is unknown, the catalogue cannot be read, or the week has not begun.
    """
    last = last_whole_day(now)
    day = day or last - datetime.timedelta(days=(last.weekday() + 1) % 7)
    if day > last:
        raise InputError(f"--week {day}: nothing is dated later than now; choose {last} or earlier")
    monday = day - datetime.timedelta(days=day.weekday())
    until = min(monday + datetime.timedelta(days=6), last)
    request = Request(
        organisations=[organisation], days=(until - monday).days + 1, until=until, seed=seed, catalog=catalog
    )
    (plan,) = make_plans(request, now)
    source = plan.source
    logins = [login.decode() for login in source.members().columns["github_username"].tolist()]
    shown = [each for batch in source.batches(0, source.length) for each in _shown(batch, logins)]
    return monday, sorted(shown, key=lambda each: (each.ended_at, each.repository, each.number))


def _shown(batch: Batch, logins: list[str]) -> Iterator[ShownPullRequest]:
    prs = batch.pull_requests
    files: list[list[ShownFile]] = [[] for _ in prs["key"]]
    commits: list[list[str]] = [[] for _ in prs["key"]]
    columns = (_text(batch.files, "filename"), _text(batch.files, "status"))
    counts = (batch.files[name].tolist() for name in ("additions", "deletions"))
    for owner, *values in zip(batch.files["pull_request"].tolist(), *columns, *counts, strict=True):
        files[owner].append(ShownFile(*values))
    messages = _text(batch.commits, "message")
    for owner, message in zip(batch.commits["pull_request"].tolist(), messages, strict=True):
        commits[owner].append(message.partition("\n")[0])
    text = {name: _text(prs, name) for name in ("repository", "state", "title", "body")}
    for row, author in enumerate(prs["author"].tolist()):
        yield ShownPullRequest(
            ended_at=prs["ended_at"][row].item().replace(tzinfo=datetime.UTC),
            number=int(prs["number"][row]),
            author=logins[author] if author >= 0 else BOT,
            additions=int(prs["additions"][row]),
            deletions=int(prs["deletions"][row]),
            files=files[row],
            commits=commits[row],
            **{name: values[row] for name, values in text.items()},
        )


def _text(columns: Columns, name: str) -> list[str]:
    return [value.decode() for value in columns[name].tolist()]
