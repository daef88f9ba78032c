import json

import numpy as np
import pytest

from tests.support.batches import make_batch, make_members, make_profile, simulate
from tformance_seed import metrics
from tformance_seed.canonical_json import json_text
from tformance_seed.simulate.summaries import summaries
from tformance_seed.sources.records import AI_NONE
from tformance_seed.storage.models import PRFile


@pytest.fixture(scope="module")
def simulated():
    profile = make_profile()
    members = make_members(12, profile)
    rows = make_batch(profile, members, np.arange(1, 1001))
    rows.pull_requests["title"] = np.char.add(rows.pull_requests["title"], b' \\ "quoted" \x01')
    return rows, simulate(rows, members, profile)["PullRequest"]


@pytest.fixture(scope="module")
def summarised(simulated):
    prs = dict(simulated[0].pull_requests)
    prs["reviewed"] = ~np.isnat(prs["first_review_at"])
    prs["review_rounds"] = np.ma.filled(prs["review_rounds"], 0)
    return summaries(prs, simulated[0].files)


def test_json_is_canonical(simulated, summarised):
    for column in ("ai_signals", "ai_tools_detected", "assignees", "labels", "linked_issues"):
        texts = [text.decode() for text in simulated[1][column].tolist()]
        assert texts == [json_text(json.loads(text)) for text in texts]
    assert [text.decode() for text in summarised] == [json_text(json.loads(text)) for text in summarised]


def test_summaries_state_what_is_known(simulated, summarised):
    rows, prs = simulated
    profile = [json.loads(text) for text in summarised]
    owner = rows.files["pull_request"]
    for row, summary in enumerate(profile):
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
    scopes = np.array([summary["health"]["scope"] for summary in profile])
    assert set(scopes[sizes >= 1000].tolist()) <= {"xlarge"}
    assert set(scopes[sizes < 50].tolist()) == {"small"}


def test_confidence_and_signals_are_set_where_ai_was_found(simulated):
    rows, prs = simulated
    found = rows.pull_requests["ai_kind"] != AI_NONE
    score = prs["ai_confidence_score"]
    assert np.isnan(score[~found]).all()
    assert ((score > 0) & (score <= 1))[found].all()
    assert (np.round(score[found], 3) == score[found]).all()
    assert (prs["ai_signals"][~found] == b"{}").all()
    assert all(json.loads(text)["tools"] for text in prs["ai_signals"][found].tolist())


def test_the_author_is_the_assignee_and_linked_issues_come_from_the_text(simulated):
    rows, prs = simulated
    author = prs["author"].tolist()
    want = [[f"dev{member}"] if member >= 0 else [] for member in author]
    assert [json.loads(text) for text in prs["assignees"].tolist()] == want
    assert [json.loads(text) for text in prs["linked_issues"].tolist()] == [
        [number + 7] for number in rows.pull_requests["number"].tolist()
    ]


def test_a_summary_counts_the_files_that_the_table_will_hold(simulated):
    rows = simulate(simulated[0], make_members(12, make_profile()), make_profile())
    longest = PRFile.filename.max_length
    names = [b"a" * longest + b"1.py", b"a" * longest + b"2.py", b"b.py"]
    files = {
        "pull_request": np.array([0, 0, 0]),
        "filename": np.array(names),
        "file_category": np.array([b"backend"] * 3),
    }
    profile = json.loads(metrics.summarise_columns(rows["PullRequest"], files)["llm_summary"][0])
    assert profile["summary"]["description"].startswith("Changes 2 files")
