"""Summaries of pull requests, such as a language model would write, derived from the known columns."""

import functools
import json
from typing import Any

import numpy as np

from tformance_seed.canonical_json import json_text
from tformance_seed.sampling.arrays import Ints
from tformance_seed.sampling.ragged import group_offsets
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW, Columns

#: Versions of the summary format and of the AI detection rules.
SUMMARY_VERSION = "seed-1"
DETECTION_VERSION = "seed-1"

#: Languages and frameworks by file extension.
LANGUAGES = {
    b"py": "python",
    b"pyi": "python",
    b"ipynb": "python",
    b"ts": "typescript",
    b"tsx": "typescript",
    b"js": "javascript",
    b"jsx": "javascript",
    b"mjs": "javascript",
    b"vue": "javascript",
    b"svelte": "javascript",
    b"go": "go",
    b"rs": "rust",
    b"java": "java",
    b"kt": "kotlin",
    b"kts": "kotlin",
    b"rb": "ruby",
    b"erb": "ruby",
    b"php": "php",
    b"cs": "csharp",
    b"c": "c",
    b"h": "c",
    b"cc": "cpp",
    b"cpp": "cpp",
    b"hpp": "cpp",
    b"swift": "swift",
    b"scala": "scala",
    b"dart": "dart",
    b"clj": "clojure",
    b"cljs": "clojure",
    b"hs": "haskell",
    b"coffee": "coffeescript",
    b"ex": "elixir",
    b"exs": "elixir",
    b"sh": "shell",
    b"sql": "sql",
    b"tf": "terraform",
    b"css": "css",
    b"scss": "css",
    b"html": "html",
    b"hbs": "html",
    b"pug": "html",
    b"astro": "html",
}
FRAMEWORKS = {
    b"tsx": "react",
    b"jsx": "react",
    b"vue": "vue",
    b"svelte": "svelte",
    b"erb": "rails",
    b"astro": "astro",
    b"dart": "flutter",
}

#: Categories in the application's summaries, in the order of their bits.
CATEGORIES = ("backend", "config", "docs", "frontend", "javascript", "other", "test")

#: Type of change by the first word of the title.
CHANGE_TYPES = {
    "feat": "feature",
    "add": "feature",
    "fix": "bugfix",
    "hotfix": "bugfix",
    "revert": "revert",
    "refactor": "refactor",
    "docs": "docs",
    "test": "test",
    "chore": "chore",
    "ci": "ci",
    "build": "chore",
    "bump": "chore",
    "perf": "performance",
}
DEFAULT_CHANGE_TYPE = "feature"

#: Scopes, and the numbers of changed lines from which the second, third and fourth scope apply.
SCOPES = np.array(["small", "medium", "large", "xlarge"])
SCOPE_FROM = (50, 300, 1000)

LEVELS = np.array(["low", "medium", "high"])

#: Insights, in the order of the bits of ``_insights``.
INSIGHTS = (
    "Large change: hard to review in one go",
    "Code without tests",
    "Several rounds of review",
    "Slow first review",
    "Merged without a review",
    "AI took part",
)

#: Hours until the first review from which it counts as slow.
SLOW_REVIEW = 24.0

#: Confidence by the kind of AI, and what commits that name AI and files that configure it add to it.
CONFIDENCE = (0.0, 0.62, 0.81)
CONFIDENCE_OF_COMMITS, CONFIDENCE_OF_FILES = 0.24, 0.08

#: The pull request's key adds between 0 and one less than this many thousandths to the confidence.
CONFIDENCE_STEPS = 60

#: Maximum confidence, in thousandths.
MAX_CONFIDENCE = 990

#: Maximum length of a title in a summary, in characters.
TITLE_LENGTH = 120

