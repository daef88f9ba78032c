"""A source that observes what a history of commits does not: reviews, check runs, comments, deployments.

It is registered by tests alone. Each of its organisations brings the optional table of that name, and the
organisation ``everything`` brings all of them, and the times of its pull requests.
"""

import datetime
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from tests.support.batches import make_batch, make_members, make_profile
from tformance_seed.catalog.profile import Profile
from tformance_seed.sources.records import AI_REVIEW, OPTIONAL_TABLES, Batch, Columns, Members
from tformance_seed.sources.request import ContentRequest
from tformance_seed.sources.source_type import Planned, SourceType

PULL_REQUESTS, BATCHES, MEMBERS = 60, 3, 8
HOUR, NAT = np.timedelta64(1, "h"), np.datetime64("NaT", "s")


class ObservedSource:
    """Pull requests that took four days, with whatever optional tables are named."""

    name = "observed"
    fingerprint = ""
    waits = False
    shares_issues = False
    total = length = PULL_REQUESTS

    def __init__(self, profile: Profile, tables: list[str], *, times: bool) -> None:
        self._profile, self._tables, self._times = profile, tables, times
        self.inputs: dict[str, Any] = {}
        self.record: dict[str, Any] = {"tables": tables, "times": times}
        self.state: dict[str, Any] = {}
        self.warnings: list[str] = []

    def members(self) -> Members:
        return make_members(MEMBERS, self._profile)

    def continues(self, state: Mapping[str, Any], people: Collection[str]) -> bool:
        return True

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        for numbers in np.array_split(1 + np.arange(start, stop), BATCHES):
            rows = make_batch(self._profile, self.members(), numbers)
            rows.start, rows.stop = int(numbers[0]) - 1, int(numbers[-1])
            if self._times:
                rows.pull_requests["created_at"] = rows.pull_requests["ended_at"] - 96 * HOUR
                reviewed = rows.pull_requests["number"] % 3 > 0
                first = rows.pull_requests["ended_at"] - 90 * HOUR
                rows.pull_requests["first_review_at"] = np.where(reviewed, first, NAT)
            for table in self._tables:
                setattr(rows, table, OBSERVED[table](rows))
            yield rows


def _owners(rows: Batch, chosen: np.ndarray, each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of so many rows for each chosen pull request: its row, the place among its rows, and an id."""
    owner = np.repeat(np.flatnonzero(chosen), each)
    place = np.arange(len(owner)) % max(each, 1)
    web = rows.pull_requests["repository"][owner] == b"acme/web"
    return owner, place, (rows.pull_requests["number"][owner] * 2 + web) * 10 + place


def _reviews(rows: Batch) -> Columns:
    """Two reviews of two pull requests in three: changes requested, in one of AI by it, and approval."""
    prs = rows.pull_requests
    owner, place, identifier = _owners(rows, prs["number"] % 3 > 0, 2)
    by_ai = (place == 0) & (prs["ai_kind"][owner] == AI_REVIEW)
    someone_else = (prs["author"][owner] + 1 + place) % MEMBERS
    return {
        "pull_request": owner,
        "github_review_id": identifier,
        "reviewer": np.where(by_ai, -1, someone_else),
        "state": np.select([by_ai, place == 0], [b"commented", b"changes_requested"], b"approved"),
        "submitted_at": prs["ended_at"][owner] - np.where(place == 0, 90, 1) * HOUR,
        "body": np.full(len(owner), b"As observed"),
        "is_ai_review": by_ai,
        "ai_reviewer_type": np.where(by_ai, b"coderabbit", b""),
    }


def _check_runs(rows: Batch) -> Columns:
    """A run that has succeeded, and one that has not begun."""
    prs = rows.pull_requests
    owner, place, identifier = _owners(rows, prs["number"] > 0, 2)
    queued = place == 1
    started = prs["ended_at"][owner] - HOUR
    return {
        "pull_request": owner,
        "github_check_run_id": identifier,
        "name": np.where(queued, b"deploy preview", b"tests"),
        "status": np.where(queued, b"queued", b"completed"),
        "conclusion": np.ma.MaskedArray(np.full(len(owner), b"success"), mask=queued),
        "started_at": np.where(queued, NAT, started),
        "completed_at": np.where(queued, NAT, started + np.timedelta64(100, "s")),
        "duration_seconds": np.ma.MaskedArray(np.full(len(owner), 100), mask=queued),
    }


def _comments(rows: Batch) -> Columns:
    """A comment on the whole, and one on a line that answers it; of every second pull request."""
    prs = rows.pull_requests
    owner, place, identifier = _owners(rows, prs["number"] % 2 > 0, 2)
    on_line = place == 1
    when = prs["ended_at"][owner] - np.where(on_line, 1, 2) * np.timedelta64(1, "s")
    return {
        "pull_request": owner,
        "github_comment_id": identifier,
        "author": np.where(on_line, prs["author"][owner], -1),
        "body": np.full(len(owner), b"Said so"),
        "comment_type": np.where(on_line, b"review", b"issue"),
        "path": np.ma.MaskedArray(np.full(len(owner), b"src/observed.py"), mask=~on_line),
        "line": np.ma.MaskedArray(np.full(len(owner), 7), mask=~on_line),
        "in_reply_to_id": np.ma.MaskedArray(identifier - 1, mask=~on_line),
        "comment_created_at": when,
        "comment_updated_at": np.where(on_line, when, NAT),
    }


def _deployments(rows: Batch) -> Columns:
    """One deployment of each merged pull request, and one of none."""
    prs = rows.pull_requests
    owner, _, identifier = _owners(rows, prs["state"] == b"merged", 1)
    owner = np.append(owner, -1)
    return {
        "pull_request": owner,
        "github_deployment_id": np.append(identifier, 10_000 + rows.start),
        "repository": prs["repository"][owner],
        "environment": np.full(len(owner), b"production"),
        "status": np.full(len(owner), b"pending"),
        "deployed_at": prs["ended_at"][owner],
        "sha": np.full(len(owner), b"f" * 40),
        "creator": np.full(len(owner), -1),
    }


OBSERVED = {
    "reviews": _reviews,
    "check_runs": _check_runs,
    "comments": _comments,
    "deployments": _deployments,
}


def make_source(slug: str) -> ObservedSource:
    """The source of an organisation; see the module."""
    everything = slug == "everything"
    tables = list(OPTIONAL_TABLES) if everything else [slug.replace("-", "_")]
    return ObservedSource(make_profile(slug=slug, name=slug), tables, times=everything)


def _plan(request: ContentRequest, _today: datetime.date) -> Iterator[Planned]:
    for slug in request.organisations:
        source = make_source(slug)
        yield make_profile(slug=slug, name=slug), source


def _restore(profile: Profile, record: Mapping[str, Any]) -> ObservedSource:
    return ObservedSource(profile, record["tables"], times=record["times"])


SOURCE_TYPE = SourceType(own_options={}, check=lambda _request: None, plan=_plan, restore=_restore)
