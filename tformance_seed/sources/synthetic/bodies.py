"""Bodies of generated pull requests: sections of a template, and what AI tools say in them."""

import functools
import itertools
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tformance_seed.sampling.arrays import Ints
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.synthetic.changes import Changes
from tformance_seed.sources.synthetic.choices import DOCS, UI, read
from tformance_seed.sources.synthetic.intents import KINDS
from tformance_seed.sources.synthetic.updates import Dependencies
from tformance_seed.sources.synthetic.wording import Words
from tformance_seed.sources.synthetic.words import ai_tools, code_tools


class Section(NamedTuple):
    """A section of a body: a heading and, below it, some sentences from a list, one per line.

    Parameters:
      heading: a key of each of ``HEADINGS``; a section without a text there has none.
      sentences: the name of the list: that for the kind of change (``what_fix``) or for the side
        (``testing_ui``), if there is one, or else that for any (``what``).
    """

    heading: str
    sentences: str
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
        "pictures": "## Screenshots\n",
    },
    {
        "what": "### Description\n",
        "why": "### Context\n",
        "testing": "### How to test\n",
        "pictures": "### Screenshots / recordings\n",
    },
    {"testing": "**Tests**\n", "check": "---\n"},
    {
        "what": "## Summary\n",
        "testing": "## Test plan\n",
        "note": "## Reviewer notes\n",
        "check": "## Checks\n",
        "pictures": "## Demo\n",
    },
    {
        "what": "## What does this PR do?\n",
        "why": "## Motivation\n",
        "testing": "## How should this be tested?\n",
        "check": "## Mandatory tasks\n",
        "pictures": "## Visual demo\n",
    },
)

#: The bullet of a checklist of which boxes are ticked.
TICKED = b"- [x] "

_WHAT, _WHY = Section("what", "what", 1, 2), Section("why", "why", 1, 2)
_TESTING = Section("testing", "testing", 1, 2, b"- ")
_PICTURES, _CHECKS = Section("pictures", "pictures", 1, 1), Section("check", "check", 4, 5, TICKED)
_UNFILLED = Section("testing", "unfilled", 1, 1)
_UNCHECKED = Section("check", "check", 4, 5)

#: Share of bodies -> their sections.
BODY_FORMS: dict[float, tuple[Section, ...]] = {
    0.115: (),
    0.09: (Section("", "what", 1, 1),),
    0.07: (Section("", "why", 1, 1),),
    0.05: (Section("", "short", 1, 1),),
    0.095: (Section("", "why", 1, 2), Section("", "what", 1, 1)),
    0.03: (Section("", "what", 2, 4, b"- "),),
    0.11: (_WHAT, _WHY, _TESTING),
    0.08: (_WHAT, _UNFILLED, _UNCHECKED),
    0.06: (_WHAT, _WHY, _PICTURES),
    0.175: (_WHAT, _WHY, _TESTING, Section("note", "note", 2, 4), _CHECKS),
    0.125: (
        Section("what", "what", 3, 5),
        Section("why", "why", 2, 4),
        Section("testing", "testing", 3, 5, b"- "),
        Section("note", "note", 3, 5),
        _CHECKS,
    ),
}

#: The form that AI tools write, and the share of bodies in it where such a tool wrote the code.
AI_FORM = (
    Section("summary", "what", 2, 4, b"- "),
    Section("plan", "testing", 2, 3, b"- [x] "),
)
AI_HEADINGS = {"summary": "## Summary\n", "plan": "## Test plan\n"}
AI_FORM_SHARE = 0.4

#: The list that a review tool adds below its heading.
TOOL_SUMMARY = (Section("", "what", 2, 3, b"- "),)

#: The random bits that choose the variant of a section: ``SECTION_BITS`` for each section of a body, and
#: those from ``TOOL_SUMMARY_BIT`` on for the summary by a tool. The bits modulo the number of possible counts
#: choose the number of sentences; those from ``FIRST_SENTENCE_BIT`` on choose the first one.
SECTION_BITS, TOOL_SUMMARY_BIT, FIRST_SENTENCE_BIT = 9, 48, 3

#: How often a list is repeated, with other variants of its sentences.
ROUNDS = 6

#: Number of hexadecimal digits of the sessions that tools link to, and of pictures.
SESSION_LENGTH = 32

#: Share of non-empty bodies that name the Jira issue, if there is one, and how.
CLOSES_SHARE = 0.5
CLOSING = (b"Closes %s", b"Closes %s", b"Fixes %s", b"Resolves %s", b"Part of %s", b"Ref %s")


class Lines(NamedTuple):
    """The variants of a section with so many sentences, each of them written when it is chosen."""

    heading: bytes
    lines: list[bytes]
    number: int

    def write(self, bits: int) -> bytes:
        """Return the variant that begins with the sentence which random bits choose."""
        start = bits % len(self.lines)
        return self.heading + b"\n".join((self.lines + self.lines)[start : start + self.number])


class Checklist(NamedTuple):
    """The variants of a checklist: which of its boxes are ticked."""

    heading: bytes
    lines: list[bytes]
    is_ticked: bool

    def write(self, bits: int) -> bytes:
        """Return the variant that random bits choose."""
        patterns = _patterns(self.is_ticked, len(self.lines))
        pairs = zip(patterns[bits % len(patterns)], self.lines, strict=True)
        return self.heading + b"\n".join(b"- [%b] %b" % pair for pair in pairs)


#: A section in all its variants, by the number of sentences.
_Variants = Sequence[Lines | Checklist]


