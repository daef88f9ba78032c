"""Which sentence says what a change is: one that fits its kind, its component, its side and its size."""

import functools
import re
from typing import Any, NamedTuple

import numpy as np

from tformance_seed.sampling.arrays import Ints
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.synthetic.changes import Changes
from tformance_seed.sources.synthetic.features import Sentence, read_sentences
from tformance_seed.sources.synthetic.intents import KINDS
from tformance_seed.sources.synthetic.trees import Tree
from tformance_seed.sources.synthetic.words import load_words

#: Sides of a product, by the extension of the first file that changes; all others are on the server. A hook
#: of React is on the side that people see as well.
SIDES = ("server", "ui", "docs")
SERVER, UI, DOCS = range(len(SIDES))
HOOK = re.compile(rb"use[A-Z]")
UI_EXTENSIONS = frozenset(
    {
        b"tsx",
        b"jsx",
        b"vue",
        b"svelte",
        b"astro",
        b"css",
        b"scss",
        b"html",
        b"hbs",
        b"pug",
        b"erb",
        b"coffee",
        b"dart",
    }
)
DOCS_EXTENSIONS = frozenset({b"md", b"mdx", b"ipynb"})

#: Lines and files up to which a change is small, and lines from which it is large.
SMALL_LINES, SMALL_FILES, LARGE_LINES = 6, 2, 700
SIZES = ("small", "middling", "large")
SMALL, MIDDLING, LARGE = range(len(SIZES))

#: Pools of sentences, in the order in which they are tried, and the share of each in what is left: those
#: about changes of a size, about the component or its whole feature, and about its language. Those that may
#: be about anything have the rest, and more if a pool has fewer sentences than ``FULL_POOL``, which would
#: soon come again.
SIZE_SHARES, FEATURE_SHARE, LANGUAGE_SHARE = (0.45, 0.0, 0.35), 0.76, 0.25
FULL_POOL = 6


#: Share of moves of a file with sentences of its own that are one of these.
OWN_SHARE = 0.6

#: Share of sentences of at most so many words (a placeholder is one) that are followed by an ending.
ENDING_SHARE, ENDING_WORDS = 0.62, 6

#: The random bits of a sentence's variant from which on they choose that of the ending.
ENDING_BIT = 32

PLACEHOLDER = re.compile(rb"%\(\w+\)s")

#: A prime by which numbers of pull requests are multiplied: sentences that are next to each other in a file
#: are not those of pull requests that are.
SPREAD = 7919


