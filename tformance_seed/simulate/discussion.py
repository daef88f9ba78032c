"""What people and bots write in reviews and comments, from ``discussion.toml``."""

import functools
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from tformance_seed.sampling.arrays import Booleans, Ints, Texts, UInt64
from tformance_seed.sampling.keyed_random import KeyedRandom

#: Kinds of reviews, in the order of their states and then those of bots; and of comments: those on a line,
#: and lists in ``discussion``.
APPROVED, CHANGES_REQUESTED, COMMENTED, BY_REVIEW_BOT = range(4)
ON_LINE, ANSWER, ON_PULL_REQUEST, BY_BOT = range(4)

#: Shares of reviews without a text, by their kind.
WITHOUT_TEXT = np.array([0.375, 0.5, 0.5, 0.0])

#: Share of comments on a line that are about its language or category, if there are sentences about it.
SPECIFIC_SHARE = 0.5

#: Lists of sentences about lines: by the category of their file, or else by the extension of its name.
CATEGORIES = {b"test": "test", b"docs": "docs", b"config": "config"}
EXTENSIONS = {
    "python": b"py",
    "script": b"ts tsx js jsx mjs vue svelte astro",
    "go": b"go",
    "rust": b"rs",
    "ruby": b"rb erb",
    "java": b"java kt scala",
    "php": b"php",
    "sql": b"sql",
}
_LIST_OF_EXTENSION = {extension: name for name, some in EXTENSIONS.items() for extension in some.split()}


def review_texts(random: KeyedRandom, key: UInt64, position: Ints, kind: Ints) -> Texts:
    """Return the text of each review; empty for many.

    Parameters:
      key, position: the pull request of each, and its position in that pull request.
      kind: one of ``APPROVED`` and those that follow it.
    """
    names = ("approved", "changes_requested", "commented", "bot")
    texts = _choose(
        random, "review body", key, position, kind, [_sentences("reviews", name) for name in names]
    )
    return np.where(random.uniform("review text", key, position) < WITHOUT_TEXT[kind], b"", texts)


def comment_texts(
    random: KeyedRandom, key: UInt64, position: Ints, kind: Ints, path: Texts, category: Texts
) -> Texts:
    """Return the text of each comment.

    Parameters:
      key, position: the pull request of each, and its position in that pull request.
      kind: one of ``ON_LINE`` and those that follow it.
      path, category: the file that each is on, empty if it is on none.
    """
    names = ["any", *CATEGORIES.values(), *EXTENSIONS]
    lists = [_sentences("on_line", name) for name in names]
    lists += [_sentences("discussion", name) for name in ("answer", "on_pull_request", "by_bot")]
    is_specific = (kind == ON_LINE) & random.chance("specific comment", SPECIFIC_SHARE, key, position)
    which = np.where(kind == ON_LINE, 0, len(names) + kind - 1)
    which[is_specific] = [
        names.index(CATEGORIES.get(about) or _LIST_OF_EXTENSION.get(name.rpartition(b".")[2], "any"))
        for name, about in zip(path[is_specific].tolist(), category[is_specific].tolist(), strict=True)
    ]
    texts = _choose(random, "comment body", key, position, which, lists)
    return _about_files(texts, path)


def _about_files(texts: Texts, path: Texts) -> Texts:
    """Fill in the names of files; what is on none is about this file."""
    with_name: Booleans = np.char.find(texts, b"{") >= 0
    filled = []
    for text, name in zip(texts[with_name].tolist(), path[with_name].tolist(), strict=True):
        file = name.rpartition(b"/")[2] or b"this file"
        filled.append(text.replace(b"{file}", file).replace(b"{name}", file.partition(b".")[0] or file))
    texts = texts.astype(f"S{max([texts.dtype.itemsize, *map(len, filled)])}")
    texts[with_name] = filled
    return texts


def _choose(
    random: KeyedRandom, purpose: str, key: UInt64, position: Ints, which: Ints, lists: list[Texts]
) -> Texts:
    """Choose a sentence from one of the lists for each row."""
    counts = np.array(list(map(len, lists)))
    start = np.cumsum(counts) - counts
    place = np.floor(random.uniform(purpose, key, position) * counts[which]).astype(np.int64)
    texts: Texts = np.concatenate(lists)[start[which] + place]
    return texts


@functools.cache
def _load() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


@functools.cache
def _sentences(table: str, name: str) -> Texts:
    return np.array(_load()[table][name].strip().encode().split(b"\n"))
