"""Which sentence says what a change is: one that fits its kind, its component, its side and its size."""

import functools
import re
from typing import Any, NamedTuple

import numpy as np

from tformance_seed.sampling.arrays import Ints
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.synthetic.changes import Changes
from tformance_seed.sources.synthetic.features import Sentence, read_sentences
from tformance_seed.sources.synthetic.habits import habit
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

#: Beginnings of sentences that do not fit a change that adds more than it removes, and the reverse.
REMOVAL = re.compile(rb"(drop|remove|delete|prune|purge|strip|get rid of|clean up)\b", re.IGNORECASE)
ADDITION = re.compile(rb"(add|introduce|implement|support)\b", re.IGNORECASE)

#: Names in code and numbers in a template, and the number of sentences below which a choice is too small.
IN_CODE = re.compile(rb"%\((sym2?|cls|field2?|flag|env|url|version|file|n|C|k)\)s|`|\d|\w[._/]\w|[a-z][A-Z]")
MIN_FIT = 4

#: A prime by which numbers of pull requests are multiplied: sentences that are next to each other in a file
#: are not those of pull requests that are.
SPREAD = 7919


class Pool(NamedTuple):
    """Sentences of which one is chosen by the number of a pull request, none twice before each came once."""

    bound: float  #: of a value in [0, 1) below which it is chosen
    by_form: tuple[tuple[Sentence, ...], ...]  #: from ``_by_form``

    def choose(self, form: int, number: int, bits: int) -> bytes:
        """Return a variant of a sentence of a form."""
        sentences = self.by_form[form]
        count = len(sentences)
        variants = sentences[(number * SPREAD + number // count) % count]
        return variants[bits % len(variants)]


@functools.lru_cache(maxsize=4096)
def _by_form(sentences: tuple[Sentence, ...]) -> tuple[tuple[Sentence, ...], ...]:
    """Return the sentences that fit, by form: for changes that grow or shrink, with or without names in code.

    If few are left, which would soon come again, all are fit.
    """
    forms = []
    for wrong in (REMOVAL, ADDITION):
        right = [tuple(text for text in variants if not wrong.match(text)) for variants in sentences]
        plain = [tuple(text for text in variants if not IN_CODE.search(text)) for variants in right]
        for kept in (right, plain):
            fit = tuple(filter(None, kept))
            forms.append(fit if len(fit) >= min(len(sentences), MIN_FIT) else sentences)
    return tuple(forms)


class Sentences:
    """The sentences of one repository; those that fit are found when they are first needed."""

    def __init__(self, random: KeyedRandom, repository: str, tree: Tree) -> None:
        self._random, self._tree = random, tree
        self._plain_share = habit(random, repository, "plain titles")
        self._offset = int(random.integers("sentences", repository, low=0, high=SPREAD))
        self._pools: dict[tuple[int, int, int, int], list[Pool]] = {}

    def choose(self, changes: Changes, sides: Ints) -> list[bytes]:
        """Return a sentence for each change, as a template.

        Parameters:
          sides: on which side each is, as an index into ``SIDES``.
        """
        is_small = (changes.lines <= SMALL_LINES) & (np.bincount(changes.touches.owner) <= SMALL_FILES)
        size = np.select([is_small, changes.lines >= LARGE_LINES], [SMALL, LARGE], MIDDLING)
        owner, lines = changes.touches.owner, changes.touches.additions - changes.touches.deletions
        shrinks = np.bincount(owner, weights=lines, minlength=len(size)) < 0
        is_plain = self._random.chance("plain title", self._plain_share, changes.key)
        columns = (changes.component, changes.kind, sides, size)
        pools = self._pools
        chosen = []
        for place, form, number, u, bits, goes_on in zip(
            zip(*(column.tolist() for column in columns), strict=True),
            (2 * shrinks + is_plain).tolist(),
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
            text = pool.choose(form, number, bits)
            if goes_on and text.count(b" ") < ENDING_WORDS and (endings := _endings(*place[1:])):
                text = _with_ending(text, endings.choose(form, number, bits >> ENDING_BIT))
            chosen.append(text)
        return chosen

    def _find(self, component: int, kind: int, side: int, size: int) -> list[Pool]:
        """Return the pools of sentences for a kind of change to a component."""
        name, about = KINDS[kind], self._tree.components[component]
        if side >= len(SIDES):
            own = read("titles_by_file", _files()[side - len(SIDES)], name)
            if own:
                share = OWN_SHARE if name == "move" else 1.0
                return [Pool(share, _by_form(own)), Pool(1.0, _by_form(read("titles", name)))]
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
                pools.append(Pool(bound, _by_form(sentences)))
        any_part = read("titles", name) + read("titles", f"{name}_{SIDES[side]}")
        return [*pools, Pool(1.0, _by_form(any_part))]


@functools.cache
def _endings(kind: int, side: int, size: int) -> Pool | None:
    """Return what may come after a sentence about a kind of change; nothing after those of small ones."""
    if size == SMALL or side not in (SERVER, UI):
        return None
    found = read("endings", KINDS[kind]) or read("endings", f"{KINDS[kind]}_{SIDES[side]}")
    return Pool(1.0, _by_form(found)) if found else None


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
