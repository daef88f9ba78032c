import json

import numpy as np
import pytest

from tests.support.batches import batch, people, profile, simulate
from tformance_seed import metrics
from tformance_seed.canonical_json import json_text
from tformance_seed.simulate.summaries import summaries
from tformance_seed.sources.records import AI_NONE
from tformance_seed.storage.models import PRFile


@pytest.fixture(scope="module")
def made():
    told = profile()
    members = people(12, told)
    rows = batch(told, members, np.arange(1, 1001))
    rows.pull_requests["title"] = np.char.add(rows.pull_requests["title"], b' \\ "quoted" \x01')
    return rows, simulate(rows, members, told)["PullRequest"]


@pytest.fixture(scope="module")
def summarised(made):
    prs = dict(made[0].pull_requests)
    prs["reviewed"] = ~np.isnat(prs["first_review_at"])
    prs["review_rounds"] = np.ma.filled(prs["review_rounds"], 0)
    return summaries(prs, made[0].files)


def test_json_is_canonical(made, summarised):
    for column in ("ai_signals", "ai_tools_detected", "assignees", "labels", "linked_issues"):
        texts = [text.decode() for text in made[1][column].tolist()]
        assert texts == [json_text(json.loads(text)) for text in texts]
    assert [text.decode() for text in summarised] == [json_text(json.loads(text)) for text in summarised]


def test_summaries_tell_what_is_known(made, summarised):
    rows, prs = made
    told = [json.loads(text) for text in summarised]
    owner = rows.files["pull_request"]
    for row, summary in enumerate(told):
        assert summary["ai"]["is_assisted"] == prs["is_ai_assisted"][row]
        assert summary["ai"]["tools"] == json.loads(prs["ai_tools_detected"][row])
        assert summary["summary"]["title"] == prs["title"][row].decode()
        categories = sorted({kind.decode() for kind in rows.files["file_category"][owner == row].tolist()})
        assert summary["tech"]["categories"] == categories
        python = any(name.endswith(b".py") for name in rows.files["filename"][owner == row].tolist())
        assert ("python" in summary["tech"]["languages"]) == python
        assert set(summary["health"]) == {"scope", "risk_level", "review_friction", "insights"}
        assert summary["summary"]["type"] == "bugfix"
    sizes = prs["additions"] + prs["deletions"]
    scopes = np.array([summary["health"]["scope"] for summary in told])
    assert set(scopes[sizes >= 1000].tolist()) <= {"xlarge"}
    assert set(scopes[sizes < 50].tolist()) == {"small"}


def test_confidence_and_signals_stand_where_ai_was_found(made):
    rows, prs = made
    found = rows.pull_requests["ai_kind"] != AI_NONE
    score = prs["ai_confidence_score"]
    assert np.isnan(score[~found]).all()
    assert ((score > 0) & (score <= 1))[found].all()
    assert (np.round(score[found], 3) == score[found]).all()
    assert (prs["ai_signals"][~found] == b"{}").all()
    assert all(json.loads(text)["tools"] for text in prs["ai_signals"][found].tolist())


def test_the_author_is_the_assignee_and_linked_issues_come_from_the_text(made):
    rows, prs = made
    author = prs["author"].tolist()
    want = [[f"dev{member}"] if member >= 0 else [] for member in author]
    assert [json.loads(text) for text in prs["assignees"].tolist()] == want
    assert [json.loads(text) for text in prs["linked_issues"].tolist()] == [
        [number + 7] for number in rows.pull_requests["number"].tolist()
    ]


def test_a_summary_counts_the_files_that_the_table_will_hold(made):
    rows = simulate(made[0], people(12, profile()), profile())
    longest = PRFile.filename.max_length
    names = [b"a" * longest + b"1.py", b"a" * longest + b"2.py", b"b.py"]
    files = {
        "pull_request": np.array([0, 0, 0]),
        "filename": np.array(names),
        "file_category": np.array([b"backend"] * 3),
    }
    told = json.loads(metrics.summarise_columns(rows["PullRequest"], files)["llm_summary"][0])
    assert told["summary"]["description"].startswith("Changes 2 files")
