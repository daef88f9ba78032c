"""What changes are for, and how it shows in their files.

Sizes are calibrated, so the intent is drawn given the size: which kinds of changes are how likely among those
of one line, of thirty, of three thousand. Everything else follows from the intent.
"""

from typing import NamedTuple

import numpy as np

from tformance_seed.sampling.arrays import Booleans, Floats, Ints, UInt64
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.synthetic.habits import HABITS, habit


class Intent(NamedTuple):
    """A kind of changes.

    Parameters:
      prefix, emoji: the conventional prefix of its titles, and the emoji of repositories with emoji.
      weights: how often it is what a change is for, among those of at most so many lines as ``LINE_STEPS``.
      max_files: the maximum number of files in such a change.
      tests: the share in which tests of the component change as well.
      additions: the mean share of additions in the lines of a modified file.
      added, removed, renamed: shares of such files, among those with enough lines.
    """

    prefix: bytes
    emoji: str
    weights: tuple[float, ...]
    max_files: int
    tests: float
    additions: float
    added: float = 0.0
    removed: float = 0.0
    renamed: float = 0.0


#: The lines of a change, up to which each weight of an intent applies; the last one applies to all above.
LINE_STEPS = (3, 30, 300, 2_500)

#: No limit to the number of files.
ANY = 10_000

INTENTS = {
    "fix": Intent(b"fix", "🐛", (45, 52, 34, 12, 0), 40, 0.33, 0.72, 0.04, 0.01),
    "feat": Intent(b"feat", "✨", (5, 14, 38, 55, 12), ANY, 0.40, 0.80, 0.50, 0.02, 0.01),
    "refactor": Intent(b"refactor", "♻️", (3, 6, 12, 20, 13), ANY, 0.30, 0.52, 0.24, 0.12, 0.06),
    "perf": Intent(b"perf", "⚡️", (1, 3, 3, 2, 0), 15, 0.20, 0.62, 0.05, 0.02),
    "chore": Intent(b"chore", "🔧", (20, 11, 5, 3, 0), 60, 0.10, 0.50, 0.06, 0.10, 0.02),
    "docs": Intent(b"docs", "📝", (16, 8, 5, 4, 0), 8, 0.0, 0.72, 0.15, 0.02, 0.01),
    "test": Intent(b"test", "✅", (3, 3, 4, 4, 0), 6, 1.0, 0.75, 0.35, 0.02),
    "ci": Intent(b"ci", "👷", (8, 7, 3, 1, 0), 4, 0.0, 0.58, 0.08, 0.03),
    "release": Intent(b"chore", "🔖", (0, 0, 0, 0, 0), 6, 0.0, 0.60),
    "move": Intent(b"chore", "🚚", (0, 0, 0, 2, 75), ANY, 0.1, 0.55, 0.30, 0.18, 0.10),
}
KINDS = tuple(INTENTS)
FIX, FEAT, REFACTOR, _, CHORE, DOCS, TEST, CI, RELEASE, MOVE = range(len(KINDS))

#: The kind of a change with more files than its own may have, and of a change to documents.
FALLBACK, DOCS_SHARE = REFACTOR, 0.85

MAX_FILES = np.array([intent.max_files for intent in INTENTS.values()])
TESTS = np.array([intent.tests for intent in INTENTS.values()])
ADDITIONS = np.array([intent.additions for intent in INTENTS.values()])
STATUS_SHARES = np.array([(intent.added, intent.removed, intent.renamed) for intent in INTENTS.values()])
_WEIGHTS = np.array([intent.weights for intent in INTENTS.values()], dtype=np.float64).T

#: Lines per file below which a change to many files is a sweep: the same few lines in each of them.
SWEEP_FILES, SWEEP_LINES = 10, 8


def pick_kinds(
    random: KeyedRandom, repository: str, key: UInt64, lines: Ints, files: Ints, is_docs: Booleans
) -> Ints:
    """Choose the kind of each change, as an index into ``KINDS``.

    Parameters:
      lines, files: the size of each change.
      is_docs: whether the component that it is about is made of documents.
    """
    step = np.searchsorted(LINE_STEPS, lines, side="left")
    weights = _WEIGHTS * [habit(random, repository, name) if name in HABITS else 1.0 for name in KINDS]
    bounds = np.cumsum(weights, axis=1)[:, :-1] / weights.sum(axis=1, keepdims=True)
    kind = (random.uniform("intent", key)[:, None] >= bounds[step]).sum(axis=1)
    document = is_docs & (lines <= LINE_STEPS[-1]) & random.chance("about documents", DOCS_SHARE, key)
    kind = np.where(document, DOCS, kind)
    fallback = np.where(random.chance("fallback", 0.5, key), FALLBACK, FEAT)
    return np.where(files > MAX_FILES[kind], fallback, kind)


def is_sweep(lines: Ints, files: Ints) -> Booleans:
    """Return which changes are the same few lines in each of many files."""
    return (files >= SWEEP_FILES) & (lines < SWEEP_LINES * files)


def additions_of_modified(
    random: KeyedRandom, repository: str, key: UInt64, position: Ints, share: Floats, lines: Ints
) -> Ints:
    """Return the additions in the lines of modified files: many replace lines, others only add some.

    Parameters:
      key, position: the pull request and the position of each file.
      share: the mean share of additions.
    """
    form, u = random.uniform("form of change", key, position), random.uniform("additions", key, position)
    replaced = 0.46 * habit(random, repository, "replaced lines")
    added = replaced + 0.17 * habit(random, repository, "added lines") * np.clip(
        (share - 0.4) / 0.3, 0.1, 1.0
    )
    mixed = np.rint(lines * np.clip(share + 0.4 * (u - 0.5), 0.0, 0.96)).astype(np.int64)
    return np.select([form < replaced, form < added], [(lines + 1) // 2, lines], mixed)