#: Technologies, one bit each: (part of the summary, name).
TECHNOLOGY = (
    *(("languages", name) for name in sorted(set(LANGUAGES.values()))),
    *(("frameworks", name) for name in sorted(set(FRAMEWORKS.values()))),
    *(("categories", name) for name in CATEGORIES),
)
CATEGORY_BITS = {name.encode(): 1 << TECHNOLOGY.index(("categories", name)) for name in CATEGORIES}
EXTENSION_BITS = {
    extension: 1 << TECHNOLOGY.index(("languages", language))
    | (1 << TECHNOLOGY.index(("frameworks", FRAMEWORKS[extension])) if extension in FRAMEWORKS else 0)
    for extension, language in LANGUAGES.items()
}

_encode = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would create an encoder for each text


def ai_signals(prs: Columns) -> Columns:
    """Return ``ai_signals``, ``ai_confidence_score`` (0 to 1; NaN: nothing found), ``ai_detection_version``.

    Parameters:
      prs: pull requests with the columns of the record.
    """
    kind = prs["ai_kind"]
    confidence = np.array(CONFIDENCE)[kind] + CONFIDENCE_OF_COMMITS * prs["has_ai_commits"]
    confidence += CONFIDENCE_OF_FILES * prs["has_ai_files"]
    thousandths = np.floor(confidence * 1000 + 0.5) + (prs["key"] % np.uint64(CONFIDENCE_STEPS)).astype(
        np.float64
    )
    rows = zip(
        kind.tolist(),
        prs["has_ai_commits"].tolist(),
        prs["has_ai_files"].tolist(),
        prs["ai_tools"].tolist(),
        strict=True,
    )
    return {
        "ai_signals": np.array([_signals(*row) for row in rows], dtype="S"),
        "ai_confidence_score": np.where(
            kind == AI_NONE, np.nan, np.minimum(thousandths, MAX_CONFIDENCE) / 1000
        ),
        "ai_detection_version": np.full(len(kind), DETECTION_VERSION.encode()),
    }


@functools.lru_cache(maxsize=4096)
def _signals(kind: int, commits: bool, files: bool, tools: bytes) -> bytes:
    if kind == AI_NONE:
        return b"{}"
    found = {"commits": commits, "files": files, "review": kind == AI_REVIEW}
    return b'{"sources":%s,"tools":%s}' % (_json([name for name in found if found[name]]), tools)


