"""Repositories of the generated source: the files they hold, and which of them a pull request touches."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.keyed_random import KeyedRandom, UInt64
from tformance_seed.sources.detection import file_category
from tformance_seed.sources.synthetic.words import template, tools, vocabulary, words

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.bytes_]

#: How many things live in an area of a repository: some of the industry's, the rest of what everyone has.
NOUNS_PER_AREA, INDUSTRY_NOUNS = 10, 4

#: How far on in the tree the next file lies that a pull request touches; each as likely. The greatest, times
#: the most files of a pull request, is less than a tree holds, so that no file comes twice.
STEPS = np.array([1, 1, 2, 3])

#: Share of pull requests whose last file is one at the root: a manifest, a workflow, the README.
TOUCHES_ROOT = 0.15


@dataclass(frozen=True)
class Tree:
    """The files of a repository: ``size`` in the order of its folders, then those at the root, then those
    that configure AI tools (in the order of ``tools("code_tools")``, which may share a file).
    """

    names: Texts
    categories: Texts
    areas: Texts  #: the area of each of the first ``size`` files
    nouns: Texts  #: what it is about
    root: int  #: how many files stand at the root
    packages: list[bytes]  #: what the repository depends on

    @property
    def size(self) -> int:
        """How many files lie in folders."""
        return len(self.areas)


def plant(profile: Profile, repository: str) -> Tree:
    """The tree of a repository; a function of its name and of the organisation."""
    random, industry = profile.random, profile.organisation.industry
    own, common = vocabulary("areas", industry)
    areas = np.array([area.encode() for area in own + common])
    areas = areas[np.argsort(random.random_bits("area", repository, np.arange(len(areas))))]
    language = _language(random, repository)
    files, about_areas = _patterns(language["files"]), _patterns(language["area"])
    names: list[bytes] = []
    places: list[tuple[bytes, bytes]] = []
    categories: list[bytes] = []
    for area, nouns in zip(areas.tolist(), _nouns(random, industry, repository, len(areas)), strict=True):
        for patterns, things in ((files, nouns), (about_areas, nouns[:1])):
            for noun in things:
                here = {b"area": area, b"noun": noun, b"Area": area.capitalize(), b"Noun": noun.capitalize()}
                names += [pattern % here for pattern in patterns]
                categories += patterns.values()
                places += [(area, noun)] * len(patterns)
    root = language["root"].split()
    others = root + [tool.file for tool in tools("code_tools")]
    names += [name.encode() for name in others]
    categories += [file_category(name).encode() for name in others]
    return Tree(
        names=np.array(names),
        categories=np.array(categories),
        areas=np.array([area for area, _ in places]),
        nouns=np.array([noun for _, noun in places]),
        root=len(root),
        packages=language["packages"].encode().split(),
    )


def homes(tree: Tree, random: KeyedRandom, key: UInt64) -> Ints:
    """Where in the tree each pull request is at home: the nearer to its front, the more often."""
    u = random.uniform("home", key)
    return np.floor(u * u * tree.size).astype(np.int64)


def touched(
    tree: Tree,
    random: KeyedRandom,
    key: UInt64,
    home: Ints,
    bot: npt.NDArray[np.bool_],
    tool: Ints,
    owner: Ints,
    place: Ints,
) -> Ints:
    """The files, as rows of the tree, that pull requests touch; none twice in one pull request.

    Parameters:
      key, home, bot: of each pull request.
      tool: of each pull request the AI tool whose configuration it touches, -1 for none.
      owner, place: of each file its pull request, and its place among the files of that (ascending).
    """
    step = STEPS[random.integers("step", key[owner], place, low=0, high=len(STEPS) - 1)]
    walked = np.cumsum(np.where(place == 0, 0, step))
    row = (home[owner] + walked - walked[np.arange(len(place)) - place]) % tree.size
    u = random.uniform("root file", key)
    last = np.append(place[1:] == 0, True)[: len(place)]
    at_root = tree.size + np.floor(u * u * tree.root).astype(np.int64)
    goes_to_root = random.chance("touches root", TOUCHES_ROOT, key)
    row = np.where(last & goes_to_root[owner], at_root[owner], row)
    row = np.where(last & (tool >= 0)[owner], (tree.size + tree.root + tool)[owner], row)
    return np.where(bot[owner], tree.size + place % tree.root, row)


def _patterns(paths: list[str]) -> dict[bytes, bytes]:
    """Templates of paths, and the category of the files that each makes: the words that are put in do not
    change it.
    """
    words_put_in = {"area": "area", "noun": "noun", "Area": "Area", "Noun": "Noun"}
    return {template(path): file_category(path.format(**words_put_in)).encode() for path in paths}


def _language(random: KeyedRandom, repository: str) -> dict[str, Any]:
    """The language that a repository's name gives away, else one drawn by the shares."""
    languages = list(words()["languages"].values())
    for part in re.split(r"[^a-z0-9]+", repository.lower().partition("/")[2]):
        for language in languages:
            if any(part.endswith(hint) for hint in language["hints"]):
                return language
    return languages[int(random.pick("language", [language["weight"] for language in languages], repository))]


def _nouns(random: KeyedRandom, industry: str, repository: str, areas: int) -> list[list[bytes]]:
    """What lives in each area, a different choice in each."""
    rank, chosen, taken = np.arange(areas)[:, None], [], 0
    for source, most in zip(vocabulary("nouns", industry), (INDUSTRY_NOUNS, NOUNS_PER_AREA), strict=True):
        order = np.argsort(
            random.random_bits(f"noun/{taken}", repository, rank, np.arange(len(source))), axis=1
        )
        nouns = np.array([noun.encode() for noun in source], dtype="S")
        chosen.append(nouns[order[:, : min(most, NOUNS_PER_AREA - taken)]])
        taken += chosen[-1].shape[1]
    return np.concatenate(chosen, axis=1).tolist()
