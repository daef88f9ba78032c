"""The words that fill the templates of a repository's texts: names in its code, numbers, platforms."""

import functools
from collections.abc import Sequence

import numpy as np

from tformance_seed.sampling.arrays import Booleans, Ints, UInt64
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.synthetic.changes import Changes
from tformance_seed.sources.synthetic.names import Name
from tformance_seed.sources.synthetic.releases import version
from tformance_seed.sources.synthetic.trees import Component, Tree
from tformance_seed.sources.synthetic.words import phrases, word_list

#: The words that fill a template, by the name of the placeholder.
Words = dict[bytes, bytes]

#: Number of sets of names that are made of each component; more names than a repository has in a year.
VARIANTS = 2

#: Random bits that choose one word of a name.
BITS = 10

#: Ends of names of functions that come after the whole name if words have underscores between them.
NOUN_TAILS = frozenset({b"List", b"Count", b"State", b"Map"})

#: Numbers in texts, and versions: majors, minors.
NUMBERS, VERSIONS = (2, 3, 4, 5, 8, 10, 12, 15, 20, 30, 50, 64, 90, 100), (7, 30)


class Wording:
    """The words of one repository, of which those about a component are made when they are first needed."""

    def __init__(self, random: KeyedRandom, repository: str, tree: Tree) -> None:
        self._random, self._repository, self._tree = random, repository, tree
        self._of_component: dict[int, Words] = {}

    def pick(self, changes: Changes, is_ui: Booleans) -> list[Words]:
        """Choose the words that fill the templates of each pull request.

        Parameters:
          is_ui: whether each pull request is about what people see.
        """
        key = changes.subject_key
        variant = self._random.integers("text/variant", key, low=0, high=VARIANTS - 1)
        about = changes.component * VARIANTS + variant
        self._make(about)
        numbers = self._choose("number", [b"%d" % number for number in NUMBERS], key)
        platforms = self._choose_by_side("platform", is_ui, key)
        made = self._of_component
        columns = (about.tolist(), numbers, self._versions(changes), changes.first_names(), platforms)
        return [
            made[component]
            | {b"n": number, b"version": version, b"file": file, b"page": _page(file), b"platform": platform}
            for component, number, version, file, platform in zip(*columns, strict=True)
        ]

    def _choose(self, purpose: str, options: Sequence[bytes], key: UInt64) -> list[bytes]:
        choice = self._random.integers(f"text/{purpose}", key, low=0, high=len(options) - 1)
        return list(map(options.__getitem__, choice.tolist()))

    def _choose_by_side(self, name: str, is_ui: Booleans, key: UInt64) -> list[bytes]:
        """Choose from one list for what runs on a server, from another for what people see."""
        server, ui = (phrases("phrases", f"{name}_{side}") for side in ("server", "ui"))
        u = self._random.uniform(f"text/{name}", key)
        choice = np.where(is_ui, len(server) + np.floor(u * len(ui)), np.floor(u * len(server)))
        return list(map((*server, *ui).__getitem__, choice.astype(np.int64).tolist()))

    def _versions(self, changes: Changes) -> list[bytes]:
        """Return a version for each pull request: in a release, one that ascends with the numbers."""
        majors, minors = VERSIONS
        major = self._random.integers("text/major", changes.subject_key, low=1, high=majors)
        minor = self._random.integers("text/minor", changes.subject_key, low=0, high=minors)
        return [
            version(self._random, self._repository, release) if release >= 0 else b"%d.%d" % (first, second)
            for release, first, second in zip(
                changes.release.tolist(), major.tolist(), minor.tolist(), strict=True
            )
        ]

    def _make(self, about: Ints) -> None:
        """Make the sets of words that are not there yet; ``about`` numbers those of all components."""
        missing = np.array(sorted(set(about.tolist()) - self._of_component.keys()), dtype=np.int64)
        bits = [
            self._random.random_bits(f"words/{half}", self._repository, missing).tolist() for half in (0, 1)
        ]
        for which, low, high in zip(missing.tolist(), *bits, strict=True):
            component = self._tree.components[which // VARIANTS]
            fields = self._tree.features[self._tree.area_of[which // VARIANTS]].fields
            self._of_component[which] = _words_about(component, fields, low | high << 64)


@functools.lru_cache(maxsize=4096)
def _page(file: bytes) -> bytes:
    """Return what a document is about, by the name of its file."""
    return file.partition(b".")[0].replace(b"-", b" ").replace(b"_", b" ") or file


@functools.cache
def plural(noun: bytes) -> bytes:
    """Return the plural of a noun."""
    if noun.endswith(b"y") and noun[-2:-1] not in b"aeiou":
        return noun[:-1] + b"ies"
    if noun.endswith(b"s") and not noun.endswith(b"ss"):
        return noun
    return noun + (b"es" if noun.endswith((b"ss", b"x", b"ch", b"sh")) else b"s")


def _words_about(component: Component, fields: tuple[bytes, ...], bits: int) -> Words:
    """Return the names of a component and of things in its code.

    Parameters:
      fields: the columns of its feature; empty if it has those of any.
    """

    def choose(options: Sequence[bytes]) -> bytes:
        nonlocal bits
        bits, at = bits >> BITS, bits & (1 << BITS) - 1
        return options[at * len(options) >> BITS]

    name, snake, noun = component.name, component.snake, component.noun
    short = Name(name.words[-2:]) if len(name.words) > 2 else name
    common, head = word_list("fields"), choose(word_list("heads"))
    field, field2 = choose(fields or common), choose(common)
    verbs, tails = word_list("verbs"), word_list("tails")
    return {
        b"c": name.plain,
        b"cs": plural(name.plain),
        b"C": name.pascal,
        b"k": name.kebab,
        b"area": component.area,
        b"sym": _function(short, choose(verbs), choose(tails), snake=snake),
        b"sym2": _function(short, choose(verbs), choose(tails), snake=snake),
        b"cls": short.pascal + (head.capitalize() if head not in short.words else b""),
        b"field": _field(b"", field, snake=snake) if fields else _field(short.words[-1], field, snake=snake),
        b"field2": _field(noun, field2, snake=snake),
        b"flag": b"enable_" + short.snake if snake else b"enable" + short.pascal,
        b"env": b"%s_%s" % (short.snake.upper(), field2.rpartition(b"_")[2].upper()),
        b"url": b"/v1/%s/:id/%s" % (component.area, plural(noun)),
    }


def _function(short: Name, verb: bytes, tail: bytes, *, snake: bool) -> bytes:
    if snake:
        return (
            b"%s_%s_%s" % (verb, short.snake, tail.lower())
            if tail in NOUN_TAILS
            else b"%s_%s" % (verb, short.snake)
        )
    return verb + short.pascal + (b"" if tail in NOUN_TAILS else tail)


def _field(noun: bytes, field: bytes, *, snake: bool) -> bytes:
    """Return the name of a column: of a thing, where the field alone says little."""
    words = field.split(b"_") if b"_" in field or not noun else [noun, field]
    return b"_".join(words) if snake else words[0] + b"".join([word.capitalize() for word in words[1:]])
