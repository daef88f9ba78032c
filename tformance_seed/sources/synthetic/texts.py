"""The texts of generated pull requests and commits: titles, bodies, messages, labels."""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tformance_seed.canonical_json import json_text
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Floats, Texts
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.synthetic.changes import Changes
from tformance_seed.sources.synthetic.intents import INTENTS, KINDS
from tformance_seed.sources.synthetic.trees import Tree
from tformance_seed.sources.synthetic.wording import Wording, Words
from tformance_seed.sources.synthetic.words import ai_tools, code_tools, load_words, phrases

#: Forms of a title: with a conventional prefix and a scope, without a scope, with the part of the product
#: before it, and plain; and the customs of repositories: weights, and the shares of these forms.
SCOPED, UNSCOPED, AREA, PLAIN = range(4)
CUSTOMS: dict[tuple[float, ...], float] = {
    (0.72, 0.20, 0.01, 0.07): 0.28,
    (0.30, 0.60, 0.00, 0.10): 0.27,
    (0.02, 0.05, 0.75, 0.18): 0.12,
    (0.03, 0.07, 0.05, 0.85): 0.33,
}

#: Shares of scopes that are a component or a package, not the part of the product.
COMPONENT_SCOPE_SHARE = 0.35

#: Habits of repositories (minimum and maximum): shares of titles with an addition, of titles without names in
#: code in favour of others, and of people who begin a title with a capital after a prefix, and without one.
HABITS = {
    "additions": (0.20, 0.80),
    "plain words": (0.35, 0.95),
    "capital after prefix": (0.02, 0.45),
    "capital": (0.60, 0.98),
}

#: Share of additions that are followed by another.
SECOND_SHARE = 0.2

#: What stands for a name in code in a template.
CODE = re.compile(rb"%\((?:sym2?|cls|C|k|field2?|flag|env|url|file|err)\)")

#: Formats of a title with a Jira key, one for each repository. Reverts and hotfixes use the last one.
KEY_FORMS = (b"%(key)s: %(title)s", b"[%(key)s] %(title)s", b"%(title)s (%(key)s)")

#: Prefixes of the titles of hotfixes.
HOTFIX_PREFIXES = (b"hotfix: ", b"Hotfix: ", b"fix!: hotfix, ")


#: How templates begin that begin with a name in code, which is written as it is.
CODE_STARTS = tuple(
    b"%%(%s)s" % name for name in (b"sym", b"sym2", b"cls", b"field", b"file", b"url", b"env")
)


class Section(NamedTuple):
    """A section of a body: a heading and, below it, some phrases from a list, one per line."""

    heading: str
    phrases: str
    min_count: int
    max_count: int
    bullet: bytes = b""


#: The headings of each repository's template for bodies.
HEADINGS = (
    {
        "what": "## What\n",
        "why": "## Why\n",
        "testing": "## Testing\n",
        "note": "## Notes\n",
        "check": "## Checklist\n",
    },
    {
        "what": "### Description\n",
        "why": "### Context\n",
        "testing": "### How to test\n",
        "note": "",
        "check": "",
    },
    {"what": "", "why": "", "testing": "**Tests**\n", "note": "", "check": "---\n"},
    {
        "what": "## Summary\n",
        "why": "",
        "testing": "## Test plan\n",
        "note": "## Reviewer notes\n",
        "check": "## Checks\n",
    },
)

_WHAT = Section("what", "what", 1, 2)
_WHY = Section("why", "why", 1, 2)
_TESTING = Section("testing", "testing", 1, 2, b"- ")
_NOTES = Section("note", "note", 2, 4)
_LONG_WHAT = Section("what", "what", 3, 5)
_LONG_WHY = Section("why", "why", 2, 4)
_LONG_TESTING = Section("testing", "testing", 3, 5, b"- ")
_LONG_NOTES = Section("note", "note", 3, 5)
_CHECKS = Section("check", "check", 4, 6, b"- [x] ")

