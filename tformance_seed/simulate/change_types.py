"""What type of change a pull request is, from its title, its labels and its files."""

import functools
import json
import re

import numpy as np

from tformance_seed.sources.records import Columns

#: Type -> the words for it, as the prefix of a title, as a label, or as the first word of a title.
WORDS = {
    "feature": "feature feat features enhancement add adds added allow implement introduce let make new show"
    " support enable create",
    "bugfix": "bugfix bug bugs fix fixes fixed hotfix revert regression patch avoid correct ensure handle"
    " prevent resolve stop",
    "refactor": "refactor refactoring perf performance style tech-debt batch cache drop extract fetch improve"
    " inline load move optimise optimize rename restructure rewrite share simplify speed split",
    "docs": "docs doc documentation describe document explain",
    "test": "test tests testing cover check stabilise stabilize",
    "chore": "chore chores build deps dependencies maintenance release adjust bump clean cleanup remove tidy"
    " update upgrade",
    "ci": "ci cd infrastructure workflow workflows pin run tune",
}
TYPE_OF_WORD = {word: change_type for change_type, words in WORDS.items() for word in words.split()}

#: A Jira key at the beginning of a title, in any of the usual forms: ``AB-1: ``, ``[AB-1] ``, ``AB-1 - ``.
KEY = re.compile(r"[\[(]?[A-Z][A-Z0-9]+-[0-9]+[\])]?[\W_]*")

#: A conventional prefix: ``feat(api)!: ``.
PREFIX = re.compile(r"(\w+)(?:\([^)]*\))?!?:")

#: The first word of a title, after a prefix if it has one, such as a part of the product.
FIRST_WORD = re.compile(r"(?:\w+(?:\([^)]*\))?!?:)?\W*([\w-]+)")

#: Category of files -> the type of a change to nothing else.
TYPE_OF_FILES = {b"docs": "docs", b"test": "test"}

#: The type of a change about which nothing else is known.
DEFAULT_TYPE = "feature"


def change_types(prs: Columns, files: Columns) -> list[str]:
    """Return the type of each pull request: one of ``WORDS``.

    The prefix of its title says it best, then its labels, the first word of its title, and its files.

    Parameters:
      prs: title and labels (a JSON list), ``S``.
      files: pull_request (row of ``prs``), file_category.
    """
    size = len(prs["title"])
    all_files = np.bincount(files["pull_request"], minlength=size)
    by_files = np.full(size, DEFAULT_TYPE, dtype="U8")
    for category, change_type in TYPE_OF_FILES.items():
        owner = files["pull_request"][files["file_category"] == category]
        by_files[(np.bincount(owner, minlength=size) == all_files) & (all_files > 0)] = change_type
    rows = zip(prs["title"].tolist(), prs["labels"].tolist(), by_files.tolist(), strict=True)
    return [
        _type_of_title(title.decode(), PREFIX)
        or _type_of_labels(labels)
        or _type_of_title(title.decode(), FIRST_WORD)
        or of_files
        for title, labels, of_files in rows
    ]


def _type_of_title(title: str, pattern: re.Pattern[str]) -> str | None:
    """Return the type of the word that a pattern finds after the Jira key; None if it is no known word."""
    key = KEY.match(title)
    found = pattern.match(title, key.end() if key else 0)
    return TYPE_OF_WORD.get(found[1].lower()) if found else None


@functools.lru_cache(maxsize=4096)
def _type_of_labels(labels: bytes) -> str | None:
    """Return the type of the first label that has one."""
    words = (str(label).lower() for label in json.loads(labels))
    return next((TYPE_OF_WORD[word] for word in words if word in TYPE_OF_WORD), None)
