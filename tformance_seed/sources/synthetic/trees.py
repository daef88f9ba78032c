"""The file trees of generated repositories, and the files that pull requests touch."""

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from tformance_seed.catalog.languages import Shares, load_languages
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Ints, Texts, UInt64
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sampling.ragged import cumulative_sums
from tformance_seed.sources.detection import file_category
from tformance_seed.sources.detection.files import SCRIPT_EXTENSIONS
from tformance_seed.sources.synthetic.updates import Dependencies, find_dependencies
from tformance_seed.sources.synthetic.words import code_tools, template, vocabulary

#: Number of nouns per area of a repository, and the maximum number of them specific to the industry.
NOUNS_PER_AREA, MAX_INDUSTRY_NOUNS = 10, 4

#: Possible distances in the tree from one file of a pull request to the next, drawn with equal probability.
#: The greatest distance times the maximum number of files is less than the size of a tree, so no file is
#: repeated.
STEPS = np.array([1, 1, 2, 3])

#: Share of pull requests whose last file is at the root: a manifest, a workflow, the README.
ROOT_FILE_SHARE = 0.15


#: Number of files about each noun, and the spacing of the points that choose their languages.
FILES_PER_NOUN, GOLDEN_RATIO = 6, (5**0.5 - 1) / 2

#: Files at the root of every repository.
COMMON_ROOT_FILES = ("README.md", "CHANGELOG.md", "Dockerfile")


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
    dependencies: Dependencies  #: their manifests are the first files at the root

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
    shares = profile.organisation.languages_of(repository, random)
    main = load_languages()[next(iter(shares))]
    area_patterns = ["docs/{area}.md", *main.area]
    noun_patterns = iter(_noun_patterns(shares, len(areas) * NOUNS_PER_AREA))
    names: list[bytes] = []
    subjects: list[tuple[bytes, bytes]] = []
    categories: list[bytes] = []
    for area, nouns in zip(areas.tolist(), _nouns(random, industry, repository, len(areas)), strict=True):
        for noun, paths in [*zip(nouns, noun_patterns, strict=False), (nouns[0], area_patterns)]:
            words = {b"area": area, b"noun": noun, b"Area": area.capitalize(), b"Noun": noun.capitalize()}
            patterns = [_pattern(path) for path in paths]
            named = [path % words for path, _ in patterns]
            names += named
            categories += [
                category or file_category(name.decode()).encode()
                for name, (_, category) in zip(named, patterns, strict=True)
            ]
            subjects += [(area, noun)] * len(patterns)
    dependencies = find_dependencies(random, repository, shares)
    root = list(
        dict.fromkeys([*dependencies.manifests, *COMMON_ROOT_FILES, *main.root, dependencies.bot.file])
    )
    others = root + [tool.file for tool in code_tools()]
    names += [name.encode() for name in others]
    categories += [file_category(name).encode() for name in others]
    return Tree(
        names=np.array(names),
        categories=np.array(categories),
        areas=np.array([area for area, _ in subjects]),
        nouns=np.array([noun for _, noun in subjects]),
        root=len(root),
        dependencies=dependencies,
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
    package: Ints,
    tool: Ints,
    owner: Ints,
    position: Ints,
) -> Ints:
    """Choose the files that pull requests touch, as rows of the tree, without repetition in a pull request.

    Parameters:
      key, start: for each pull request, its hash and its first row.
      package: for each pull request, the package that a bot updates in it; -1 if a person opened it.
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
    manifests = tree.dependencies.files
    updated = tree.size + manifests[package[owner], position % manifests.shape[1]]
    return np.where((package >= 0)[owner], updated, row)


@functools.cache
def _pattern(path: str) -> tuple[bytes, bytes]:
    """Return the template of a path, and the category of its files; empty if that depends on the words."""
    if path.endswith(tuple(SCRIPT_EXTENSIONS)):
        return template(path), b""
    sample = {"area": "area", "noun": "noun", "Area": "Area", "Noun": "Noun"}
    return template(path), file_category(path.format(**sample)).encode()


def _noun_patterns(shares: Shares, nouns: int) -> list[list[str]]:
    """Return the patterns of the files about each noun, ``FILES_PER_NOUN`` in number.

    Multiples of the golden ratio are spread evenly, so that wherever one looks, the languages have their
    shares of the files. Each language takes its patterns in turn.
    """
    points = np.arange(1, nouns * FILES_PER_NOUN + 1) * GOLDEN_RATIO % 1
    language = np.searchsorted(np.cumsum(list(shares.values())), points, side="right")
    in_turn = [itertools.cycle(load_languages()[name].files) for name in shares]
    paths = [next(in_turn[min(index, len(in_turn) - 1)]) for index in language.tolist()]
    return [paths[first : first + FILES_PER_NOUN] for first in range(0, len(paths), FILES_PER_NOUN)]


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