#: Share of bodies -> their sections.
BODY_FORMS: dict[float, tuple[Section, ...]] = {
    0.10: (),
    0.08: (Section("", "what", 1, 1),),
    0.07: (Section("", "why", 1, 1),),
    0.11: (Section("", "why", 1, 2), Section("", "what", 1, 1)),
    0.28: (_WHAT, _WHY, _TESTING),
    0.22: (_WHAT, _WHY, _TESTING, _NOTES, _CHECKS),
    0.14: (_LONG_WHAT, _LONG_WHY, _LONG_TESTING, _LONG_NOTES, _CHECKS),
}

#: The list that a review tool adds below its heading.
TOOL_SUMMARY = Section("", "what", 2, 3, b"- ")

#: The random bits that choose the variant of a section: ``SECTION_BITS`` for each section of a body, and
#: those from ``TOOL_SUMMARY_BIT`` on for the summary by a tool. The bits modulo the number of possible counts
#: choose the number of phrases; those from ``FIRST_PHRASE_BIT`` on choose the first phrase.
SECTION_BITS, TOOL_SUMMARY_BIT, FIRST_PHRASE_BIT = 9, 48, 3

#: Number of hexadecimal digits of the sessions that tools link to.
SESSION_LENGTH = 32

#: Share of non-empty bodies that name the Jira issue, if there is one.
CLOSES_SHARE = 0.5

#: Labels of bots' pull requests, and of hotfixes.
BOT_LABELS, HOTFIX_LABELS = b'["dependencies"]', b'["hotfix"]'


