"""Hand-made organisations and batches of pull requests, every value a function of the pull request."""

import datetime

import numpy as np

from tformance_seed.catalog import Organisation, load_scenarios
from tformance_seed.catalog.profile import Profile
from tformance_seed.pipeline.tables import TABLES
from tformance_seed.sampling.keyed_random import text_keys
from tformance_seed.simulate.completion import complete
from tformance_seed.sources.detection import is_hotfix, is_revert
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW, Batch, Columns, Members
from tformance_seed.storage.models import JiraIssue

SINCE, UNTIL = datetime.date(2025, 9, 1), datetime.date(2025, 11, 30)
REPOSITORIES = ("acme/api", "acme/web")
TOOLS = np.array([b"[]", b'["claude"]', b'["coderabbit"]'])
MENTIONS = np.array([b"", b"\n\nWritten with Claude.", b"\n\n## Summary by CodeRabbit"])
TRAILER = b"Co-authored-by: Claude <noreply@anthropic.com>"
WEEKS = 8 * 7


def make_profile(
    scenario: str | None = None, until: datetime.date = UNTIL, seed: int = 1, **organisation
) -> Profile:
    story = load_scenarios()[scenario] if scenario else None
    days = WEEKS - 1 if story else 90
    return Profile(
        Organisation(
            **{
                "slug": "acme",
                "name": "Acme",
                "repos": REPOSITORIES,
                "jira_project_key": "ACME",
                "survey_response_rate": 0.6,
                **organisation,
            }
        ),
        seed=seed,
        since=until - datetime.timedelta(days=days),
        until=until,
        members=story.members if story else 8,
        adoption=0.5,
        scenario=story,
    )


def make_members(count: int, profile: Profile) -> Members:
    names = np.array([f"dev{row}".encode() for row in range(count)])
    key = text_keys(names)
    weight = 1.0 / (2 + np.arange(count))
    return Members(
        columns={
            "display_name": names,
            "email": names,
            "github_username": names,
            "github_id": names,
            "jira_account_id": names,
            "slack_user_id": names,
            "role": np.full(count, b"developer"),
            "is_active": np.ones(count, dtype=bool),
            "created_at": np.full(count, np.datetime64("2024-01-01", "s")),
        },
        key=key,
        weight=weight / weight.sum(),
        adoption_threshold=profile.random.uniform("adoption", key),
    )


def simulate(rows: Batch, members: Members, profile: Profile) -> dict[str, Columns]:
    """All rows that a batch makes, by model, but for Jira issues, which need what the database holds."""
    complete_batch = complete(rows, members, profile)
    made = {}
    for table in TABLES:
        if table.model is not JiraIssue:
            columns = table.build(complete_batch)
            more = {} if table.summarise is None else table.summarise(columns, complete_batch)
            made[table.model.__name__] = columns | more
    return made


