"""Titles of generated pull requests: a sentence about the change, in the form that the repository has."""

import functools
import re

import numpy as np

from tformance_seed.sampling.arrays import Floats, Ints
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.synthetic.changes import Changes
from tformance_seed.sources.synthetic.choices import SIDES, Sentences
from tformance_seed.sources.synthetic.intents import CI, DOCS, FEAT, FIX, INTENTS, MOVE, RELEASE
from tformance_seed.sources.synthetic.trees import Tree
from tformance_seed.sources.synthetic.wording import Words
from tformance_seed.sources.synthetic.words import load_words

#: Forms of a title: with a conventional prefix and a scope, without a scope, with the part of the product
#: before it and a colon, or in brackets, with an emoji for the kind, and plain; and the customs of
#: repositories: weights, and the shares of these forms.
SCOPED, UNSCOPED, AREA, BRACKETS, EMOJI, PLAIN = range(6)
CUSTOMS: dict[tuple[float, ...], float] = {
    (0.74, 0.19, 0.01, 0.00, 0.00, 0.06): 0.28,
    (0.28, 0.62, 0.00, 0.00, 0.00, 0.10): 0.24,
    (0.04, 0.05, 0.70, 0.00, 0.00, 0.21): 0.11,
    (0.01, 0.03, 0.02, 0.62, 0.00, 0.32): 0.06,
    (0.00, 0.04, 0.00, 0.00, 0.80, 0.16): 0.05,
    (0.02, 0.07, 0.03, 0.00, 0.00, 0.88): 0.26,
}

#: Shares of scopes that are a component, not the part of the product.
COMPONENT_SCOPE_SHARE = 0.2

#: Habits of repositories (minimum and maximum): shares of people who begin a title with a capital after a
#: prefix, and without one.
HABITS = {"capital after prefix": (0.0, 0.30), "capital": (0.40, 0.98)}

#: Share of titles without a prefix that say what kind of change it is by a verb, if the sentence does not
#: begin with one; and the verbs.
VERB_SHARE = 0.75
VERBS = {
    FIX: (*(b"fix ",) * 6, b"resolve ", b"address "),
    FEAT: (*(b"add ",) * 5, b"support ", b"introduce ", b"implement "),
    DOCS: (b"docs: ",),
}

#: Shares of titles with something at the end or the beginning that says how far it goes, with a full stop
#: (among those without a prefix), and with a typo.
PART_OF_SERIES, FULL_STOP, TYPO = 0.02, 0.02, 0.012
SERIES = (
    b"%s (part 1)",
    b"%s (part 2)",
    b"%s (2/3)",
    b"%s (#2)",
    b"%s, take two",
    b"%s again",
    b"wip: %s",
    b"[WIP] %s",
)

#: A word at the beginning of a title that is written as it is, and one in which a letter may be missing.
CODE_WORD, LONG_WORD = re.compile(rb"\S*[\W_](?<![-'])\w|\S*[a-z][A-Z]|\S*`"), re.compile(rb"\b[a-z]{7,}\b")

#: Formats of a title with a Jira key, one for each repository. Reverts and hotfixes use the last one.
KEY_FORMS = (b"%(key)s: %(title)s", b"[%(key)s] %(title)s", b"%(title)s (%(key)s)")

#: Prefixes of the titles of hotfixes.
HOTFIX_PREFIXES = (b"hotfix: ", b"Hotfix: ", b"fix!: hotfix, ")


_PREFIXES = tuple(intent.prefix for intent in INTENTS.values())
#: The form of a title about no part of the product, by the form that the repository has for others.
_WITHOUT_AREA = np.array([UNSCOPED, UNSCOPED, PLAIN, PLAIN, EMOJI, PLAIN])
_EMOJI = tuple(intent.emoji.encode() for intent in INTENTS.values())