class WritingStyle:
    """The customs of one repository, by which the texts of its pull requests are written."""

    def __init__(self, profile: Profile, repository: str, tree: Tree) -> None:
        self._random, self._dependencies = profile.random, tree.dependencies
        self._wording = Wording(self._random, profile.organisation.industry, repository, tree)
        custom = int(self._random.pick("custom", list(CUSTOMS.values()), repository))
        #: Weights of ``SCOPED``, ``UNSCOPED``, ``AREA``, ``PLAIN``.
        self._prefixes = list(CUSTOMS)[custom]
        self._key_form = int(self._random.integers("key form", repository, low=0, high=len(KEY_FORMS) - 1))
        self._habits = {
            name: float(self._random.uniform(f"habit of {name}", repository, low=low, high=high))
            for name, (low, high) in HABITS.items()
        }
        headings = int(self._random.integers("headings", repository, low=0, high=len(HEADINGS) - 1))
        self._bodies = [[_variants(section, headings) for section in form] for form in BODY_FORMS.values()]

    def pick_words(self, changes: Changes) -> list[Words]:
        """Choose the words that fill the templates of each pull request."""
        return self._wording.pick(changes)

    def subjects(
        self, changes: Changes, words: list[Words], reverted_subjects: dict[int, bytes]
    ) -> list[bytes]:
        """Return the subject of each change, used in its title and in its first commit's message.

        Parameters:
          words: the words for each change, from ``pick_words``.
          reverted_subjects: the subjects of reverted pull requests, by number.
        """
        random, key, habits = self._random, changes.key, self._habits
        templates, additions = [phrases("titles", kind) for kind in KINDS], phrases("titles", "additions")
        prefixes = random.pick("head", self._prefixes, key)
        scopes = np.where(random.chance("scope", COMPONENT_SCOPE_SHARE, key), b"k", b"area")
        capitals = np.where(prefixes == PLAIN, habits["capital"], habits["capital after prefix"])
        capital = _share_of_author(random, "capital", changes) < capitals
        added = random.chance("addition", habits["additions"], key)
        first, second = (
            random.integers(f"which addition/{place}", key, low=0, high=len(additions) - 1)
            for place in (1, 2)
        )
        second_too = added & random.chance("second addition", SECOND_SHARE, key)
        u, with_code = random.uniform("subject", key), _templates_with_code()
        subjects = []
        for kind, u_row, prefix, scope, big, *more, is_plain, words_row in zip(
            changes.kind.tolist(),
            u.tolist(),
            prefixes.tolist(),
            scopes.tolist(),
            capital.tolist(),
            np.where(added, first, -1).tolist(),
            np.where(second_too, second, -1).tolist(),
            random.chance("plain words", habits["plain words"], key).tolist(),
            words,
            strict=True,
        ):
            text = templates[kind][int(u_row * len(templates[kind]))]
            if is_plain and text in with_code:
                text = templates[kind][int(u_row * 97 % 1 * len(templates[kind]))]
            if prefix != PLAIN:  # which says already what it is about
                text = text.removeprefix(b"%(area)s: ").removeprefix(b"%(c)s: ")
            big = big and not text.startswith(CODE_STARTS)
            text = _add(text, [additions[which] for which in more if which >= 0])
            text %= words_row
            if big:
                text = text[:1].upper() + text[1:]
            if prefix == SCOPED:
                text = b"%s(%s): %s" % (_PREFIXES[kind], words_row[scope], text)
            elif prefix == UNSCOPED:
                text = b"%s: %s" % (_PREFIXES[kind], text)
            elif prefix == AREA:
                text = b"%s: %s" % (words_row[scope], text)
            subjects.append(text)
        hotfix_prefixes = self._pick("urgent", HOTFIX_PREFIXES, changes)
        fixes = templates[KINDS.index("fix")]
        for row in np.flatnonzero(changes.is_hotfix).tolist():
            subjects[row] = hotfix_prefixes[row] + fixes[int(u[row] * len(fixes))] % words[row]
        for row in np.flatnonzero(changes.is_revert).tolist():
            subjects[row] = b'Revert "%s"' % reverted_subjects[int(changes.reverted[row])]
        bots = np.flatnonzero(changes.is_bot)
        updates = changes.updates.texts(bots, self._dependencies, self._dependencies.bot.subject)
        for row, subject in zip(bots.tolist(), updates, strict=True):
            subjects[row] = subject
        return subjects

    def titles(self, changes: Changes, subjects: list[bytes]) -> list[bytes]:
        """Return the subjects, with the Jira key added if there is one."""
        form = np.where(changes.is_revert | changes.is_hotfix, len(KEY_FORMS) - 1, self._key_form)
        keys = np.where(changes.names_issue, changes.jira_key, b"")
        return [
            KEY_FORMS[index] % {b"key": key, b"title": subject} if key else subject
            for index, key, subject in zip(form.tolist(), keys.tolist(), subjects, strict=True)
        ]

    def bodies(self, changes: Changes, words: list[Words]) -> list[bytes]:
        """Return the body of each pull request: sections of text, then the mention of the AI tool."""
        form = self._random.pick("body form", list(BODY_FORMS), changes.key).tolist()
        bits = self._random.random_bits("body", changes.key).tolist()
        closes = self._random.chance("closes", CLOSES_SHARE, changes.key) & changes.names_issue
        tools = changes.tool.tolist()
        mention = self._random.uniform("mention", changes.key).tolist()
        with_tool = np.flatnonzero(changes.tool >= 0)
        sessions = iter(self._random.hexadecimal("session", changes.key[with_tool]).tolist())
        repository, reverted = changes.repository.encode(), changes.reverted.tolist()
        bots = np.flatnonzero(changes.is_bot)
        updates = iter(changes.updates.texts(bots, self._dependencies, self._dependencies.bot.body))
        bodies = []
        for row, (words_row, is_bot, closes_issue) in enumerate(
            zip(words, changes.is_bot.tolist(), closes.tolist(), strict=True)
        ):
            if is_bot:
                bodies.append(next(updates))
                continue
            if reverted[row]:
                sections = [b"Reverts %s#%d." % (repository, reverted[row])]
            else:
                sections = _write_sections(self._bodies[form[row]], bits[row])
            if closes_issue and sections:
                sections.append(b"Closes " + changes.jira_key[row])
            if tools[row] >= 0:
                mentions = ai_tools()[tools[row]].mentions
                text = mentions[int(mention[row] * len(mentions))]
                sections.append(text.replace(b"%(session)s", next(sessions)[:SESSION_LENGTH]))
                if tools[row] >= len(code_tools()):
                    sections += _write_sections([_variants(TOOL_SUMMARY, 0)], bits[row] >> TOOL_SUMMARY_BIT)
            bodies.append(b"\n\n".join(sections) % words_row)
        return bodies

    def messages(
        self, changes: Changes, words: list[Words], subjects: list[bytes], is_signed: Booleans
    ) -> list[bytes]:
        """Return the messages of commits; the first message in a pull request is its subject.

        Parameters:
          is_signed: for each commit, whether the pull request's AI tool signs it.
        """
        owner, position = changes.commit_owner, changes.commit_position
        templates = phrases("commits", "later")
        later = self._random.integers(
            "text/later", changes.key[owner], position, low=0, high=len(templates) - 1
        )
        is_bot = changes.is_bot.tolist()
        messages = [
            subjects[row]
            if index == 0
            else b"Update lock file"
            if is_bot[row]
            else templates[which] % words[row]
            for row, index, which in zip(owner.tolist(), position.tolist(), later.tolist(), strict=True)
        ]
        trailer = self._random.uniform("trailer", changes.key).tolist()  # the same in all of its commits
        for commit in np.flatnonzero(is_signed).tolist():
            row = owner[commit]
            trailers = ai_tools()[changes.tool[row]].trailers
            messages[commit] += b"\n\n" + trailers[int(trailer[row] * len(trailers))]
        return messages

    def labels(self, changes: Changes) -> Texts:
        """Return the labels of each pull request, as a JSON list."""
        by_kind = _labels_by_kind()
        choice = self._random.integers("labels", changes.key, low=0, high=by_kind.shape[1] - 1)
        labels = np.where(changes.is_hotfix, HOTFIX_LABELS, by_kind[changes.kind, choice])
        return np.where(changes.is_bot, BOT_LABELS, labels)

    def _pick(self, purpose: str, options: Sequence[bytes], changes: Changes) -> list[bytes]:
        """Pick one of the options for each pull request."""
        choice = self._random.integers(f"text/{purpose}", changes.key, low=0, high=len(options) - 1)
        return list(map(options.__getitem__, choice.tolist()))


