"""Texts are well formed and agree with the flags."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.support.synthetic import make_profile, read, read_large
from tformance_seed.catalog.languages import load_majors
from tformance_seed.catalog.organisations import repository_weights
from tformance_seed.sources import detection
from tformance_seed.sources.records import (
    AI_CODE,
    AI_NONE,
)
from tformance_seed.sources.synthetic.habits import habit
from tformance_seed.sources.synthetic.words import ai_tools, code_tools


def test_versions_of_a_package_ascend_with_the_pull_requests():
    prs = read(make_profile(prs=6000)).pull_requests
    last: dict[tuple[bytes, bytes], tuple[int, ...]] = {}
    bumps = 0
    forms = (
        rb"Bumps (\S+) from (\S+) to (\S+)\.",  # Dependabot
        rb"This PR contains .*\| (\S+) \| `(\S+)` -> `(\S+)` \|",  # Renovate
    )
    for repository, title, body in zip(
        prs["repository"], prs["title"].tolist(), prs["body"].tolist(), strict=True
    ):
        for bump in filter(None, (re.fullmatch(form, body, re.DOTALL) for form in forms)):
            assert bump[1] in title
            assert bump[3] in title
            old, new = (tuple(int(part) for part in text.split(b".")) for text in bump.groups()[1:])
            package = repository, bump.group(1)
            assert last.get(package, (0, 0, 0)) <= old < new
            assert abs(new[0] - load_majors().get(bump[1].decode(), 1)) <= 1
            bumps += package in last
            last[package] = new
    assert bumps > 100


def test_texts_agree_with_the_flags():
    batch = read(make_profile("rallly", prs=3000))
    prs, commits, files = batch.pull_requests, batch.commits, batch.files
    messages: dict[int, list[str]] = {}
    for row, message, tools, assisted in zip(
        commits["pull_request"].tolist(),
        commits["message"].tolist(),
        commits["ai_co_authors"].tolist(),
        commits["is_ai_assisted"].tolist(),
        strict=True,
    ):
        text = message.decode()
        messages.setdefault(row, []).append(text)
        assert detection.co_author_tools(text) == json.loads(tools)
        assert assisted == (tools != b"[]")
    configured = {
        row
        for row, name in zip(files["pull_request"].tolist(), files["filename"].tolist(), strict=True)
        if detection.is_ai_file(name.decode())
    }
    for row in range(len(prs["key"])):
        title, body = prs["title"][row].decode(), prs["body"][row].decode()
        signed = any(detection.co_author_tools(text) for text in messages[row])
        assert detection.ai_tools(f"{title}\n{body}") == json.loads(prs["ai_tools"][row])
        assert detection.ai_tools(title) == []
        assert signed == prs["has_ai_commits"][row]
        assert (row in configured) == prs["has_ai_files"][row]
        assert detection.jira_key(title).encode() == prs["jira_key"][row]
        assert detection.is_revert(title) == prs["is_revert"][row]
        assert detection.is_hotfix(title) == prs["is_hotfix"][row]
        assert (prs["ai_tools"][row] == b"[]") == (prs["ai_kind"][row] == AI_NONE)
    code = prs["ai_kind"] == AI_CODE
    assert 0.4 < prs["has_ai_commits"][code].mean() < 0.7  # some tools sign in ways that are not known
    assert 0.02 < prs["has_ai_files"][code].mean() < 0.1
    assert not prs["has_ai_commits"][~code].any()


def test_every_tool_is_recognised_by_what_it_leaves():
    for tool in ai_tools():
        name = tool.name.decode()
        assert {*map(template_text, tool.mentions)}
        for mention in map(template_text, tool.mentions):
            assert detection.ai_tools(f"Title\nSome text.\n\n{mention}\n\n- more") == [name], mention
        assert (name in detection.REVIEW_TOOLS) == (tool not in code_tools())
        for trailer in tool.trailers:
            found = detection.co_author_tools(f"fix: typo\n\n{trailer.decode()}")
            assert found in ([], ["claude"] if name == "claude_code" else [name])
    assert sum(bool(tool.trailers) for tool in ai_tools()) >= 6


def template_text(mention):
    return mention.decode().replace("%(session)s", "0123456789abcdef" * 2)


def test_no_other_text_mentions_a_tool():
    """Detection reads only the texts in which a tool could be mentioned, so no other may look like it."""
    batch = read(make_profile("rallly", prs=3000))
    plain = batch.pull_requests["ai_kind"] == AI_NONE
    for name in ("title", "body"):
        mentions = [
            text for text in batch.pull_requests[name][plain].tolist() if detection.ai_tools(text.decode())
        ]
        assert mentions == []


def test_a_name_that_mentions_a_tool_is_found():
    organisation = replace(make_profile().organisation, jira_project_key="GPT")
    prs = read(replace(make_profile(prs=500), organisation=organisation)).pull_requests
    keyed = prs["jira_key"] != b""
    assert keyed.any()
    for title, body, tools in zip(
        prs["title"].tolist(), prs["body"].tolist(), prs["ai_tools"].tolist(), strict=True
    ):
        assert detection.ai_tools((title + b"\n" + body).decode()) == json.loads(tools)


def test_titles_differ_and_name_the_issue():
    prs = read(make_profile(prs=1000)).pull_requests
    people = ~prs["is_bot"]
    assert len(set(prs["title"].tolist())) >= 990
    profile = make_profile()
    repositories = profile.organisation.repos
    named = [0.88 * habit(profile.random, repository, "keys in titles") for repository in repositories]
    expected = np.average(named, weights=repository_weights(len(named)))
    assert (prs["jira_key"][people] != b"").mean() == pytest.approx(expected, abs=0.05)
    keys = [key for key in prs["jira_key"].tolist() if key]
    assert all(re.fullmatch(rb"POLAR-\d{4,}", key) for key in keys)
    for key, title in zip(prs["jira_key"].tolist(), prs["title"].tolist(), strict=True):
        assert key == b"" or title.startswith((key, b"[" + key)) or title.endswith(b"(" + key + b")")


def test_bodies_are_of_all_lengths():
    bodies = np.char.str_len(read_large("polar", None).pull_requests["body"])
    assert 300 < bodies.mean() < 500
    assert 0.05 < (bodies == 0).mean() < 0.15
    assert bodies.max() < 1600
    assert (bodies > 800).mean() > 0.05


def test_texts_and_labels_are_well_formed():
    batch = read(make_profile(prs=2000))
    prs = batch.pull_requests
    for name in ("title", "body"):
        assert not any(b"%(" in text or b"\x00" in text or b"{" in text for text in prs[name].tolist())
    assert all(prs["title"].tolist())
    assert all(batch.commits["message"].tolist())
    labels = [json.loads(text) for text in prs["labels"].tolist()]
    assert all(isinstance(label, str) for entry in labels for label in entry)
    assert {"bug", "dependencies", "hotfix"} <= {label for entry in labels for label in entry}
    first = np.append(0, np.flatnonzero(np.diff(batch.commits["pull_request"])) + 1)
    for row, commit in enumerate(first.tolist()):
        subject = batch.commits["message"][commit].split(b"\n")[0]
        assert subject in prs["title"][row]