def make_batch(
    profile: Profile,
    members: Members,
    numbers: np.ndarray,
    kind: int | None = None,
    state: bytes | None = None,
    days: int = 91,
    repository: bytes | None = None,
) -> Batch:
    """Pull requests of these numbers, those of one repository in two weeks; everything else is drawn.

    Their ends lie in the ``days`` before 1 December 2025.
    """
    random = profile.random
    numbers = np.asarray(numbers, dtype=np.int64)
    names = np.array([name.encode() for name in REPOSITORIES])
    where = np.full(len(numbers), repository) if repository else names[numbers % 2]
    own = numbers if repository else numbers // 2  # consecutive in each repository, as in earnest
    key = random.random_bits("test key", text_keys(where), numbers)
    bot = random.chance("bot", 0.05, key)
    weight = np.ones(len(members)) if profile.scenario else members.weight
    author = np.where(bot, -1, random.pick("author", weight, key) if len(members) else -1)
    kinds = np.array([AI_NONE, AI_CODE, AI_REVIEW])[random.pick("kind", (0.7, 0.1, 0.2), key)]
    kinds = np.where(bot, AI_NONE, kinds) if kind is None else np.full(len(numbers), kind)
    states = np.array([b"merged", b"closed", b"open"])[random.pick("state", (0.8, 0.1, 0.1), key)]
    day = np.floor(random.uniform("day", key) * days).astype("timedelta64[D]") + np.timedelta64(1, "D")
    time = random.integers("time", key, low=9 * 3600, high=19 * 3600).astype("timedelta64[s]")
    code = kinds == AI_CODE
    special = random.pick("special", (0.9, 0.05, 0.05), key).tolist()
    titles = [
        f'{("Fix", "Revert", "Hotfix")[kind]} "thing" number {number} — ü'
        for kind, number in zip(special, numbers.tolist(), strict=True)
    ]
    prs = {
        "repository": where,
        "number": own,
        "key": key,
        "title": np.array([title.encode() for title in titles], "S"),
        "body": np.char.add(
            np.array([f"What it does. Fixes #{number + 7}".encode() for number in own.tolist()], "S"),
            MENTIONS[kinds],
        ),
        "state": np.full(len(numbers), state) if state else states,
        "author": author,
        "ended_at": np.datetime64("2025-12-01", "s") - day + time,
        "created_at": np.full(len(numbers), np.datetime64("NaT", "s")),
        "first_review_at": np.full(len(numbers), np.datetime64("NaT", "s")),
        "labels": np.full(len(numbers), b"[]"),
        "jira_key": np.full(len(numbers), b""),
        "is_revert": np.array([is_revert(title) for title in titles], dtype=bool),
        "is_hotfix": np.array([is_hotfix(title) for title in titles], dtype=bool),
        "is_draft": np.zeros(len(numbers), dtype=bool),
        "is_bot": bot,
        "ai_kind": kinds.astype(np.int8),
        "ai_tools": TOOLS[kinds],
        "has_ai_commits": code,
        "has_ai_files": np.zeros(len(numbers), dtype=bool),
    }
    files = _files(profile, prs)
    for name in ("additions", "deletions"):
        prs[name] = np.bincount(files["pull_request"], weights=files[name], minlength=len(numbers)).astype(
            np.int64
        )
    return Batch(0, len(numbers), prs, _commits(profile, prs), files)


def _files(profile: Profile, prs: Columns) -> Columns:
    count = profile.random.integers("files", prs["key"], low=0, high=12)
    owner = np.repeat(np.arange(len(count)), count)
    place = np.concatenate([np.arange(rows) for rows in count.tolist()] or [np.zeros(0)]).astype(np.int64)
    kinds = np.array([b"src/app%d.py", b"web/page%d.tsx", b"tests/test_%d.py", b"README%d.md"])[place % 4]
    names = [name % row for name, row in zip(kinds.tolist(), place.tolist(), strict=True)]
    return {
        "pull_request": owner,
        "filename": np.array(names, dtype="S"),
        "status": np.full(len(owner), b"modified"),
        "additions": profile.random.integers("additions", prs["key"][owner], place, low=0, high=90),
        "deletions": profile.random.integers("deletions", prs["key"][owner], place, low=0, high=40),
        "file_category": np.array([b"backend", b"frontend", b"test", b"docs"])[place % 4],
    }


def _commits(profile: Profile, prs: Columns) -> Columns:
    count = profile.random.integers("commits", prs["key"], low=1, high=7)
    owner = np.repeat(np.arange(len(count)), count)
    place = np.concatenate([np.arange(rows) for rows in count.tolist()] or [np.zeros(0)]).astype(np.int64)
    signed = prs["has_ai_commits"][owner]
    return {
        "pull_request": owner,
        "repository": prs["repository"][owner],
        "sha": profile.random.hexadecimal("sha", prs["key"][owner], place),
        "message": np.where(signed, b"Change things\n\n" + TRAILER, b"Change things"),
        "additions": profile.random.integers("lines", prs["key"][owner], place, low=0, high=90),
        "deletions": np.zeros(len(owner), dtype=np.int64),
        "committed_at": np.full(len(owner), np.datetime64("NaT", "s")),
        "author": prs["author"][owner],
        "ai_co_authors": np.where(signed, b'["claude"]', b"[]"),
        "is_ai_assisted": signed,
    }