_PREFIXES = tuple(intent.prefix for intent in INTENTS.values())


def _add(text: bytes, additions: list[bytes]) -> bytes:
    """Return a template with additions, but for those that begin with what is there already."""
    for addition in additions:
        if addition.partition(b"%")[2][:5] not in text:
            text += b" " + addition
    return text


def _share_of_author(random: KeyedRandom, habit: str, changes: Changes) -> Floats:
    """Return how far each author is from a habit, from 0 to 1, and now and then from their own."""
    own = random.uniform(f"habit/{habit}", changes.repository, changes.author)
    u = random.uniform(f"habit now/{habit}", changes.key)
    return np.where(u < 0.15, u / 0.15, own)


@functools.cache
def _templates_with_code() -> frozenset[bytes]:
    """Return the templates of titles in which a name in code is."""
    return frozenset(text for kind in KINDS for text in phrases("titles", kind) if CODE.search(text))


@functools.cache
def _labels_by_kind() -> Texts:
    """Return lists of labels as JSON: kinds x choices."""
    labels = load_words()["labels"]
    return np.array([[json_text(choice).encode() for choice in labels[kind]] for kind in KINDS])


@functools.cache
def _variants(section: Section, headings: int) -> list[list[bytes]]:
    """Return all variants of a section, by the number of phrases and the first phrase, without repetition."""
    heading = HEADINGS[headings].get(section.heading, "").encode()
    lines = [section.bullet + phrase for phrase in phrases("bodies", section.phrases)]
    around = lines + lines
    return [
        [heading + b"\n".join(around[start : start + count]) for start in range(len(lines))]
        for count in range(section.min_count, section.max_count + 1)
    ]


def _write_sections(sections: list[list[list[bytes]]], bits: int) -> list[bytes]:
    """Return the text of each section, in the variant that its ``SECTION_BITS`` random bits choose."""
    texts = []
    for variants in sections:
        by_first_phrase = variants[bits % len(variants)]
        texts.append(by_first_phrase[(bits >> FIRST_PHRASE_BIT) % len(by_first_phrase)])
        bits >>= SECTION_BITS
    return texts
