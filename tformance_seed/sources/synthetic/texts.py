"""What the pull requests and commits of the generated source say: titles, bodies, messages, labels."""

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tformance_seed.canonical_json import json_text
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.keyed_random import UInt64
from tformance_seed.sources.synthetic.assistance import TOOLS
from tformance_seed.sources.synthetic.changes import KINDS, Changes
from tformance_seed.sources.synthetic.words import phrases, vocabulary, words

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.bytes_]
Booleans = npt.NDArray[np.bool_]

#: Least and greatest share of an organisation's titles that have a conventional prefix; of these, the share
#: that name the area in it.
CONVENTIONAL, SCOPED = (0.2, 0.95), 0.6

#: Where the Jira key stands, in titles that have one.
KEY_FORMS = (b"%(key)s: %(title)s", b"[%(key)s] %(title)s", b"%(title)s (%(key)s)")

#: How titles of hotfixes begin.
HOTFIX_HEADS = (b"hotfix: ", b"Hotfix: ", b"fix!: hotfix, ")

#: Versions of a package: patches of each minor one, minor ones of each major one; a repository begins with
#: one of so many first versions.
PATCHES, MINORS = 6, 60
FIRST_VERSIONS = 10 * MINORS * PATCHES

#: A section of a body: heading, which phrases, least and most of them, what each line begins with.
Section = tuple[bytes, str, int, int, bytes]
_WHAT = (b"## What\n", "what", 2, 2, b"")
_WHY = (b"## Why\n", "why", 1, 2, b"")
_TESTING = (b"## Testing\n", "testing", 2, 2, b"- ")
_NOTES = (b"## Notes\n", "note", 2, 4, b"")
_CHECKS = (b"## Checklist\n", "check", 4, 6, b"- [x] ")

#: What a review tool lists below its heading.
SUMMARY: Section = (b"", "what", 2, 3, b"- ")

#: Share -> sections of the bodies that many have.
BODY_FORMS: dict[float, tuple[Section, ...]] = {
    0.10: (),
    0.20: ((b"", "what", 1, 1, b""), (b"", "why", 1, 1, b"")),
    0.42: (_WHAT, _WHY, _TESTING),
    0.28: (_WHAT, _WHY, _TESTING, _NOTES, _CHECKS),
}

#: Share of bodies, empty ones apart, that name the Jira issue, where there is one.
CLOSES = 0.5

#: Labels of pull requests by bots and of hotfixes.
BOT_LABELS, HOTFIX_LABELS = b'["dependencies"]', b'["hotfix"]'

_LABELS = np.array([[json_text(labels).encode() for labels in words()["labels"][kind]] for kind in KINDS])


