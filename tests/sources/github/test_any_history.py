"""Whatever GitHub says of pull requests, in whatever order, the organisation agrees with itself."""

import datetime
import random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support.commands import command
from tformance_seed.sources.github import facts
from tformance_seed.sources.github.cache import Cache, cache_path

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
UNTIL = "2026-02-10"

TIMES = st.integers(-30 * 24 * 60, 50 * 24 * 60).map(
    lambda minutes: START + datetime.timedelta(minutes=minutes)
)
LATER = st.integers(0, 20 * 24 * 60).map(lambda minutes: datetime.timedelta(minutes=minutes))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["ABC-1: fix", "Revert x", "Generated with Claude Code", "hotfix", "a@b.io", "", "x" * 300]
)
LOGINS = ("ann", "bob", "eve", "kim_corp", "dependabot", "coderabbitai", "claude")
ACCOUNTS = st.none() | st.builds(
    lambda number, is_known, name, is_bot: facts.Account(
        LOGINS[number], number + 1 if is_known else None, name, is_bot
    ),
    st.integers(0, len(LOGINS) - 1),
    st.booleans(),
    st.none() | st.sampled_from(["Ann Lee", "Bob Ray", ""]),
    st.booleans(),
)
IDS = st.integers(1, 40)  # so few that they occur twice
LINES = st.integers(0, 400)
COMMITS = st.builds(
    facts.Commit,
    sha=st.integers(0, 30).map("{:040x}".format),
    message=TEXTS | st.just("x\n\nCo-authored-by: Claude <a@b.c>"),
    authored_at=TIMES,
    committed_at=TIMES,
    additions=LINES,
    deletions=LINES,
    author_name=st.sampled_from(["", "Ann Lee", "bob", "Claude"]),
    author_email=st.sampled_from(["", "ann@corp.io", "2+bob@users.noreply.github.com", "no"]),
    account=ACCOUNTS,
)
FILES = st.builds(
    facts.File,
    name=st.sampled_from(["a.py", "b/c.ts", "CLAUDE.md", "x" * 600, "x" * 501, "ö"]),
    status=st.sampled_from(sorted(set(facts.FILE_STATUSES.values()))),
    additions=LINES,
    deletions=LINES,
)
REVIEWS = st.builds(
    facts.Review,
    state=st.sampled_from(facts.REVIEW_STATES),
    submitted_at=TIMES,
    id=st.none() | IDS,
    body=TEXTS,
    author=ACCOUNTS,
)
COMMENTS = st.builds(
    facts.Comment,
    id=IDS,
    body=TEXTS,
    created_at=TIMES,
    updated_at=st.none() | TIMES,
    author=ACCOUNTS,
    path=st.none() | st.sampled_from(["a.py", ""]),
    line=st.none() | LINES,
    reply_to=st.none() | IDS,
)
CHECK_RUNS = st.builds(
    facts.CheckRun,
    id=IDS,
    name=TEXTS,
    status=st.sampled_from(sorted(set(facts.CHECK_STATUSES.values()))),
    conclusion=st.none() | st.sampled_from(sorted(facts.CHECK_CONCLUSIONS)).map(facts.CHECK_CONCLUSIONS.get),
    started_at=st.none() | TIMES,
    completed_at=st.none() | TIMES,
)
DEPLOYMENTS = st.builds(
    facts.Deployment,
    id=IDS,
    environment=st.sampled_from(sorted(facts.ENVIRONMENTS)),
    status=st.sampled_from(sorted(set(facts.DEPLOYMENT_STATUSES.values()))),
    created_at=TIMES,
    sha=st.just("f" * 40),
    creator=ACCOUNTS,
)


@st.composite
def pull_requests(draw: Any, number: int) -> facts.PullRequest:
    created = draw(TIMES)
    ended = draw(st.none() | LATER)
    merged = draw(st.booleans())
    closed_at = None if ended is None else created + ended
    return facts.PullRequest(
        number=number,
        title=draw(TEXTS),
        created_at=created,
        updated_at=START + datetime.timedelta(days=60),
        body=draw(TEXTS),
        merged_at=closed_at if merged else None,
        closed_at=closed_at,
        author=draw(ACCOUNTS),
        branch=draw(TEXTS),
        milestone=draw(TEXTS),
        labels=draw(st.lists(TEXTS, max_size=2)),
        commits=draw(st.lists(COMMITS, max_size=3)),
        files=draw(st.lists(FILES, max_size=3)),
        reviews=draw(st.lists(REVIEWS, max_size=4)),
        comments=draw(st.lists(COMMENTS, max_size=3)),
        check_runs=draw(st.lists(CHECK_RUNS, max_size=3)),
        deployments=draw(st.lists(DEPLOYMENTS, max_size=2)),
    )


def _sure() -> facts.PullRequest:
    """A pull request that is in every window."""
    day = START + datetime.timedelta(days=20)
    ann = facts.Account("ann", 1, "Ann Lee")
    return facts.PullRequest(99, "Sure", day, day, merged_at=day, closed_at=day, author=ann)


@pytest.mark.parametrize("kinds", ["authors,reviewers", "all"])
@settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data())
def test_whatever_is_known_makes_an_organisation_that_agrees_with_itself(
    tmp_path_factory, data, kinds
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("acme/api", "acme/web"):
        cache = Cache.empty(cache_path(folder, name), name)
        cache.header.since = START - datetime.timedelta(days=40)
        cache.header.checked_at = START + datetime.timedelta(days=61)
        cache.add([data.draw(pull_requests(number)) for number in range(1, 13)])
        cache.add([_sure()])
        cache.save()
    url = f"sqlite:///{folder}/x.db"
    for until in ("2026-01-25", UNTIL):  # a window that moves
        window = ("--until", until, "--days", "30", "--members-from", kinds)
        random.seed()  # so that runs have names of their own, whatever Hypothesis made of the state
        result = command(
            "seed", "--source", "cache", "acme", *window, "--cache-dir", folder, "--database", url
        )
        assert result.returncode == 0, result.stderr
        verified = command("verify", "--database", url)
        assert verified.returncode == 0, verified.stdout + verified.stderr
