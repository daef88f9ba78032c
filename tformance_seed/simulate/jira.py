"""Jira: issue keys for pull requests, and rows of the table JiraIssue."""

import functools
import itertools
import re

import numpy as np

from tformance_seed.catalog.calibration import (
    FIRST_SPRINT,
    ISSUE_TYPE_SHARES,
    MAX_STORY_POINTS,
    SPRINT_DAYS,
    STORY_POINTS,
)
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Texts
from tformance_seed.sampling.keyed_random import text_keys
from tformance_seed.simulate.columns import hours, moments, seconds, with_timestamps
from tformance_seed.sources.records import Columns

#: Issue types.
TYPES = np.array(list(ISSUE_TYPE_SHARES), dtype="S")
STORY, TASK, BUG, IMPROVEMENT = range(4)

#: Issue types by words in labels or at the start of a title.
TYPE_OF_WORD = {
    b"feat": STORY,
    b"feature": STORY,
    b"fix": BUG,
    b"fixes": BUG,
    b"hotfix": BUG,
    b"bugfix": BUG,
    b"bug": BUG,
    b"revert": BUG,
    b"perf": IMPROVEMENT,
    b"improve": IMPROVEMENT,
    b"enhancement": IMPROVEMENT,
    b"refactor": TASK,
    b"chore": TASK,
    b"docs": TASK,
    b"documentation": TASK,
    b"test": TASK,
    b"ci": TASK,
    b"build": TASK,
    b"deps": TASK,
    b"dependencies": TASK,
}

#: Issue status by the state of the issue's pull requests; for open issues, the possible statuses and their
#: probabilities.
STATUS = {b"merged": b"Done", b"closed": b"Won't Do"}
OPEN_STATUSES = np.array([b"In Progress", b"In Review"])
OPEN_CHANCES = (0.6, 0.4)

PRIORITIES = np.array([b"Highest", b"High", b"Medium", b"Low", b"Lowest"])
PRIORITY_CHANCES = (0.05, 0.22, 0.55, 0.15, 0.03)

#: Share of people's pull requests that belong to an issue; those whose title names one do in any case.
LINKED = 0.85

#: Minimum age of an issue when its first pull request is created, and the maximum added to it, in seconds.
MIN_AGE, AGE_SPREAD = 1800, 12 * 86400

#: Descriptions; nearly half are empty.
DESCRIPTIONS = np.array(
    [""] * 14
    + [
        "See the discussion in the team channel.",
        "Reported by support: it happens again after a reload.",
        "Acceptance: works as before, covered by tests, documented.",
        "Follow-up from the last planning.",
        "Steps to reproduce are in the attached video. Happens on staging as well.",
        "Customer call on Tuesday; they would like to have it before their rollout.",
        "Time box: one day. If it takes longer, let's talk.",
        "Design is attached, copy is final.",
        "h3. Expected\nNo error\nh3. Actual\nError 500, see the logs",
        "As a workspace admin I want this to be off by default.",
        "Split from the epic, backend only.",
        "Not urgent, but it comes up in every second onboarding.",
        "Needs a migration, please plan for the maintenance window.",
        "Found by the nightly run.",
        "Out of scope: the mobile app.",
        "Second report this month, raising the priority.",
        "Check with security before it goes live.",
    ],
    dtype="S",
)

#: Number of words at the start of a title that are searched for the type.
TITLE_WORDS = 3

#: A conventional commit's prefix; and the brackets, blanks and punctuation left behind when a key is removed
#: from a title.
PREFIX = re.compile(rb"^(\w+)(?:\([^)]*\))?!?:\s*")
LEFTOVERS = re.compile(rb"\[\s*\]|\(\s*\)|^[\s:\-|]+|\s+(?=\s)")
WORD = re.compile(rb"[a-z]+")

#: The characters with which a leftover begins: anywhere in a text, and at the start of a text.
MAYBE_LEFTOVER, LEADING = re.compile(rb"[\[(\s][\])\s]"), frozenset(b"%c" % c for c in b" \t\n\r\f\v:-|")


