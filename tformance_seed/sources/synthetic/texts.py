"""The texts of generated pull requests and commits: titles, bodies, messages, labels."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tformance_seed.canonical_json import json_text
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Ints, Texts, UInt64
from tformance_seed.sources.synthetic.changes import KINDS, Changes
from tformance_seed.sources.synthetic.updates import Dependencies
from tformance_seed.sources.synthetic.words import ai_tools, code_tools, load_words, phrases, vocabulary

#: The words that fill a template, by the name of the placeholder.
Words = dict[bytes, bytes]

#: Share of an organisation's titles that have a conventional prefix (minimum and maximum), and the share of
#: those prefixes that include the area.
CONVENTIONAL_SHARE, SCOPED_SHARE = (0.2, 0.95), 0.6

#: Forms of a conventional prefix.
SCOPED, UNSCOPED, PLAIN = range(3)

#: Formats of a title with a Jira key. Reverts and hotfixes use the last one.
KEY_FORMS = (b"%(key)s: %(title)s", b"[%(key)s] %(title)s", b"%(title)s (%(key)s)")

#: Prefixes of the titles of hotfixes.
HOTFIX_PREFIXES = (b"hotfix: ", b"Hotfix: ", b"fix!: hotfix, ")


class Section(NamedTuple):
    """A section of a body: a heading and, below it, some phrases from a list, one per line."""

    heading: bytes
    phrases: str
    min_count: int
    max_count: int
    bullet: bytes = b""


_WHAT = Section(b"## What\n", "what", 2, 2)
_WHY = Section(b"## Why\n", "why", 1, 2)
_TESTING = Section(b"## Testing\n", "testing", 2, 2, b"- ")
_NOTES = Section(b"## Notes\n", "note", 2, 4, b"")
_CHECKS = Section(b"## Checklist\n", "check", 4, 6, b"- [x] ")

#: Share of bodies -> their sections.
BODY_FORMS: dict[float, tuple[Section, ...]] = {
    0.10: (),
    0.20: (Section(b"", "what", 1, 1), Section(b"", "why", 1, 1)),
    0.42: (_WHAT, _WHY, _TESTING),
    0.28: (_WHAT, _WHY, _TESTING, _NOTES, _CHECKS),
}

#: The list that a review tool adds below its heading.
TOOL_SUMMARY = Section(b"", "what", 2, 3, b"- ")

#: The random bits that choose the variant of a section: ``SECTION_BITS`` for each section of a body, and
#: those from ``TOOL_SUMMARY_BIT`` on for the summary by a tool. The bits modulo the number of possible counts
#: choose the number of phrases; those from ``FIRST_PHRASE_BIT`` on choose the first phrase.
SECTION_BITS, TOOL_SUMMARY_BIT, FIRST_PHRASE_BIT = 8, 48, 3

#: Number of hexadecimal digits of the sessions that tools link to.
SESSION_LENGTH = 32

#: Share of non-empty bodies that name the Jira issue, if there is one.
CLOSES_SHARE = 0.5

#: Labels of bots' pull requests, and of hotfixes.
BOT_LABELS, HOTFIX_LABELS = b'["dependencies"]', b'["hotfix"]'


class WritingStyle:
    """The writing style of one organisation, which writes the texts of its pull requests."""

    def __init__(self, profile: Profile) -> None:
        self._random = profile.random
        own, common = vocabulary("nouns", profile.organisation.industry)
        self._nouns = [noun.encode() for noun in own + common]
        low, high = CONVENTIONAL_SHARE
        conventional = float(self._random.uniform("conventional", low=low, high=high))
        #: Weights of ``SCOPED``, ``UNSCOPED``, ``PLAIN``.
        self._prefixes = (conventional * SCOPED_SHARE, conventional * (1 - SCOPED_SHARE), 1 - conventional)

    def pick_words(self, changes: Changes) -> list[Words]:
        """Choose the words that fill the templates of each pull request."""
        columns = {
            b"area": changes.area.tolist(),
            b"noun": changes.noun.tolist(),
            b"noun2": self._pick("noun2", self._nouns, changes.key),
            b"part": self._pick("part", phrases("phrases", "part"), changes.key),
            b"part2": self._pick("part2", phrases("phrases", "part"), changes.key),
            b"flaw": self._pick("flaw", phrases("phrases", "flaw"), changes.key),
            b"event": self._pick("event", phrases("phrases", "event"), changes.key),
        }
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def subjects(
        self,
        changes: Changes,
        words: list[Words],
        dependencies: Dependencies,
        reverted_subjects: dict[int, bytes],
    ) -> list[bytes]:
        """Return the subject of each change, used in its title and in its first commit's message.

        Parameters:
          words: the words for each change, from ``pick_words``.
          dependencies: the dependencies of the repository, which bots update.
          reverted_subjects: the subjects of reverted pull requests, by number.
        """
        templates = [phrases("titles", kind) for kind in KINDS]
        u = self._random.uniform("subject", changes.key).tolist()
        prefixes = self._random.pick("head", self._prefixes, changes.key).tolist()
        kinds = [kind.encode() for kind in KINDS]
        subjects = []
        for kind, u_row, prefix, words_row in zip(changes.kind.tolist(), u, prefixes, words, strict=True):
            text = templates[kind][int(u_row * len(templates[kind]))] % words_row
            if prefix == SCOPED:
                text = b"%s(%s): %s" % (kinds[kind], words_row[b"area"], text)
            elif prefix == UNSCOPED:
                text = b"%s: %s" % (kinds[kind], text)
            else:
                text = text[:1].upper() + text[1:]
            subjects.append(text)
        hotfix_prefixes = self._pick("urgent", HOTFIX_PREFIXES, changes.key)
        fixes = templates[KINDS.index("fix")]
        for row in np.flatnonzero(changes.is_hotfix).tolist():
            subjects[row] = hotfix_prefixes[row] + fixes[int(u[row] * len(fixes))] % words[row]
        for row in np.flatnonzero(changes.is_revert).tolist():
            subjects[row] = b'Revert "%s"' % reverted_subjects[int(changes.reverted[row])]
        bots = np.flatnonzero(changes.is_bot)
        updates = changes.updates.texts(bots, dependencies, dependencies.bot.subject)
        for row, subject in zip(bots.tolist(), updates, strict=True):
            subjects[row] = subject
        return subjects

    def titles(self, changes: Changes, subjects: list[bytes]) -> list[bytes]:
        """Return the subjects, with the Jira key added if there is one."""
        form = self._random.integers("key form", changes.key, low=0, high=len(KEY_FORMS) - 1)
        form = np.where(changes.is_revert | changes.is_hotfix, len(KEY_FORMS) - 1, form)
        return [
            KEY_FORMS[index] % {b"key": key, b"title": subject} if key else subject
            for index, key, subject in zip(form.tolist(), changes.jira_key.tolist(), subjects, strict=True)
        ]

    def bodies(self, changes: Changes, words: list[Words], dependencies: Dependencies) -> list[bytes]:
        """Return the body of each pull request: sections of text, then the mention of the AI tool."""
        form = self._random.pick("body form", list(BODY_FORMS), changes.key).tolist()
        forms = [[_variants(section) for section in sections] for sections in BODY_FORMS.values()]
        bits = self._random.random_bits("body", changes.key).tolist()
        closes = self._random.chance("closes", CLOSES_SHARE, changes.key) & (changes.jira_key != b"")
        tools = changes.tool.tolist()
        mention = self._random.uniform("mention", changes.key).tolist()
        with_tool = np.flatnonzero(changes.tool >= 0)
        sessions = iter(self._random.hexadecimal("session", changes.key[with_tool]).tolist())
        repository, reverted = changes.repository.encode(), changes.reverted.tolist()
        bots = np.flatnonzero(changes.is_bot)
        updates = iter(changes.updates.texts(bots, dependencies, dependencies.bot.body))
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
                sections = _write_sections(forms[form[row]], bits[row])
            if closes_issue and sections:
                sections.append(b"Closes " + changes.jira_key[row])
            if tools[row] >= 0:
                mentions = ai_tools()[tools[row]].mentions
                text = mentions[int(mention[row] * len(mentions))]
                sections.append(text.replace(b"%(session)s", next(sessions)[:SESSION_LENGTH]))
                if tools[row] >= len(code_tools()):
                    sections += _write_sections([_variants(TOOL_SUMMARY)], bits[row] >> TOOL_SUMMARY_BIT)
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
        later = self._pick("later", phrases("commits", "later"), changes.key[owner], position)
        is_bot = changes.is_bot.tolist()
        messages = [
            subjects[row] if index == 0 else b"Update lock file" if is_bot[row] else text % words[row]
            for row, index, text in zip(owner.tolist(), position.tolist(), later, strict=True)
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

    def _pick(self, purpose: str, options: Sequence[bytes], *keys: Ints | UInt64) -> list[bytes]:
        """Pick one of the options for each combination of the keys."""
        choice = self._random.integers(f"text/{purpose}", *keys, low=0, high=len(options) - 1)
        picked: list[bytes] = np.array(options)[choice].tolist()
        return picked


@functools.cache
def _labels_by_kind() -> Texts:
    """Return lists of labels as JSON: kinds x choices."""
    labels = load_words()["labels"]
    return np.array([[json_text(choice).encode() for choice in labels[kind]] for kind in KINDS])


@functools.cache
def _variants(section: Section) -> list[list[bytes]]:
    """Return all variants of a section, by the number of phrases and the first phrase, without repetition."""
    lines = [section.bullet + phrase for phrase in phrases("bodies", section.phrases)]
    around = lines + lines
    return [
        [section.heading + b"\n".join(around[start : start + count]) for start in range(len(lines))]
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