class Wording:
    """How one organisation puts things."""

    def __init__(self, profile: Profile) -> None:
        self._random = profile.random
        own, common = vocabulary("nouns", profile.organisation.industry)
        self._nouns = [noun.encode() for noun in own + common]
        low, high = CONVENTIONAL
        conventional = float(self._random.uniform("conventional", low=low, high=high))
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
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def subjects(
        self,
        changes: Changes,
        said: list[dict[bytes, bytes]],
        packages: list[bytes],
        quotes: dict[int, bytes],
    ) -> list[bytes]:
        """What each change does: the title without the Jira key, and the message of the first commit.

        Parameters:
          packages: what dependency bots bring up to date.
          quotes: the subjects of what reverts take back, by number.
        """
        templates = [phrases("titles", kind) for kind in KINDS]
        u = self._random.uniform("subject", changes.key).tolist()
        heads = self._random.pick("head", self._heads, changes.key).tolist()
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
            subjects[row] = b'Revert "%s"' % quotes[int(changes.reverted[row])]
        bots = np.flatnonzero(changes.is_bot)
        for row, bump in zip(bots.tolist(), self._bumps(changes, bots, packages), strict=True):
            subjects[row] = bump
        return subjects

    def _bumps(self, changes: Changes, rows: Ints, packages: list[bytes]) -> list[bytes]:
        """Packages take turns, each in another order; with each comes a next version, bumped or not."""
        random, repository = self._random, changes.repository
        turn, place = np.divmod(changes.number[rows], len(packages))
        order = np.argsort(
            random.random_bits("package", repository, turn[:, None], np.arange(len(packages))), axis=1
        )
        package = order[np.arange(len(turn)), place]
        version = turn + random.integers("version", repository, package, low=0, high=FIRST_VERSIONS - 1)
        return [
            b"Bump %s from %s to %s" % (packages[which], _version(old), _version(old + 1))
            for which, old in zip(package.tolist(), version.tolist(), strict=True)
        ]

    def titles(self, changes: Changes, subjects: list[bytes]) -> list[bytes]:
        """Subjects with the Jira key before or behind; always behind those of reverts and hotfixes."""
        form = self._random.integers("key form", changes.key, low=0, high=len(KEY_FORMS) - 1)
        form = np.where(changes.is_revert | changes.is_hotfix, len(KEY_FORMS) - 1, form).tolist()
        return [
            KEY_FORMS[place] % {b"key": key, b"title": subject} if key else subject
            for place, key, subject in zip(form, changes.jira_key.tolist(), subjects, strict=True)
        ]

    def bodies(self, changes: Changes, said: list[dict[bytes, bytes]], subjects: list[bytes]) -> list[bytes]:
        """What and why, how it was tested, notes, a checklist; then what an AI tool adds."""
        form = self._random.pick("body form", list(BODY_FORMS), changes.key).tolist()
        forms = [[_variants(section) for section in sections] for sections in BODY_FORMS.values()]
        dice = self._random.random_bits("body", changes.key).tolist()
        closes = self._random.chance("closes", CLOSES, changes.key) & (changes.jira_key != b"")
        mentioned = np.where(changes.signed, -1, changes.tool).tolist()
        repository, reverted = changes.repository.encode(), changes.reverted.tolist()
        bodies = []
        for row, (mapping, bot, close) in enumerate(
            zip(said, changes.is_bot.tolist(), closes.tolist(), strict=True)
        ):
            if bot:
                bodies.append(subjects[row].replace(b"Bump", b"Bumps", 1) + b".")
                continue
            if reverted[row]:
                sections = [b"Reverts %s#%d." % (repository, reverted[row])]
            else:
                sections = _written(forms[form[row]], dice[row])
            if close and sections:
                sections.append(b"Closes " + changes.jira_key[row])
            if mentioned[row] >= 0:
                tool = TOOLS[mentioned[row]]
                sections.append(tool.mention)
                if not tool.trailer:
                    sections += _written([_variants(SUMMARY)], dice[row] >> 48)
            bodies.append(b"\n\n".join(sections) % mapping)
        return bodies

    def messages(
        self,
        changes: Changes,
        said: list[dict[bytes, bytes]],
        subjects: list[bytes],
        signed: Booleans,
    ) -> list[bytes]:
        """Messages of commits: the first says what the pull request says, later ones what came up.

        Parameters:
          signed: of each commit whether the pull request's AI tool signs it.
        """
        owner, place = changes.commit_owner, changes.commit_place
        later = self._some("later", phrases("commits", "later"), changes.key[owner], place)
        bot = changes.is_bot.tolist()
        messages = [
            subjects[row] if first == 0 else b"Update lock file" if bot[row] else text % said[row]
            for row, first, text in zip(owner.tolist(), place.tolist(), later, strict=True)
        ]
        for commit in np.flatnonzero(signed).tolist():
            messages[commit] += b"\n\n" + TOOLS[changes.tool[owner[commit]]].trailer
        return messages

    def labels(self, changes: Changes) -> Texts:
        """JSON lists."""
        place = self._random.integers("labels", changes.key, low=0, high=_LABELS.shape[1] - 1)
        labels = np.where(changes.is_hotfix, HOTFIX_LABELS, _LABELS[changes.kind, place])
        return np.where(changes.is_bot, BOT_LABELS, labels)

    def _some(self, purpose: str, options: Sequence[bytes], *keys: Ints | UInt64) -> list[bytes]:
        """One of the options for each of the keys."""
        places = self._random.integers(f"text/{purpose}", *keys, low=0, high=len(options) - 1)
        return np.array(options)[places].tolist()


def _version(ordinal: int) -> bytes:
    """A package's version number ``ordinal`` since 0.0.0."""
    minor, patch = divmod(ordinal, PATCHES)
    return b"%d.%d.%d" % (*divmod(minor, MINORS), patch)


@functools.cache
def _variants(section: Section) -> list[list[bytes]]:
    """What a section can say, by how many phrases it has and which is the first; none comes twice."""
    heading, name, least, most, bullet = section
    lines = [bullet + phrase for phrase in phrases("bodies", name)]
    around = lines + lines
    return [
        [heading + b"\n".join(around[start : start + count]) for start in range(len(lines))]
        for count in range(least, most + 1)
    ]


def _written(sections: list[list[list[bytes]]], dice: int) -> list[bytes]:
    """Sections, each in the variant that eight bits of ``dice`` choose."""
    written = []
    for variants in sections:
        firsts = variants[dice % len(variants)]
        written.append(firsts[(dice >> 3) % len(firsts)])
        dice >>= 8
    return written
