"""Summaries of pull requests, such as a language model would write, derived from the known columns."""

import functools
import json
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from tformance_seed.canonical_json import json_text
from tformance_seed.sampling.arrays import Booleans, Ints
from tformance_seed.sampling.ragged import group_offsets
from tformance_seed.simulate.change_types import change_types
from tformance_seed.simulate.summary_format import MAX_TITLE, Category, Level, Scope
from tformance_seed.sources.detection import UNCOUNTED_TOOLS
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW, Columns, ai_kind

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

#: The application's categories of technologies, and those of its categories of files that are one of them.
CATEGORIES: tuple[str, ...] = get_args(Category)
CATEGORY_OF_FILES = {b"backend": "backend", b"frontend": "frontend", b"javascript": "frontend"}

#: Parts of a path, in lower case, and extensions that are about operations, mobile apps or data as well.
CATEGORY_OF_PARTS = {
    "devops": b"workflows dockerfile docker-compose.yml docker-compose.yaml compose.yaml jenkinsfile procfile"
    b" makefile helm charts k8s terraform",
    "mobile": b"android ios",
    "data": b"migration migrations",
}
CATEGORY_OF_EXTENSIONS = {
    "devops": b"tf tfvars",
    "mobile": b"swift dart kt",
    "data": b"sql ipynb parquet csv",
}

#: Scopes, and the numbers of changed lines from which the second, third and fourth scope apply.
SCOPES = np.array(get_args(Scope))
SCOPE_FROM = (50, 300, 1000)

LEVELS = np.array(get_args(Level))

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

#: Confidence that no AI took part, that AI wrote code, and that AI reviewed; and what is added if a commit
#: names the AI.
CONFIDENCE, CONFIDENCE_OF_COMMITS = (0.9, 0.62, 0.81), 0.24

#: The title in the summary of a pull request that has none.
NO_TITLE = "Untitled"

#: Technologies, one bit each: (part of the summary, name).
TECHNOLOGY = (
    *(("languages", name) for name in sorted(set(LANGUAGES.values()))),
    *(("frameworks", name) for name in sorted(set(FRAMEWORKS.values()))),
    *(("categories", name) for name in CATEGORIES),
)
CATEGORY_BITS = {name: 1 << TECHNOLOGY.index(("categories", name)) for name in CATEGORIES}
PART_BITS, CATEGORY_EXTENSION_BITS = (
    {word: CATEGORY_BITS[name] for name, words in table.items() for word in words.split()}
    for table in (CATEGORY_OF_PARTS, CATEGORY_OF_EXTENSIONS)
)
EXTENSION_BITS = {
    extension: 1 << TECHNOLOGY.index(("languages", language))
    | (1 << TECHNOLOGY.index(("frameworks", FRAMEWORKS[extension])) if extension in FRAMEWORKS else 0)
    for extension, language in LANGUAGES.items()
}

_encode = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would create an encoder for each text


def summaries(prs: Columns, files: Columns) -> list[bytes]:
    """Return a canonical JSON object for each pull request, derived from the known columns.

    ``{ai: {confidence, is_assisted, tools, usage_type}, health: {insights, review_friction, risk_level,
    scope}, summary: {description, title, type}, tech: {categories, frameworks, languages}}``.

    Parameters:
      prs: title, state, labels, ai_tools (``S``), additions, deletions, review_rounds (int, 0 if there was
        none), is_hotfix, is_revert, has_ai_commits, reviewed (bool), review_time_hours (NaN: not reviewed).
      files: pull_request (row of ``prs``), filename, file_category.
    """
    tech, counts = _tech(prs, files)
    lines = prs["additions"] + prs["deletions"]
    scope = np.searchsorted(SCOPE_FROM, lines, side="right")
    risk = np.minimum((scope + prs["is_hotfix"] + prs["is_revert"]) // 2, 2)
    friction = np.minimum(prs["review_rounds"], 2)
    signs = zip(prs["ai_tools"].tolist(), prs["has_ai_commits"].tolist(), strict=True)
    ai = [ai_part(*sign) for sign in signs]
    with_ai = np.array([part.is_assisted for part in ai], dtype=bool)
    health = zip(
        _insights(prs, files, scope, with_ai).tolist(),
        friction.tolist(),
        risk.tolist(),
        scope.tolist(),
        strict=True,
    )
    figures = zip(counts.tolist(), prs["additions"].tolist(), prs["deletions"].tolist(), strict=True)
    types = change_types(prs, files)
    rows = zip(ai, health, figures, types, prs["title"].tolist(), tech, strict=True)
    return [
        b'{"ai":%s,"health":%s,"summary":%s,"tech":%s}'
        % (part.json, _health(*state), _summary(title.decode(), change_type, *counted), technology)
        for part, state, counted, change_type, title, technology in rows
    ]


@dataclass(frozen=True)
class AIPart:
    """The part of a summary about AI, and the same as JSON."""

    is_assisted: bool
    tools: tuple[str, ...]
    confidence: float
    json: bytes


@functools.lru_cache(maxsize=4096)
def ai_part(tools: bytes, signed: bool) -> AIPart:
    """Return the part of a summary about AI: the detected tools that count, or an AI co-author.

    Parameters:
      tools: the tools detected in the pull request, as a JSON list.
      signed: whether a commit names an AI co-author.
    """
    detected = json.loads(tools)
    kind = ai_kind(detected, signed=signed)
    counted = [tool for tool in detected if tool not in UNCOUNTED_TOOLS]
    confidence = round(CONFIDENCE[kind] + CONFIDENCE_OF_COMMITS * signed, 2)
    usage = {AI_NONE: None, AI_CODE: "authored" if signed else "assisted", AI_REVIEW: "reviewed"}[kind]
    part = {
        "confidence": confidence,
        "is_assisted": kind != AI_NONE,
        "tools": counted,
        "usage_type": usage,
    }
    return AIPart(kind != AI_NONE, tuple(counted), confidence, _json(part))


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


def _summary(title: str, change_type: str, files: int, additions: int, deletions: int) -> bytes:
    return b'{"description":"Changes %d file%s: %d lines added, %d removed.","title":%s,"type":"%s"}' % (
        files,
        b"" if files == 1 else b"s",
        additions,
        deletions,
        _encode(title[:MAX_TITLE] or NO_TITLE).encode(),
        change_type.encode(),
    )


def _insights(prs: Columns, files: Columns, scope: Ints, with_ai: Booleans) -> Ints:
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
        with_ai,
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
        extension = name.rpartition(b".")[2]
        bits = EXTENSION_BITS.get(extension, 0) | CATEGORY_EXTENSION_BITS.get(extension, 0)
        if category in CATEGORY_OF_FILES:
            bits |= CATEGORY_BITS[CATEGORY_OF_FILES[category]]
        for part in name.lower().split(b"/"):
            bits |= PART_BITS.get(part, 0)
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