class Bodies:
    """The customs of one repository, by which its bodies are written."""

    def __init__(self, random: KeyedRandom, repository: str, dependencies: Dependencies) -> None:
        self._random, self._dependencies = random, dependencies
        self._headings = int(random.integers("headings", repository, low=0, high=len(HEADINGS) - 1))
        self._closing = CLOSING[int(random.integers("closing", repository, low=0, high=len(CLOSING) - 1))]

    def bodies(self, changes: Changes, sides: Ints, words: list[Words]) -> list[bytes]:
        """Return the body of each pull request: sections of text, then the mention of the AI tool.

        Parameters:
          sides: the side that each change is on, an index into ``SIDES``.
          words: the words for each change.
        """
        random, key, wrote = self._random, changes.key, len(code_tools())
        form = random.pick("body form", list(BODY_FORMS), key)
        is_made = (
            (changes.tool >= 0) & (changes.tool < wrote) & random.chance("body by AI", AI_FORM_SHARE, key)
        )
        form = np.where(is_made, -1, form).tolist()
        bits = random.random_bits("body", key).tolist()
        closes = (random.chance("closes", CLOSES_SHARE, key) & changes.names_issue).tolist()
        tools = changes.tool.tolist()
        mention = random.uniform("mention", key).tolist()
        names = random.hexadecimal("session", key).tolist()
        repository, reverted = changes.repository.encode(), changes.reverted.tolist()
        bots = np.flatnonzero(changes.is_bot)
        updates = iter(changes.updates.texts(bots, self._dependencies, self._dependencies.bot.body))
        side = np.select([sides == UI, sides == DOCS], [0, 1], 2).tolist()
        bodies = []
        for row, (words_row, is_bot, kind) in enumerate(
            zip(words, changes.is_bot.tolist(), changes.kind.tolist(), strict=True)
        ):
            if is_bot:
                bodies.append(next(updates))
                continue
            if reverted[row]:
                sections = [b"Reverts %s#%d." % (repository, reverted[row])]
            else:
                variants = _form(form[row], kind, side[row], self._headings)
                sections = _write_sections(variants, bits[row])
            if closes[row] and sections:
                sections.append(self._closing % changes.jira_key[row])
            if tools[row] >= 0:
                mentions = ai_tools()[tools[row]].mentions
                sections.append(mentions[int(mention[row] * len(mentions))])
                if tools[row] >= wrote:
                    variants = _form(len(BODY_FORMS), kind, side[row], 0)
                    sections += _write_sections(variants, bits[row] >> TOOL_SUMMARY_BIT)
            text = b"\n\n".join(sections)
            if b"%(session)s" in text:
                words_row = words_row | {b"session": names[row][:SESSION_LENGTH]}
            bodies.append(text % words_row)
        return bodies


#: The last letters of the names of lists for sides.
_SIDES = ("ui", "docs", "server")


@functools.cache
def _form(form: int, kind: int, side: int, headings: int) -> list[_Variants]:
    """Return the sections of a form of body.

    Parameters:
      form: which of ``BODY_FORMS``; -1: the one that AI tools write; after the last: a tool's summary.
      kind: an index into ``KINDS``.
      side: an index into ``_SIDES``.
      headings: an index into ``HEADINGS``.
    """
    sections = [*BODY_FORMS.values(), TOOL_SUMMARY, AI_FORM][form]
    titles = AI_HEADINGS if form < 0 else HEADINGS[headings]
    return [
        _variants(section, KINDS[kind], _SIDES[side], titles.get(section.heading, ""), headings)
        for section in sections
    ]


def _variants(section: Section, kind: str, side: str, heading: str, headings: int) -> _Variants:
    """Return all variants of a section, by the number of sentences, none of which comes twice in one."""
    names = [f"{section.sentences}_{which}" for which in (kind, side)]
    sentences = next(filter(None, (read("bodies", name) for name in [*names, section.sentences])))
    if section.sentences == "check":
        return [_checklist(heading.encode(), list(itertools.chain(*sentences)), headings, section)]
    ordered = sorted(sentences, key=lambda variants: zlib.crc32(b"%d %b" % (headings, variants[0])))
    lines = [
        section.bullet + variants[round_ % len(variants)] for round_ in range(ROUNDS) for variants in ordered
    ]
    counts = range(section.min_count, min(section.max_count, len(sentences)) + 1)
    return [Lines(heading.encode(), lines, count) for count in counts]


def _checklist(heading: bytes, lines: list[bytes], headings: int, section: Section) -> Checklist:
    """Return the checklist of a repository's template, with some or all of its boxes ticked, or none."""
    count = section.min_count + headings % 2
    return Checklist(heading, (lines[2 * headings :] + lines)[:count], section.bullet == TICKED)


@functools.cache
def _patterns(is_ticked: bool, count: int) -> list[tuple[bytes, ...]]:
    """Return which of so many boxes are ticked, in an order that neighbours do not share."""
    marks = (b"x", b"x", b"x", b" ") if is_ticked else (b" ",)
    return sorted(itertools.product(*[marks] * count), key=lambda some: zlib.crc32(b"".join(some)))


def _write_sections(sections: list[_Variants], bits: int) -> list[bytes]:
    """Return the text of each section, in the variant that its ``SECTION_BITS`` random bits choose."""
    texts = []
    for variants in sections:
        texts.append(variants[bits % len(variants)].write(bits >> FIRST_SENTENCE_BIT))
        bits >>= SECTION_BITS
    return texts