def issues(facts: Columns, profile: Profile) -> Columns:
    """Return JiraIssue rows, one per key, in the order of ``facts``.

    Parameters:
      facts: for each issue, ``jira_key`` (S), ``first_created`` and ``last_ended`` (datetime64[s]) of its
        pull requests, ``lines`` (int64, lines changed), ``title`` (S, of the first pull request),
        ``labels`` (S, JSON), ``assignee`` (int64, a member's row or -1) and ``state`` (S): merged (all pull
        requests are), closed (none is merged or open), or open.
    """
    random, key = profile.random, text_keys(facts["jira_key"])
    u = random.uniform("issue written", key)
    created = seconds(facts["first_created"]) - MIN_AGE - np.floor(u * u * AGE_SPREAD).astype(np.int64)
    ended = seconds(facts["last_ended"])
    resolved = facts["state"] != b"open"
    bounds, points = np.array([*STORY_POINTS, (0, MAX_STORY_POINTS)], dtype=np.float64).T
    sprint = (facts["last_ended"].astype("datetime64[D]") - np.datetime64(FIRST_SPRINT)).astype(
        np.int64
    ) // SPRINT_DAYS + 1
    number = sprint.astype("S")
    texts = zip(facts["title"].tolist(), facts["labels"].tolist(), strict=True)
    stated = np.array([_stated_type(title, labels) for title, labels in texts], dtype=np.int64)
    drawn = random.pick("issue type", list(ISSUE_TYPE_SHARES.values()), key)
    status = OPEN_STATUSES[random.pick("issue status", OPEN_CHANCES, key)]
    return with_timestamps(
        {
            "jira_key": facts["jira_key"],
            "jira_id": random.identifier("jira issue", key).astype("S"),
            "summary": _summaries(facts),
            "description": DESCRIPTIONS[
                random.integers("issue text", key, low=0, high=len(DESCRIPTIONS) - 1)
            ],
            "issue_type": TYPES[np.where(stated < 0, drawn, stated)],
            "status": np.select([facts["state"] == state for state in STATUS], list(STATUS.values()), status),
            "priority": PRIORITIES[random.pick("issue priority", PRIORITY_CHANCES, key)],
            "story_points": points[np.searchsorted(bounds[:-1], facts["lines"], side="right")],
            "sprint_id": np.where(sprint > 0, number, b""),
            "sprint_name": np.where(sprint > 0, np.char.add(b"Sprint ", number), b""),
            "issue_created_at": moments(created),
            "resolved_at": moments(ended, resolved),
            "cycle_time_hours": hours(ended - created, resolved),
            "synced_at": facts["last_ended"],
            "assignee": facts["assignee"],
            "labels": facts["labels"],
            "parent_issue_key": np.zeros(len(key), dtype="S1"),
        },
        facts["last_ended"],
    )


def _stated_type(title: bytes, labels: bytes) -> int:
    """Return the issue type that a title or the labels (JSON) state; -1 if there is none."""
    for word in itertools.islice(WORD.finditer(title.lower()), TITLE_WORDS):
        if word[0] in TYPE_OF_WORD:
            return TYPE_OF_WORD[word[0]]
    return _type_of_labels(labels)


@functools.lru_cache(maxsize=1024)
def _type_of_labels(labels: bytes) -> int:
    return next((TYPE_OF_WORD[word] for word in WORD.findall(labels.lower()) if word in TYPE_OF_WORD), -1)


def _summaries(facts: Columns) -> Texts:
    """Return titles, capitalised, without key and conventional commit prefix; the key if nothing is left."""
    texts = []
    for title, key in zip(facts["title"].tolist(), facts["jira_key"].tolist(), strict=True):
        text = PREFIX.sub(b"", _tidy(title.replace(key, b"")).strip(), count=1)
        text = _tidy(text).strip() or key
        texts.append(text[:1].upper() + text[1:])
    return np.array(texts, dtype="S")


def _tidy(text: bytes) -> bytes:
    """Return a text without leftovers. Most texts have none, which a cheap check of the characters shows."""
    return LEFTOVERS.sub(b"", text) if MAYBE_LEFTOVER.search(text) or text[:1] in LEADING else text


def simulate_keys(prs: Columns, profile: Profile) -> Texts:
    """Return the Jira key of each pull request: its own, that of its issue, or else a generated one.

    Bots' pull requests without a key get none, nor do some of people's. A generated key depends only on the
    pull request, and no two pull requests share one (``jira_scheme``).
    """
    if "issue_key" in prs:
        return np.where(prs["jira_key"] == b"", prs["issue_key"], prs["jira_key"])
    organisation = profile.organisation
    repositories, index = np.unique(prs["repository"], return_inverse=True)
    schemes = [organisation.jira_scheme(name.decode()) for name in repositories.tolist()]
    if not schemes:
        return prs["jira_key"]
    project, first, step = (np.array(column)[index] for column in zip(*schemes, strict=True))
    number = first + prs["number"] * step
    invented = np.char.add(np.char.add(project.astype("S"), b"-"), number.astype("S"))
    is_linked = profile.random.chance("linked", LINKED, prs["key"]) & ~prs["is_bot"]
    return np.where((prs["jira_key"] == b"") & is_linked, invented, prs["jira_key"])
