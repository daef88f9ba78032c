"""Read the caches that the application's former seeder left: one JSON object a repository.

Those files say nothing of what broke off while they were written, and anything may be in them: whatever part
is damaged is reported and left out, and the rest is used.
"""

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tformance_seed.errors import InputError
from tformance_seed.sources.github import facts
from tformance_seed.sources.github.cache import DamagedError, is_repository_name
from tformance_seed.sources.records import OPTIONAL_TABLES

#: What the names of files end in.
SUFFIX = ".json"

#: How many damaged entries are reported one by one.
MAX_REPORTED = 3

Entry = Mapping[str, Any]

Kind = TypeVar("Kind")


@dataclass
class OldCache:
    """What a file contains, and what is wrong with it.

    Parameters:
      since, fetched_at: between which times the repository is known; None where the file does not say.
      damaged: the entries that were left out, and why.
    """

    repository: str
    since: datetime.datetime | None = None
    fetched_at: datetime.datetime | None = None
    pull_requests: dict[int, facts.PullRequest] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    @property
    def warning(self) -> str:
        """What to tell the user about damaged entries, in one line; empty if there are none."""
        if not self.damaged:
            return ""
        more = len(self.damaged) - MAX_REPORTED
        listed = "; ".join(self.damaged[:MAX_REPORTED]) + (f"; and {more} more" if more > 0 else "")
        return f"cache of {self.repository}: damaged entries are left out: {listed}"

    @property
    def observes(self) -> frozenset[str]:
        """The optional tables of the record that every pull request has."""
        return frozenset(
            table
            for table in OPTIONAL_TABLES
            if all(getattr(each, table) is not None for each in self.pull_requests.values())
        )


