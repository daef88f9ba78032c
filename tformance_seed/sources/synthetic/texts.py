"""The texts of generated pull requests and commits: titles, bodies, messages, labels."""

import functools
import itertools

import numpy as np

from tformance_seed.canonical_json import json_text
from tformance_seed.sampling.arrays import Booleans, Ints, Texts
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.synthetic.bodies import Bodies
from tformance_seed.sources.synthetic.changes import Changes
from tformance_seed.sources.synthetic.choices import UI, read, sides_of
from tformance_seed.sources.synthetic.intents import KINDS
from tformance_seed.sources.synthetic.titles import Titles
from tformance_seed.sources.synthetic.trees import Tree
from tformance_seed.sources.synthetic.wording import Wording, Words
from tformance_seed.sources.synthetic.words import ai_tools, load_words

#: Labels of bots' pull requests, and of hotfixes.
BOT_LABELS, HOTFIX_LABELS = b'["dependencies"]', b'["hotfix"]'


class WritingStyle:
    """The customs of one repository, by which the texts of its pull requests are written."""

    def __init__(self, random: KeyedRandom, repository: str, tree: Tree) -> None:
        self._random, self._side_of_file = random, sides_of(tree)
        self._wording = Wording(self._random, repository, tree)
        self._titles = Titles(self._random, repository, tree)
        self._bodies = Bodies(self._random, repository, tree.dependencies)

    def pick_words(self, changes: Changes) -> list[Words]:
        """Choose the words that fill the templates of each pull request."""
        return self._wording.pick(changes, self._sides(changes) == UI)

    def subjects(
        self, changes: Changes, words: list[Words], reverted_subjects: dict[int, bytes]
    ) -> list[bytes]:
        """Return the subject of each change, used in its title and in its first commit's message.

        Parameters:
          words: the words for each change, from ``pick_words``.
          reverted_subjects: the subjects of reverted pull requests, by number.
        """
        return self._titles.subjects(changes, self._sides(changes), words, reverted_subjects)

    def titles(self, changes: Changes, subjects: list[bytes]) -> list[bytes]:
        """Return the subjects, with the Jira key added if there is one."""
        return self._titles.titles(changes, subjects)

    def bodies(self, changes: Changes, words: list[Words]) -> list[bytes]:
        """Return the body of each pull request."""
        return self._bodies.bodies(changes, self._sides(changes), words)

    def messages(
        self, changes: Changes, words: list[Words], subjects: list[bytes], is_signed: Booleans
    ) -> list[bytes]:
        """Return the messages of commits; the first message in a pull request is its subject.

        Parameters:
          is_signed: for each commit, whether the pull request's AI tool signs it.
        """
        owner, position = changes.commit_owner, changes.commit_position
        templates = tuple(itertools.chain(*read("commits", "later")))
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

    def _sides(self, changes: Changes) -> Ints:
        """Return the side that each change is on: that of its first file."""
        sides: Ints = self._side_of_file[changes.touches.row[changes.touches.position == 0]]
        return sides


@functools.lru_cache(maxsize=16)  # every task of an organisation needs the same few
def writing_style(seed: int, slug: str, repository: str, tree: Tree) -> WritingStyle:
    """Return the customs of one repository of an organisation."""
    return WritingStyle(KeyedRandom(seed, slug), repository, tree)


@functools.cache
def _labels_by_kind() -> Texts:
    """Return lists of labels as JSON: kinds x choices."""
    labels = load_words()["labels"]
    return np.array([[json_text(choice).encode() for choice in labels[kind]] for kind in KINDS])
