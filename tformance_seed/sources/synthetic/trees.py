"""The file trees of generated repositories, and the files that pull requests touch."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Ints, Texts, UInt64
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sampling.ragged import cumulative_sums
from tformance_seed.sources.detection import file_category
from tformance_seed.sources.synthetic.words import code_tools, load_words, template, vocabulary

#: Number of nouns per area of a repository, and the maximum number of them specific to the industry.
NOUNS_PER_AREA, MAX_INDUSTRY_NOUNS = 10, 4

#: Possible distances in the tree from one file of a pull request to the next, drawn with equal probability.
#: The greatest distance times the maximum number of files is less than the size of a tree, so no file is
#: repeated.
STEPS = np.array([1, 1, 2, 3])

#: Share of pull requests whose last file is at the root: a manifest, a workflow, the README.
ROOT_FILE_SHARE = 0.15


@dataclass(frozen=True)
class Tree:
    """The files of a repository.

    First come the ``size`` files in folders, then those at the root, then those that configure AI tools (in
    the order of ``code_tools()``, several of which may share a file).
    """

    names: Texts
    categories: Texts
    areas: Texts  #: the area of each of the first ``size`` files
    nouns: Texts  #: the noun that each of the first ``size`` files is about
    root: int  #: number of files at the root
    packages: list[bytes]  #: the dependencies of the repository

    @property
    def size(self) -> int:
        """The number of files in folders."""
        return len(self.areas)


def build_tree(profile: Profile, repository: str) -> Tree:
    """Return the file tree of a repository, which depends only on its name and on the organisation."""
    random, industry = profile.random, profile.organisation.industry
    own, common = vocabulary("areas", industry)
    areas = np.array([area.encode() for area in own + common])
    areas = areas[np.argsort(random.random_bits("area", repository, np.arange(len(areas))))]
    language = _language(random, repository)
    noun_patterns, area_patterns = _patterns(language["files"]), _patterns(language["area"])
    names: list[bytes] = []
    subjects: list[tuple[bytes, bytes]] = []
    categories: list[bytes] = []
    for area, nouns in zip(areas.tolist(), _nouns(random, industry, repository, len(areas)), strict=True):
        for patterns, nouns_here in ((noun_patterns, nouns), (area_patterns, nouns[:1])):
            for noun in nouns_here:
                words = {b"area": area, b"noun": noun, b"Area": area.capitalize(), b"Noun": noun.capitalize()}
                names += [pattern % words for pattern in patterns]
                categories += patterns.values()
                subjects += [(area, noun)] * len(patterns)
    root = language["root"].split()
    others = root + [tool.file for tool in code_tools()]
    names += [name.encode() for name in others]
    categories += [file_category(name).encode() for name in others]
    return Tree(
        names=np.array(names),
        categories=np.array(categories),
        areas=np.array([area for area, _ in subjects]),
        nouns=np.array([noun for _, noun in subjects]),
        root=len(root),
        packages=language["packages"].encode().split(),
    )


def pick_start(tree: Tree, random: KeyedRandom, key: UInt64) -> Ints:
    """Return the row of the tree at which each pull request starts; rows near the front are more likely."""
    u = random.uniform("home", key)
    return np.floor(u * u * tree.size).astype(np.int64)


def pick_files(
    tree: Tree,
    random: KeyedRandom,
    key: UInt64,
    start: Ints,
    is_bot: Booleans,
    tool: Ints,
    owner: Ints,
    position: Ints,
) -> Ints:
    """Choose the files that pull requests touch, as rows of the tree, without repetition in a pull request.

    Parameters:
      key, start, is_bot: for each pull request, its hash, its first row, and whether a bot opened it.
      tool: for each pull request, the AI tool whose configuration it touches; -1 for none.
      owner, position: for each file, its pull request, and its position in that pull request (ascending).
    """
    step = STEPS[random.integers("step", key[owner], position, low=0, high=len(STEPS) - 1)]
    steps = np.where(position == 0, 0, step)
    row = (start[owner] + cumulative_sums(steps, np.bincount(owner))) % tree.size
    is_last = np.append(position[1:] == 0, True)[: len(position)]
    u = random.uniform("root file", key)
    root_file = tree.size + np.floor(u * u * tree.root).astype(np.int64)
    touches_root = random.chance("touches root", ROOT_FILE_SHARE, key)
    row = np.where(is_last & touches_root[owner], root_file[owner], row)
    row = np.where(is_last & (tool >= 0)[owner], (tree.size + tree.root + tool)[owner], row)
    return np.where(is_bot[owner], tree.size + position % tree.root, row)


def _patterns(paths: list[str]) -> dict[bytes, bytes]:
    """Return path templates -> the category of their files, which does not depend on the words."""
    sample = {"area": "area", "noun": "noun", "Area": "Area", "Noun": "Noun"}
    return {template(path): file_category(path.format(**sample)).encode() for path in paths}


def _language(random: KeyedRandom, repository: str) -> dict[str, Any]:
    """Return the language that a repository's name suggests, else one drawn by weight."""
    languages: list[dict[str, Any]] = list(load_words()["languages"].values())
    for part in re.split(r"[^a-z0-9]+", repository.lower().partition("/")[2]):
        for language in languages:
            if any(part.endswith(hint) for hint in language["hints"]):
                return language
    weights = [language["weight"] for language in languages]
    return languages[int(random.pick("language", weights, repository))]


def _nouns(random: KeyedRandom, industry: str, repository: str, areas: int) -> list[list[bytes]]:
    """Choose the nouns of each area: some that are specific to the industry, then common ones."""
    rank, chosen, count = np.arange(areas)[:, None], [], 0
    limits = (MAX_INDUSTRY_NOUNS, NOUNS_PER_AREA)
    for source, limit in zip(vocabulary("nouns", industry), limits, strict=True):
        bits = random.random_bits(f"noun/{count}", repository, rank, np.arange(len(source)))
        nouns = np.array([noun.encode() for noun in source], dtype="S")
        chosen.append(nouns[np.argsort(bits, axis=1)[:, : min(limit, NOUNS_PER_AREA - count)]])
        count += chosen[-1].shape[1]
    rows: list[list[bytes]] = np.concatenate(chosen, axis=1).tolist()
    return rows