def read_old_cache(path: Path, repository: str) -> OldCache:
    """Read a file.

    Parameters:
      repository: its repository, owner/name, if the file does not say.

    Raises:
      DamagedError: nothing in it can be used.
      InputError: it cannot be read.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cache {path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"cache {path} is damaged: it is not JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("prs"), list):
        raise DamagedError(f"cache {path} is damaged: it has no list of prs")
    stated = document.get("repo")
    cache = OldCache(stated if isinstance(stated, str) and is_repository_name(stated) else repository)
    for name, attribute in (("since_date", "since"), ("fetched_at", "fetched_at")):
        try:
            setattr(cache, attribute, _time(document, name))
        except _Damage as damage:
            cache.damaged.append(str(damage))
    for index, entry in enumerate(document["prs"]):
        try:
            pull_request = _pull_request(entry, f"prs[{index}]", cache.damaged)
        except _Damage as damage:
            cache.damaged.append(f"prs[{index}]: {damage}")
        else:
            cache.pull_requests[pull_request.number] = pull_request
    return cache


class _Damage(Exception):  # noqa: N818 - it never leaves this module
    """An entry cannot be used."""


def _pull_request(entry: Any, where: str, damaged: list[str]) -> facts.PullRequest:
    entry = _object(entry)

    def rows(name: str, convert: Callable[[Entry], Any]) -> list[Any]:
        """Convert the entries of a list; report those that are damaged."""
        found = []
        for index, item in enumerate(_list(entry, name)):
            try:
                found.append(convert(_object(item)))
            except _Damage as damage:
                damaged.append(f"{where}.{name}[{index}]: {damage}")
        return found

    created = _needed(entry, "created_at")
    merged, closed = _time(entry, "merged_at"), _time(entry, "closed_at")
    state = str(entry.get("state") or "").lower()
    is_merged = entry.get("is_merged") is True or merged is not None or state == "merged"
    if is_merged and (merged := merged or closed) is None:
        raise _Damage("it is merged, but not said when")
    updated = _time(entry, "updated_at") or closed or created
    if state == "closed" and closed is None:
        closed = updated
    return _checked(
        facts.PullRequest,
        number=entry.get("number"),
        title=_text(entry, "title"),
        created_at=created,
        updated_at=updated,
        body=_text(entry, "body"),
        is_draft=entry.get("is_draft") is True,
        merged_at=merged,
        closed_at=closed or merged,
        author=_account(entry, "author"),
        branch=_text(entry, "head_ref"),
        milestone=_text(entry, "milestone_title"),
        labels=[_storable(label) for label in _list(entry, "labels") if isinstance(label, str)],
        assignees=[_storable(login) for login in _list(entry, "assignees") if isinstance(login, str)],
        linked_issues=[
            number for number in _list(entry, "linked_issues") if type(number) is int and number > 0
        ],
        commits=rows("commits", _commit),
        files=rows("files", _file),
        reviews=rows("reviews", _review) if entry.get("reviews") is not None else None,
        check_runs=rows("check_runs", _check_run) if entry.get("check_runs") is not None else None,
    )


def _commit(entry: Entry) -> facts.Commit:
    sha = _text(entry, "sha")
    if not sha:
        raise _Damage("it has no sha")
    when = _needed(entry, "committed_at")
    return _checked(
        facts.Commit,
        sha=sha,
        message=_text(entry, "message"),
        authored_at=when,
        committed_at=when,
        additions=entry.get("additions") or 0,
        deletions=entry.get("deletions") or 0,
        author_name=_text(entry, "author_name"),
        account=_account(entry, "author"),
    )


def _file(entry: Entry) -> facts.File:
    name = _text(entry, "filename")
    if not name:
        raise _Damage("it has no filename")
    return _checked(
        facts.File,
        name=name,
        status=facts.FILE_STATUSES.get(_text(entry, "status").lower(), "modified"),
        additions=entry.get("additions") or 0,
        deletions=entry.get("deletions") or 0,
    )


def _review(entry: Entry) -> facts.Review:
    state = _text(entry, "state").lower()
    if state not in facts.REVIEW_STATES:
        raise _Damage(f"its state is {state or 'missing'!r}")
    return _checked(
        facts.Review,
        state=state,
        submitted_at=_needed(entry, "submitted_at"),
        id=entry.get("github_review_id"),
        body=_text(entry, "body"),
        author=_account(entry, "reviewer"),
    )


def _check_run(entry: Entry) -> facts.CheckRun:
    return _checked(
        facts.CheckRun,
        id=entry.get("github_id"),
        name=_text(entry, "name"),
        status=facts.CHECK_STATUSES.get(_text(entry, "status").lower(), "queued"),
        conclusion=facts.CHECK_CONCLUSIONS.get(_text(entry, "conclusion").lower()),
        started_at=_time(entry, "started_at"),
        completed_at=_time(entry, "completed_at"),
    )


def _account(entry: Entry, who: str) -> facts.Account | None:
    """Return the account whose login and perhaps id an entry has; ids of another kind are not known."""
    login, number = _text(entry, f"{who}_login"), entry.get(f"{who}_id")
    if isinstance(number, str) and number.isascii() and number.isdecimal():
        number = int(number)
    name = _text(entry, f"{who}_name")
    return facts.Account(login, number if _is_number(number) else None, name or None) if login else None


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 < value < 2**31


def _checked(kind: type[Kind], **values: Any) -> Kind:
    """Return a fact, the values of which were checked."""
    try:
        return msgspec.convert(values, type=kind)
    except msgspec.ValidationError as error:
        raise _Damage(str(error)) from error


def _object(value: Any) -> Entry:
    if not isinstance(value, dict):
        raise _Damage("it is not an object")
    return value


def _list(entry: Entry, name: str) -> list[Any]:
    """Return a list; one that is missing or null is empty."""
    value = entry.get(name)
    if value is not None and not isinstance(value, list):
        raise _Damage(f"its {name} are no list")
    return value or []


def _text(entry: Entry, name: str) -> str:
    """Return a text; one that is missing or null is empty."""
    value = entry.get(name)
    if value is not None and not isinstance(value, str):
        raise _Damage(f"its {name} is no text")
    return _storable(value or "")


def _storable(text: str) -> str:
    """Return a text with the characters replaced that no database stores: NUL, and halves of pairs."""
    return text.replace("\x00", "?").encode("utf-8", "replace").decode()


def _needed(entry: Entry, name: str) -> datetime.datetime:
    when = _time(entry, name)
    if when is None:
        raise _Damage(f"it has no {name}")
    return when


def _time(entry: Entry, name: str) -> datetime.datetime | None:
    """Return a time, in UTC if it does not say; None if it is missing or null."""
    value = entry.get(name)
    if value is None or value == "":
        return None
    try:
        when = datetime.datetime.fromisoformat(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=datetime.UTC)
        return when.astimezone(datetime.UTC)
    except (TypeError, ValueError, OverflowError):
        raise _Damage(f"its {name} is no time: {str(value)[:40]!r}") from None
