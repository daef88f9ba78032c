import json

import numpy as np
import pytest

from tests.support.batches import make_batch, make_members, make_profile, simulate
from tformance_seed import metrics
from tformance_seed.canonical_json import json_text
from tformance_seed.simulate.ai_signals import weigh
from tformance_seed.simulate.summaries import summaries
from tformance_seed.simulate.summary_format import is_valid_summary
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
        kinds = set(rows.files["file_category"][owner == row].tolist())
        assert summary["tech"]["categories"] == [
            name for name in ("backend", "frontend") if name.encode() in kinds
        ]
        python = any(name.endswith(b".py") for name in rows.files["filename"][owner == row].tolist())
        assert ("python" in summary["tech"]["languages"]) == python
        assert set(summary["health"]) == {"scope", "risk_level", "review_friction", "insights"}
        assert summary["summary"]["type"] == "bugfix"
    sizes = prs["additions"] + prs["deletions"]
    scopes = np.array([summary["health"]["scope"] for summary in profile])
    assert set(scopes[sizes >= 1000].tolist()) <= {"xlarge"}
    assert set(scopes[sizes < 50].tolist()) == {"small"}


def test_every_summary_is_valid(summarised):
    assert all(is_valid_summary(json.loads(text)) for text in summarised)


def test_signals_and_confidence_are_weighed(simulated, summarised):
    prs = simulated[1]
    for row, text in enumerate(summarised):
        flags = {name: bool(prs[f"has_ai_{name}"][row]) for name in ("commits", "review", "files")}
        tools = json.loads(prs["ai_tools_detected"][row])
        signals, score = weigh(json.loads(text)["ai"], tools, **flags)
        assert json.loads(prs["ai_signals"][row]) == signals
        assert prs["ai_confidence_score"][row] == score
    assert {0.0} < set(prs["ai_confidence_score"].tolist())
    assert set(prs["ai_detection_version"].tolist()) == {b"2.0.0"}


def test_all_signals_of_the_application_are_weighed_as_by_it():
    """What is wanted was computed by the application."""
    ai = {"is_assisted": True, "tools": ["claude"], "confidence": 0.9}
    signals, score = weigh(ai, ["claude"], commits=True, review=True, files=True)
    assert score == 0.96
    assert [signal["score"] for signal in signals.values()] == [0.36000000000000004, 0.2, 0.25, 0.1, 0.05]
    nothing, score = weigh(None, [], commits=False, review=False, files=False)
    assert score == 0.0
    assert nothing == {
        "llm": {"score": 0.0, "is_assisted": False, "tools": [], "confidence": None},
        "regex": {"score": 0.0, "is_assisted": False, "tools": []},
        **{name: {"score": 0.0, "has_ai": False} for name in ("commits", "reviews", "files")},
    }
    assert weigh(None, ["cursor"], commits=False, review=False, files=False)[1] == 0.2
    assert weigh({"is_assisted": True}, [], commits=False, review=False, files=False)[1] == 0.4
    denied = {"is_assisted": False, "tools": [], "confidence": 0.9}
    assert weigh(denied, [], commits=False, review=False, files=False) == (nothing, 0.0)


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
