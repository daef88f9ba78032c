"""What the pull requests and commits of the generated source say: titles, bodies, messages, labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.profile import Profile
from tformance_seed.draws import UInt64
from tformance_seed.models.fields import json_text
from tformance_seed.sources.synthetic.words import Tool, phrases, vocabulary, words

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.bytes_]
Booleans = npt.NDArray[np.bool_]

#: What a change can be, as the conventional prefix of its title says it.
KINDS = ("fix", "feat", "refactor", "perf", "chore", "docs", "test", "ci")

#: Least and greatest share of an organisation's titles that have a conventional prefix; of these, the share
#: that name the area in it.
CONVENTIONAL, SCOPED = (0.2, 0.95), 0.6

#: Where the Jira key stands, in titles that have one.
KEY_FORMS = (b"%(key)s: %(title)s", b"[%(key)s] %(title)s", b"%(title)s (%(key)s)")

#: How titles of hotfixes begin.
HOTFIX_HEADS = (b"hotfix: ", b"hotfix: urgent, ", b"fix!: urgent: ")

#: Shares of bodies: none, one paragraph, sections, sections with notes and a checklist.
BODY_FORMS = (0.12, 0.25, 0.38, 0.25)

#: Share of bodies of the last two forms that name the Jira issue, where there is one.
CLOSES = 0.5

#: Labels of pull requests by bots and of hotfixes.
BOT_LABELS, HOTFIX_LABELS = b'["dependencies"]', b'["hotfix"]'

_LABELS = np.array([[json_text(labels).encode() for labels in words()["labels"][kind]] for kind in KINDS])


@dataclass(frozen=True)
class Changes:
    """What there is to tell of pull requests, as columns.

    ``kind`` is an index into ``KINDS``; ``tools`` the AI tool that the body names, None for none.
    """

    key: UInt64
    kind: Ints
    area: Texts
    noun: Texts
    jira_key: Texts
    is_bot: Booleans
    is_revert: Booleans
    is_hotfix: Booleans
    tools: Sequence[Tool | None]


class Wording:
    """How one organisation puts things."""

    def __init__(self, profile: Profile) -> None:
        self._draws = profile.draws
        own, common = vocabulary("nouns", profile.organisation.industry)
        self._nouns = [noun.encode() for noun in own + common]
        low, high = CONVENTIONAL
        conventional = float(self._draws.uniform("conventional", low=low, high=high))
        self._heads = (conventional * SCOPED, conventional * (1 - SCOPED), 1 - conventional)

    def words(self, changes: Changes) -> list[dict[bytes, bytes]]:
        """What the templates of each pull request are filled with."""
        columns = {
            b"area": changes.area.tolist(),
            b"noun": changes.noun.tolist(),
            b"noun2": self._some("noun2", self._nouns, changes.key),
            b"part": self._some("part", phrases("phrases", "part"), changes.key),
            b"part2": self._some("part2", phrases("phrases", "part"), changes.key),
            b"flaw": self._some("flaw", phrases("phrases", "flaw"), changes.key),
            b"event": self._some("event", phrases("phrases", "event"), changes.key),
        }
        return [
            dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
        ]

    def subjects(self, changes: Changes, said: list[dict[bytes, bytes]]) -> list[bytes]:
        """What each change does, with the prefix of its kind: the title but for keys, the first message."""
        templates = [phrases("titles", kind) for kind in KINDS]
        u = self._draws.uniform("subject", changes.key).tolist()
        heads = self._draws.pick("head", self._heads, changes.key).tolist()
        kinds = [kind.encode() for kind in KINDS]
        subjects = []
        for kind, place, head, mapping in zip(changes.kind.tolist(), u, heads, said, strict=True):
            text = templates[kind][int(place * len(templates[kind]))] % mapping
            if head == 0:
                text = b"%s(%s): %s" % (kinds[kind], mapping[b"area"], text)
            elif head == 1:
                text = b"%s: %s" % (kinds[kind], text)
            else:
                text = text[:1].upper() + text[1:]
            subjects.append(text)
        urgent = self._some("urgent", HOTFIX_HEADS, changes.key)
        for row in np.flatnonzero(changes.is_hotfix).tolist():
            plain = templates[0][int(u[row] * len(templates[0]))] % said[row]
            subjects[row] = urgent[row] + plain
        for row in np.flatnonzero(changes.is_revert).tolist():
            subjects[row] = b'Revert "%s"' % subjects[row]
        return subjects

    def bumps(self, changes: Changes, packages: list[bytes]) -> list[bytes]:
        """What a dependency bot would call each pull request."""
        names = self._some("package", packages, changes.key)
        major, minor, patch, up = (
            self._draws.integers(f"version/{part}", changes.key, low=0, high=high).tolist()
            for part, high in (("major", 9), ("minor", 30), ("patch", 20), ("up", 3))
        )
        return [
            b"Bump %s from %d.%d.%d to %d.%d.%d"
            % ((name, a, b, c, a, b, c + by) if by else (name, a, b, c, a, b + 1, 0))
            for name, a, b, c, by in zip(names, major, minor, patch, up, strict=True)
        ]

    def titles(self, changes: Changes, subjects: list[bytes]) -> list[bytes]:
        """Subjects with the Jira key before or behind; always behind those of reverts and hotfixes."""
        form = self._draws.integers("key form", changes.key, low=0, high=len(KEY_FORMS) - 1)
        form = np.where(changes.is_revert | changes.is_hotfix, len(KEY_FORMS) - 1, form).tolist()
        return [
            KEY_FORMS[place] % {b"key": key, b"title": subject} if key else subject
            for place, key, subject in zip(form, changes.jira_key.tolist(), subjects, strict=True)
        ]

    def bodies(
        self, changes: Changes, said: list[dict[bytes, bytes]], subjects: list[bytes]
    ) -> list[bytes]:
        """What and why, how it was tested, notes, a checklist; then what an AI tool adds."""
        parts = {name: phrases("bodies", name) for name in ("what", "why", "testing", "note", "check")}
        form = self._draws.pick("body form", BODY_FORMS, changes.key).tolist()
        dice = self._draws.bits("body", changes.key).tolist()
        closes = self._draws.chance("closes", CLOSES, changes.key) & (changes.jira_key != b"")
        bodies = []
        for row, mapping in enumerate(said):

            def some(name: str, shift: int, count: int, row: int = row) -> list[bytes]:
                options = parts[name]
                start = dice[row] >> shift
                return [options[(start + turn) % len(options)] for turn in range(count)]

            if changes.is_bot[row]:
                bodies.append(subjects[row].replace(b"Bump", b"Bumps", 1) + b".")
                continue
            sections = []
            if form[row] == 1:
                sections = [b" ".join(some("what", 0, 1) + some("why", 8, 1))]
            elif form[row] >= 2:
                sections = [
                    b"## What\n" + b" ".join(some("what", 0, 2)),
                    b"## Why\n" + b" ".join(some("why", 8, 1 + (dice[row] >> 50) % 2)),
                    b"## Testing\n" + b"\n".join(b"- " + line for line in some("testing", 16, 2)),
                ]
            if form[row] == 3:
                notes = some("note", 24, 2 + (dice[row] >> 52) % 3)
                checks = some("check", 32, 4 + (dice[row] >> 54) % 3)
                sections.append(b"## Notes\n" + b"\n\n".join(notes))
                sections.append(b"## Checklist\n" + b"\n".join(b"- [x] " + line for line in checks))
            if closes[row] and sections:
                sections.append(b"Closes " + changes.jira_key[row])
            tool = changes.tools[row]
            if tool is not None:
                summary = b"" if tool.trailer else b"\n- " + b"\n- ".join(some("what", 40, 2))
                sections.append(tool.mention + summary)
            bodies.append(b"\n\n".join(sections) % mapping)
        return bodies

    def messages(
        self,
        changes: Changes,
        said: list[dict[bytes, bytes]],
        subjects: list[bytes],
        owner: Ints,
        place: Ints,
        trailers: Sequence[bytes],
    ) -> list[bytes]:
        """Messages of commits: the first says what the pull request says, later ones what came up.

        Parameters:
          owner, place: of each commit its pull request, and its place among that one's.
          trailers: of each commit what an AI tool signs it with, or nothing.
        """
        later = self._some("later", phrases("commits", "later"), changes.key[owner], place)
        bot = changes.is_bot.tolist()
        return [
            (subjects[row] if first == 0 else b"Update lock file" if bot[row] else text % said[row])
            + (b"\n\n" + trailer if trailer else b"")
            for row, first, text, trailer in zip(
                owner.tolist(), place.tolist(), later, trailers, strict=True
            )
        ]

    def labels(self, changes: Changes) -> Texts:
        """JSON lists."""
        place = self._draws.integers("labels", changes.key, low=0, high=_LABELS.shape[1] - 1)
        labels = np.where(changes.is_hotfix, HOTFIX_LABELS, _LABELS[changes.kind, place])
        return np.where(changes.is_bot, BOT_LABELS, labels)

    def _some(self, purpose: str, options: Sequence[bytes], *keys: Ints | UInt64) -> list[bytes]:
        """One of the options for each of the keys."""
        places = self._draws.integers(f"text/{purpose}", *keys, low=0, high=len(options) - 1)
        return np.array(options)[places].tolist()
