"""Texts are well formed and agree with the flags."""

import json
import re

import numpy as np
import pytest

from tests.support.synthetic import make_profile, read, read_large
from tformance_seed.sources import detection
from tformance_seed.sources.records import (
    AI_CODE,
    AI_NONE,
)
from tformance_seed.sources.synthetic.words import ai_tools


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
            assert new[0] < 25
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
        assert detection.ai_tools(text) == json.loads(tools)
        assert assisted == (tools != b"[]")
    configured = {
        row
        for row, name in zip(files["pull_request"].tolist(), files["filename"].tolist(), strict=True)
        if detection.is_ai_config(name.decode())
    }
    for row in range(len(prs["key"])):
        title, body = prs["title"][row].decode(), prs["body"][row].decode()
        signed = any(detection.ai_tools(text) for text in messages[row])
        assert detection.ai_tools("\n\n".join([title, body, *messages[row]])) == json.loads(
            prs["ai_tools"][row]
        )
        assert detection.ai_tools(title) == []
        assert signed == prs["has_ai_commits"][row]
        assert (row in configured) == prs["has_ai_files"][row]
        assert detection.jira_key(title).encode() == prs["jira_key"][row]
        assert detection.is_revert(title) == prs["is_revert"][row]
        assert detection.is_hotfix(title) == prs["is_hotfix"][row]
        assert (prs["ai_tools"][row] == b"[]") == (prs["ai_kind"][row] == AI_NONE)
    code = prs["ai_kind"] == AI_CODE
    assert prs["has_ai_commits"][code].mean() == pytest.approx(0.8, abs=0.05)
    assert 0.04 < prs["has_ai_files"][code].mean() < 0.13
    assert not prs["has_ai_commits"][~code].any()


def test_every_tool_is_recognised_by_what_it_leaves():
    for tool in ai_tools():
        name = tool.name.decode()
        assert detection.ai_tools(f"Some text.\n\n{tool.mention.decode()}\n- more") == [name]
        assert (name in detection.REVIEW_TOOLS) == (tool.trailer == b"")
        if tool.trailer:
            assert detection.ai_tools(f"fix: typo\n\n{tool.trailer.decode()}") == [name]
            assert detection.is_ai_config(tool.file)


def test_titles_differ_and_name_the_issue():
    prs = read(make_profile(prs=1000)).pull_requests
    people = ~prs["is_bot"]
    assert len(set(prs["title"].tolist())) >= 990
    assert (prs["jira_key"][people] != b"").mean() == pytest.approx(0.6, abs=0.05)
    keys = [key for key in prs["jira_key"].tolist() if key]
    assert len(set(keys)) == len(keys)
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
