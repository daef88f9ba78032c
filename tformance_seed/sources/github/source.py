"""Pull requests with everything that GitHub knows of them, from caches.

The organisation is shown as it stood at the end of the window: what happened later is not in it, so the same
window has the same content whenever the caches were filled. Each pull request that ended in the window, or is
open and had something happen to it, is one position in the source's order.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.errors import InputError
from tformance_seed.sources.github import facts
from tformance_seed.sources.github.histories import History, read_histories
from tformance_seed.sources.github.participants import Participants
from tformance_seed.sources.github.rows import BatchBuilder, Key, named_rows
from tformance_seed.sources.github.snapshots import Window, snapshot
from tformance_seed.sources.records import Batch, Members

#: A time after all others.
BEYOND = 1 << 62

_DECODER = msgspec.json.Decoder(facts.PullRequest)


class Position(NamedTuple):
    """One position in the source's order."""

    ended: int
    repository: str
    number: int


class _When(msgspec.Struct):
    """The times of a pull request that decide about it, decoded quickly."""

    number: int
    created_at: facts.Time
    updated_at: facts.Time


@dataclass
class _Reading:
    """What is found out about all pull requests while they are read once."""

    participants: Participants
    positions: list[Position]
    elsewhere: set[Key]
    owner_of: dict[tuple[str, str | int], tuple[str, int]]


class GitHubSource:
    """Pull requests of GitHub repositories.

    Parameters:
      histories: what is known of each repository, in order of their names.
      members_from: who is a member: some of authors, reviewers, all.
      emails: use real addresses where commits have them.

    Raises:
      InputError: there is no pull request in the window.
    """

    name = "github"
    waits = False
    shares_issues = True

    def __init__(
        self, histories: list[History], profile: Profile, *, members_from: Collection[str], emails: bool
    ) -> None:
        self.inputs: dict[str, Any] = {"members_from": sorted(members_from), "emails": emails}
        self.record: dict[str, Any] = {
            **self.inputs,
            "caches": {history.repository: str(history.path.absolute()) for history in histories},
        }
        self.state: dict[str, Any] = {}
        self.warnings = [warning for history in histories for warning in history.warnings]
        self._profile, self._emails = profile, emails
        self._observed = set.intersection(*(set(history.observes) for history in histories))
        self._window = self._find_window(profile)
        self._lines = {history.repository: history.pull_requests for history in histories}
        reading = _Reading(Participants(self._window, members_from), [], set(), {})
        digest = hashlib.sha256()
        for history in histories:
            self._warn_of_beginning(history)
            digest.update(f"{history.repository} {history.since}\n".encode())
        for history, line in self._in_order(histories):
            digest.update(line)
            self._read(history, _DECODER.decode(line), reading)
        self._positions = sorted(reading.positions)
        self._elsewhere = reading.elsewhere
        if not any(table == "deployments" for table, _name in reading.owner_of):
            self._observed.discard("deployments")  # few projects tell GitHub of them
        if not self._positions:
            raise InputError(self._nothing(histories))
        self._members, self._member_of = reading.participants.people.members(
            profile, emails=emails, accounts_may_follow=True
        )
        self.fingerprint = digest.hexdigest()
        self.length = self.total = len(self._positions)

    @property
    def repositories(self) -> list[str]:
        """The repositories that have pull requests in the window."""
        return sorted({position.repository for position in self._positions})

    def members(self) -> Members:
        """Return the people who took part in the window or shortly before it."""
        return self._members

    def continues(self, state: Mapping[str, Any], people: Collection[str]) -> bool:  # noqa: ARG002
        """Return True: what GitHub has said stays where it is when more becomes known."""
        return True

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield a range of positions as one batch."""
        builder = BatchBuilder(
            self._window, self._member_of, self._elsewhere, self._observed, emails=self._emails
        )
        for position in self._positions[start:stop]:
            pull_request = _DECODER.decode(self._lines[position.repository][position.number])
            stood = snapshot(pull_request, self._window)
            assert stood is not None  # noqa: S101 - it has a position
            builder.add(position.repository, pull_request, stood)
        yield builder.batch(start, stop)

    def _in_order(self, histories: list[History]) -> Iterator[tuple[History, bytes]]:
        """Yield the pull requests that were there when the window ended, in the order of their creation.

        So a row that several pull requests have stays where it is when another one is opened.
        """
        decoder = msgspec.json.Decoder(_When)
        known = [
            (when.created_at, place, when.number, line)
            for place, history in enumerate(histories)
            for line in history.pull_requests.values()
            if self._window.known((when := decoder.decode(line)).created_at) is not None
        ]
        for _created, place, _number, line in sorted(known):
            yield histories[place], line

    def _read(self, history: History, pull_request: facts.PullRequest, reading: _Reading) -> None:
        """Find out what one pull request says about people, positions and rows."""
        stood = snapshot(pull_request, self._window)
        if stood is None:
            return
        is_in_window = self._window.start <= stood.ended < self._window.end
        if is_in_window:
            reading.positions.append(Position(stood.ended, history.repository, pull_request.number))
        here = (history.repository, pull_request.number)
        for row in named_rows(pull_request):
            if reading.owner_of.setdefault(row, here) != here:
                reading.elsewhere.add(Key(*row, *here))
        begin = self._window.seconds(history.since) if history.since else 0
        reading.participants.add(pull_request, stood, begin, selected=is_in_window)

    def _find_window(self, profile: Profile) -> Window:
        """Return the window.

        Reviews and comments that are simulated must stay as they are when the window moves, so a pull request
        then stands in every window as it does in the caches.
        """
        start, end = (
            int(when.astype("datetime64[s]").astype(np.int64))
            for when in (np.datetime64(profile.since), profile.end)
        )
        is_observed = {"reviews", "comments"} <= self._observed
        return Window(start, end, profile.shift_seconds, end if is_observed else BEYOND)

    def _warn_of_beginning(self, history: History) -> None:
        """Warn if a repository's history begins within the window."""
        if history.since and self._window.seconds(history.since) > self._window.start:
            self.warnings.append(
                f"cache of {history.repository} begins on {history.since:%Y-%m-%d}: older pull requests are "
                "missing"
            )

    def _nothing(self, histories: list[History]) -> str:
        """Explain that there is nothing to seed."""
        profile = self._profile
        since, until = (day - profile.shift for day in (profile.since, profile.until))
        decoder = msgspec.json.Decoder(_When)
        times = [
            decoder.decode(line).updated_at.date()
            for history in histories
            for line in history.pull_requests.values()
        ]
        found = f"the newest one changed on {max(times)}: try --until" if times else "there is none"
        names = ", ".join(history.repository for history in histories[:3])
        more = f" and {len(histories) - 3} more" if len(histories) > 3 else ""
        return f"repository {names}{more}: no pull request from {since} to {until}; {found}"


def restored(profile: Profile, record: Mapping[str, Any]) -> GitHubSource:
    """Return the source from its record; the caches must be readable here.

    Raises:
      InputError: they are not.
    """
    histories = read_histories({name: Path(path) for name, path in record["caches"].items()})
    return GitHubSource(
        histories,
        profile,
        members_from=record["members_from"],
        emails=record["emails"],
    )