class Pool(NamedTuple):
    """Sentences of which one is chosen by the number of a pull request, none twice before each came once."""

    bound: float  #: of a value in [0, 1) below which it is chosen
    sentences: tuple[Sentence, ...]

    def choose(self, number: int, bits: int) -> bytes:
        """Return a variant of a sentence."""
        count = len(self.sentences)
        variants = self.sentences[(number * SPREAD + number // count) % count]
        return variants[bits % len(variants)]


class Sentences:
    """The sentences of one repository; those that fit are found when they are first needed."""

    def __init__(self, random: KeyedRandom, repository: str, tree: Tree) -> None:
        self._random, self._tree = random, tree
        self._offset = int(random.integers("sentences", repository, low=0, high=SPREAD))
        self._pools: dict[tuple[int, int, int, int], list[Pool]] = {}

    def choose(self, changes: Changes, sides: Ints) -> list[bytes]:
        """Return a sentence for each change, as a template.

        Parameters:
          sides: on which side each is, as an index into ``SIDES``.
        """
        is_small = (changes.lines <= SMALL_LINES) & (np.bincount(changes.touches.owner) <= SMALL_FILES)
        size = np.select([is_small, changes.lines >= LARGE_LINES], [SMALL, LARGE], MIDDLING)
        columns = (changes.component, changes.kind, sides, size)
        pools = self._pools
        chosen = []
        for place, number, u, bits, goes_on in zip(
            zip(*(column.tolist() for column in columns), strict=True),
            (changes.ordinal + self._offset).tolist(),
            self._random.uniform("pool of sentences", changes.key).tolist(),
            self._random.random_bits("variant of a sentence", changes.key).tolist(),
            self._random.chance("ending", ENDING_SHARE, changes.key).tolist(),
            strict=True,
        ):
            if place not in pools:
                pools[place] = self._find(*place)
            for pool in pools[place]:
                if u < pool.bound:
                    break
            text = pool.choose(number, bits)
            if goes_on and text.count(b" ") < ENDING_WORDS and (endings := self._endings(place)):
                text = _with_ending(text, Pool(1.0, endings).choose(number, bits >> ENDING_BIT))
            chosen.append(text)
        return chosen

    def _endings(self, place: tuple[int, int, int, int]) -> tuple[Sentence, ...]:
        """Return what may come after a sentence about a kind of change; nothing after those of small ones."""
        _, kind, side, size = place
        if size == SMALL or side not in (SERVER, UI):
            return ()
        return read("endings", KINDS[kind]) or read("endings", f"{KINDS[kind]}_{SIDES[side]}")

    def _find(self, component: int, kind: int, side: int, size: int) -> list[Pool]:
        """Return the pools of sentences for a kind of change to a component."""
        name, about = KINDS[kind], self._tree.components[component]
        if side >= len(SIDES):
            own = read("titles_by_file", _files()[side - len(SIDES)], name)
            if own:
                return [Pool(OWN_SHARE if name == "move" else 1.0, own), Pool(1.0, read("titles", name))]
            side = SERVER
        feature = self._tree.features[self._tree.area_of[component]]
        pools, bound = [], 0.0
        for share, sentences in (
            (SIZE_SHARES[size], read("titles", f"{name}_{SIZES[size]}")),
            (FEATURE_SHARE, feature.about(about.part, name, SIDES[side])),
            (LANGUAGE_SHARE, read("titles_by_language", about.language, name)),
        ):
            if sentences:
                bound += (1 - bound) * share * min(1, len(sentences) / FULL_POOL)
                pools.append(Pool(bound, sentences))
        return [*pools, Pool(1.0, read("titles", name) + read("titles", f"{name}_{SIDES[side]}"))]


@functools.lru_cache(maxsize=1 << 16)
def _with_ending(text: bytes, ending: bytes) -> bytes:
    """Return a sentence with an ending, unless it has the ending's first word or placeholders already."""
    first = ending.partition(b" ")[0]
    if b" %b " % first in text or any(name in text for name in PLACEHOLDER.findall(ending)):
        return text
    return text + b" " + ending


@functools.cache
def read(*place: str) -> tuple[Sentence, ...]:
    """Return the sentences in an entry of the tables of words; none if there is no such entry."""
    found: Any = load_words()
    for name in place:
        found = found.get(name, {})
    return read_sentences(found) if found else ()


@functools.cache
def _files() -> list[str]:
    """Return the names of files that have sentences of their own."""
    return list(load_words()["titles_by_file"])


def sides_of(tree: Tree) -> Ints:
    """Return the side of each file of a tree, as an index into ``SIDES`` and, after those, ``_files()``."""
    own = {name.encode(): len(SIDES) + index for index, name in enumerate(_files())}
    names = tree.names.tolist()
    at_root = [own.get(name.rpartition(b"/")[2]) for name in names[tree.size :]]
    return np.array(
        [*map(_side, names[: tree.size])]
        + [_side(name) if at is None else at for name, at in zip(names[tree.size :], at_root, strict=True)]
    )


def _side(name: bytes) -> int:
    """Return the side on which a file is, as an index into ``SIDES``."""
    base = name.rpartition(b"/")[2]
    extension = base.rpartition(b".")[2]
    if extension in DOCS_EXTENSIONS:
        return DOCS
    return UI if extension in UI_EXTENSIONS or HOOK.match(base) else SERVER
