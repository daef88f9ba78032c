"""Features of products: the components of each, and what people write about changes to them.

``features/`` has one file for each kind of product and one for what all products have. A table is a feature,
which is an area of a repository; its ``parts`` are components, its ``fields`` columns, and its other entries
sentences by kind of change.
"""

import functools
import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

from tformance_seed.sources.synthetic.words import load_words, template

#: The folder of the files.
FOLDER = Path(__file__).with_name("features")

#: The files with the features that applications have, that libraries have, and of repositories of clients.
COMMON, LIBRARY, CLIENT = "common", "library", "client"

#: The names of repositories of client libraries.
CLIENT_NAME = re.compile(
    r"[/-](sdks?|client|python|py|js|node|go|ruby|rb|php|java|rust|dotnet|react|swift|android|ios)(-sdk)?$"
)

#: Entries of a feature that are not sentences.
FACTS = ("parts", "fields")

#: A choice in a sentence: ``[a|b|c]``, with a bar in it.
CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")

#: What ends a name in a sentence, and what a name in the plural ends with.
SIGN, PLURALS = re.compile(rb"[^\w -]"), (b"", b"s", b"es")

#: The variants of a sentence, as templates: all that its choices make.
Sentence = tuple[bytes, ...]


class Feature:
    """A feature of a product.

    Parameters:
      parts: the names of components, in words.
      fields: names of columns, with underscores; empty for those that any feature has.
      sentences: by kind of change, such as ``fix``, or by kind and side, such as ``fix_ui``.
    """

    def __init__(
        self,
        name: str,
        parts: tuple[str, ...],
        fields: tuple[bytes, ...],
        sentences: dict[str, tuple[Sentence, ...]],
    ) -> None:
        self.name, self.parts, self.fields, self.sentences = name, parts, fields, sentences
        self._found: dict[tuple[str, str, str], tuple[Sentence, ...]] = {}
        self._names = {part: _spaced(part.encode()) for part in parts}
        self._named: dict[bytes, frozenset[str]] = {}

    def about(self, part: str, kind: str, side: str) -> tuple[Sentence, ...]:
        """Return the sentences about a kind of change to a part, on a side: of each, one list of variants.

        Variants of a sentence may name parts. Those that name this part are left, or, if no variant does,
        those that name none.
        """
        place = part, kind, side
        if place not in self._found:
            found = []
            for variants in self.sentences.get(kind, ()) + self.sentences.get(f"{kind}_{side}", ()):
                named = {text: self._parts_named_in(text) for text in variants}
                own = tuple(text for text in variants if part in named[text])
                found.append(own or tuple(text for text in variants if not named[text]))
            self._found[place] = tuple(filter(None, found))
        return self._found[place]

    def _parts_named_in(self, text: bytes) -> frozenset[str]:
        """Return the parts that a template names, singular or plural."""
        if text not in self._named:
            words = b" %b " % _spaced(text)
            self._named[text] = frozenset(
                part
                for part, name in self._names.items()
                if any(b" %b%b " % (name, ending) in words for ending in PLURALS)
            )
        return self._named[text]


def features_of(slug: str, industry: str, repository: str) -> tuple[list[Feature], list[Feature]]:
    """Return the features of a repository's own product, and those that many products of its kind have.

    Parameters:
      slug, industry: of the organisation.
    """
    products = load_words()["products"]
    product = next((name for name, slugs in products.items() if slug in slugs.split()), industry)
    if CLIENT_NAME.search(repository.lower()):
        product = CLIENT
    own = load_features(product) if (FOLDER / f"{product}.toml").exists() else {}
    common = load_features(LIBRARY if product in load_words()["libraries"].split() else COMMON)
    return list(own.values()), [feature for name, feature in common.items() if name not in own]


@functools.cache
def load_features(product: str) -> dict[str, Feature]:
    """Return the features in a file, by name."""
    tables = tomllib.loads((FOLDER / f"{product}.toml").read_text("utf-8"))
    return {name: _feature(name, table) for name, table in tables.items()}


def _feature(name: str, table: dict[str, Any]) -> Feature:
    sentences = {kind: read_sentences(text) for kind, text in table.items() if kind not in FACTS}
    parts = tuple(part.strip() for part in table["parts"].split("|"))
    return Feature(name, parts, tuple(table.get("fields", "").encode().split()), sentences)


@functools.cache
def read_sentences(text: str) -> tuple[Sentence, ...]:
    """Return the sentences in a text, one in each line."""
    lines = filter(None, map(str.strip, text.splitlines()))
    return tuple(tuple(map(template, _variants(line))) for line in lines)


def _variants(line: str) -> list[str]:
    """Return all texts that the choices in a line make."""
    pieces = CHOICE.split(line)  # at odd positions what a choice is among
    options = [piece.split("|") if index % 2 else [piece] for index, piece in enumerate(pieces)]
    return [" ".join("".join(chosen).split()) for chosen in itertools.product(*options)]


def _spaced(text: bytes) -> bytes:
    """Return a text in lower case, with spaces for hyphens, and around signs that end a name."""
    return SIGN.sub(rb" \g<0> ", text.lower()).replace(b"-", b" ")