def summaries(prs: Columns, files: Columns) -> list[bytes]:
    """Return a canonical JSON object for each pull request, derived from the known columns.

    ``{ai: {confidence, is_assisted, tools, usage_type}, health: {insights, review_friction, risk_level,
    scope}, summary: {description, title, type}, tech: {categories, frameworks, languages}}``.

    Parameters:
      prs: title, state, ai_tools (``S``), additions, deletions, review_rounds (int, 0 if there was none),
        ai_kind, is_hotfix, is_revert, has_ai_commits, reviewed (bool), review_time_hours (NaN: not reviewed).
      files: pull_request (row of ``prs``), filename, file_category.
    """
    tech, counts = _tech(prs, files)
    lines = prs["additions"] + prs["deletions"]
    scope = np.searchsorted(SCOPE_FROM, lines, side="right")
    risk = np.minimum((scope + prs["is_hotfix"] + prs["is_revert"]) // 2, 2)
    friction = np.minimum(prs["review_rounds"], 2)
    health = zip(
        _insights(prs, files, scope).tolist(), friction.tolist(), risk.tolist(), scope.tolist(), strict=True
    )
    ai = zip(prs["ai_kind"].tolist(), prs["has_ai_commits"].tolist(), prs["ai_tools"].tolist(), strict=True)
    figures = zip(counts.tolist(), prs["additions"].tolist(), prs["deletions"].tolist(), strict=True)
    rows = zip(ai, health, figures, prs["title"].tolist(), tech, strict=True)
    return [
        b'{"ai":%s,"health":%s,"summary":%s,"tech":%s}'
        % (_ai(*used), _health(*state), _summary(title.decode(), *counted), technology)
        for used, state, counted, title, technology in rows
    ]


@functools.lru_cache(maxsize=4096)
def _ai(kind: int, commits: bool, tools: bytes) -> bytes:
    confidence = round(CONFIDENCE[kind] + CONFIDENCE_OF_COMMITS * commits, 2) if kind != AI_NONE else 0.9
    usage = {AI_NONE: None, AI_CODE: "authored" if commits else "assisted", AI_REVIEW: "reviewed"}[kind]
    return b'{"confidence":%s,"is_assisted":%s,"tools":%s,"usage_type":%s}' % (
        _json(confidence),
        _json(kind != AI_NONE),
        tools,
        _json(usage),
    )


@functools.lru_cache(maxsize=4096)
def _health(insights: int, friction: int, risk: int, scope: int) -> bytes:
    chosen = [text for bit, text in enumerate(INSIGHTS) if insights >> bit & 1]
    return _json(
        {
            "insights": chosen,
            "review_friction": str(LEVELS[friction]),
            "risk_level": str(LEVELS[risk]),
            "scope": str(SCOPES[scope]),
        }
    )


def _summary(title: str, files: int, additions: int, deletions: int) -> bytes:
    first = title.split(" ", 1)[0].split("(", 1)[0].rstrip("!:").lower()
    return b'{"description":"Changes %d file%s: %d lines added, %d removed.","title":%s,"type":"%s"}' % (
        files,
        b"" if files == 1 else b"s",
        additions,
        deletions,
        _encode(title[:TITLE_LENGTH]).encode(),
        CHANGE_TYPES.get(first, DEFAULT_CHANGE_TYPE).encode(),
    )


def _insights(prs: Columns, files: Columns, scope: Ints) -> Ints:
    """Return which of ``INSIGHTS`` apply to each pull request, as bits."""
    owner, category = files["pull_request"], files["file_category"]
    code = np.isin(category, [b"backend", b"frontend", b"javascript"])
    size = len(prs["title"])
    has_code = np.bincount(owner[code], minlength=size) > 0
    has_tests = np.bincount(owner[category == b"test"], minlength=size) > 0
    holds = (
        scope == len(SCOPES) - 1,
        has_code & ~has_tests,
        prs["review_rounds"] > 1,
        prs["review_time_hours"] >= SLOW_REVIEW,
        (prs["state"] == b"merged") & ~prs["reviewed"],
        prs["ai_kind"] != AI_NONE,
    )
    bits = np.zeros(size, dtype=np.int64)
    for bit, hold in enumerate(holds):
        bits |= hold.astype(np.int64) << bit
    return bits


def _tech(prs: Columns, files: Columns) -> tuple[list[bytes], Ints]:
    """Return each pull request's languages, frameworks and categories as JSON, and its number of files."""
    starts, counts = group_offsets(files["pull_request"], len(prs["title"]))
    pairs = zip(files["filename"].tolist(), files["file_category"].tolist(), strict=True)
    bits_of = _TechnologyBits()
    bits = [bits_of[file] for file in pairs]
    found = np.zeros(len(counts), dtype=np.int64)
    present = np.flatnonzero(counts)[np.argsort(starts[counts > 0])]  # pull requests in the files' order
    if len(present):
        found[present] = np.bitwise_or.reduceat(np.array(bits, dtype=np.int64), starts[present])
    return [_technology(row) for row in found.tolist()], counts


class _TechnologyBits(dict[tuple[bytes, bytes], int]):
    """Bits of ``TECHNOLOGY`` by file name and category, computed once per file: most files recur."""

    def __missing__(self, file: tuple[bytes, bytes]) -> int:
        name, category = file
        bits = EXTENSION_BITS.get(name.rpartition(b".")[2], 0) | CATEGORY_BITS[category]
        self[file] = bits
        return bits


@functools.lru_cache(maxsize=65536)
def _technology(bits: int) -> bytes:
    parts: dict[str, list[str]] = {"languages": [], "frameworks": [], "categories": []}
    for bit, (part, name) in enumerate(TECHNOLOGY):
        if bits >> bit & 1:
            parts[part].append(name)
    return _json(parts)


def _json(value: Any) -> bytes:
    return json_text(value).encode()