class Titles:
    """The customs of one repository, by which its titles are written."""

    def __init__(self, random: KeyedRandom, repository: str, tree: Tree) -> None:
        self._random, self._dependencies = random, tree.dependencies
        self._sentences = Sentences(random, repository, tree)
        custom = int(random.pick("custom", list(CUSTOMS.values()), repository))
        #: Weights of the forms of a title.
        self._forms = list(CUSTOMS)[custom]
        self._key_form = int(random.integers("key form", repository, low=0, high=len(KEY_FORMS) - 1))
        self._habits = {
            name: float(random.uniform(f"habit of {name}", repository, low=low, high=high))
            for name, (low, high) in HABITS.items()
        }

    def subjects(
        self, changes: Changes, sides: Ints, words: list[Words], reverted_subjects: dict[int, bytes]
    ) -> list[bytes]:
        """Return the subject of each change, used in its title and in its first commit's message.

        Parameters:
          sides: the side that each change is on, an index into ``SIDES``.
          words: the words for each change.
          reverted_subjects: the subjects of reverted pull requests, by number.
        """
        sentences = [
            sentence % words_row
            for sentence, words_row in zip(self._sentences.choose(changes, sides), words, strict=True)
        ]
        subjects = self._in_form(changes, sides, sentences, words)
        hotfixes = np.flatnonzero(changes.is_hotfix)
        prefix = self._random.integers("urgent", changes.key[hotfixes], low=0, high=len(HOTFIX_PREFIXES) - 1)
        for row, which in zip(hotfixes.tolist(), prefix.tolist(), strict=True):
            subjects[row] = HOTFIX_PREFIXES[which] + sentences[row]
        for row in np.flatnonzero(changes.is_revert).tolist():
            subjects[row] = b'Revert "%s"' % reverted_subjects[int(changes.reverted[row])]
        bots = np.flatnonzero(changes.is_bot)
        updates = changes.updates.texts(bots, self._dependencies, self._dependencies.bot.subject)
        for row, subject in zip(bots.tolist(), updates, strict=True):
            subjects[row] = subject
        return subjects

    def _in_form(
        self, changes: Changes, sides: Ints, sentences: list[bytes], words: list[Words]
    ) -> list[bytes]:
        """Return sentences with capitals, prefixes and slips."""
        random, key, habits = self._random, changes.key, self._habits
        forms = random.pick("head", self._forms, key)
        scopes = np.where(random.chance("scope", COMPONENT_SCOPE_SHARE, key), b"k", b"area")
        bare = np.isin(forms, (EMOJI, BRACKETS, PLAIN))
        capitals = np.where(bare, habits["capital"], habits["capital after prefix"])
        capital = _share_of_author(random, "capital", changes) < capitals
        of_no_area = np.isin(changes.kind, (CI, RELEASE, MOVE)) | (sides >= len(SIDES))
        forms = np.where(of_no_area, _WITHOUT_AREA[forms], forms)
        with_verb = (forms >= AREA) & random.chance("verb", VERB_SHARE, key)
        subjects = []
        for text, kind, form, scope, is_capital, needs_verb, bits_row, words_row in zip(
            sentences,
            changes.kind.tolist(),
            forms.tolist(),
            scopes.tolist(),
            capital.tolist(),
            with_verb.tolist(),
            random.random_bits("which verb", key).tolist(),
            words,
            strict=True,
        ):
            if needs_verb and kind in VERBS and text.partition(b" ")[0] not in _imperatives():
                text = VERBS[kind][bits_row % len(VERBS[kind])] + text
            if is_capital and not CODE_WORD.match(text.partition(b" ")[0]):
                text = text[:1].upper() + text[1:]
            if form == SCOPED:
                text = b"%s(%s): %s" % (_PREFIXES[kind], words_row[scope], text)
            elif form == UNSCOPED:
                text = b"%s: %s" % (_PREFIXES[kind], text)
            elif form == AREA:
                text = b"%s: %s" % (words_row[scope], text)
            elif form == BRACKETS:
                text = b"[%s] %s" % (words_row[b"area"].capitalize(), text)
            elif form == EMOJI:
                text = b"%s %s" % (_EMOJI[kind], text)
            subjects.append(text)
        self._let_slip(changes, subjects, forms)
        return subjects

    def _let_slip(self, changes: Changes, subjects: list[bytes], forms: Ints) -> None:
        """Add to some titles how far they go, a full stop, or a typo."""
        random, key = self._random, changes.key
        u = random.uniform("slip", key)
        bits = random.random_bits("which slip", key)
        for row in np.flatnonzero(u < PART_OF_SERIES).tolist():
            subjects[row] = SERIES[int(bits[row]) % len(SERIES)] % subjects[row]
        for row in np.flatnonzero((u > 1 - FULL_STOP) & (forms == PLAIN)).tolist():
            subjects[row] += b"."
        for row in np.flatnonzero((u > 0.5) & (u < 0.5 + TYPO)).tolist():
            subjects[row] = _with_typo(subjects[row], int(bits[row]))

    def titles(self, changes: Changes, subjects: list[bytes]) -> list[bytes]:
        """Return the subjects, with the Jira key added if there is one."""
        form = np.where(changes.is_revert | changes.is_hotfix, len(KEY_FORMS) - 1, self._key_form)
        keys = np.where(changes.names_issue, changes.jira_key, b"")
        return [
            KEY_FORMS[index] % {b"key": key, b"title": subject} if key else subject
            for index, key, subject in zip(form.tolist(), keys.tolist(), subjects, strict=True)
        ]


def _share_of_author(random: KeyedRandom, habit: str, changes: Changes) -> Floats:
    """Return how far each author is from a habit, from 0 to 1, and now and then from their own."""
    own = random.uniform(f"habit/{habit}", changes.repository, changes.author)
    u = random.uniform(f"habit now/{habit}", changes.key)
    return np.where(u < 0.15, u / 0.15, own)


def _with_typo(text: bytes, bits: int) -> bytes:
    """Return a text in which two letters of a long word have changed places, or one is missing."""
    words = list(LONG_WORD.finditer(text))
    if not words:
        return text
    at = words[bits % len(words)].start() + 2 + bits // 64 % 4
    return (
        text[:at]
        + (text[at + 1 : at + 2] + text[at : at + 1] if bits // 8 % 3 else text[at + 1 : at + 2])
        + text[at + 2 :]
    )


@functools.cache
def _imperatives() -> frozenset[bytes]:
    """Return the verbs with which a sentence may begin."""
    return frozenset(load_words()["names"]["imperatives"].encode().split())
