"""The file trees of generated repositories: components in folders, and files that belong to all of them."""

import functools
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tformance_seed.catalog.languages import Language, Shares, load_languages
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Ints, Texts
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.detection import file_category
from tformance_seed.sources.synthetic.features import Feature, features_of
from tformance_seed.sources.synthetic.habits import GOLDEN_RATIO, habit
from tformance_seed.sources.synthetic.names import Name
from tformance_seed.sources.synthetic.places import Place, Places, places_of, some_of
from tformance_seed.sources.synthetic.updates import LOCK, Dependencies, find_dependencies
from tformance_seed.sources.synthetic.words import code_tools, word_list

#: Number of parts of a product that a repository has, and of components in each of them.
AREAS, COMPONENTS_PER_AREA = 15, 17

#: Share of components with two names.
TWO_NAMES_SHARE = 0.15

#: Shares of the names of components that have a word before the name of the part, and one after it, which
#: depend on the repository (minimum and maximum).
MODIFIED_SHARES, HEADED_SHARES = (0.0, 0.12), (0.0, 0.3)

#: Number of words of a part that gets no other word before it.
LONG_PART = 2

#: Where the packages of a repository with packages are, and the share of repositories with packages.
PACKAGE_FOLDERS = ("", "apps/web/", "apps/api/", "packages/ui/", "packages/core/", "apps/web/src/modules/")
PACKAGED_SHARE = 0.65

#: Where the packages are in languages that do not run in a browser, by where they would be in one that does.
SERVICE_FOLDERS = {
    "apps/web/": "services/gateway/",
    "apps/api/": "services/api/",
    "packages/ui/": "services/admin/",
    "packages/core/": "libs/core/",
    "apps/web/src/modules/": "services/api/modules/",
}


#: Files at the root of every repository, workflows, folders of documents, and files that many changes touch:
#: those of the main language's ecosystem, or else the common ones.
COMMON_ROOT_FILES = (
    "README.md",
    "CHANGELOG.md",
    "Dockerfile",
    ".gitignore",
    "CODEOWNERS",
    "docker-compose.yml",
)
WORKFLOWS = (
    *("test", "lint", "end-to-end", "docker-publish", "docs", "deploy-staging", "nightly", "stale-issues"),
    *("pull-request-title", "backport"),
)
DOCUMENT_FOLDERS = ("docs", "docs/guides", "docs/reference", "docs/self-hosting", "docs/concepts")
HOT_FILES = {
    "npm": ("packages/i18n/locales/en.json", "src/config/routes.ts"),
    "pip": ("config/settings/base.py", "locale/en/LC_MESSAGES/messages.json"),
    "gomod": ("internal/config/config.go", "api/openapi.yaml"),
    "cargo": ("openapi/openapi.json", "src/settings.rs"),
    "bundler": ("db/structure.sql", "config/routes.rb"),
    "mix": ("lib/web/router.ex", "config/runtime.exs"),
    "composer": ("routes/api.php", "lang/en/messages.json"),
}
COMMON_HOT_FILES = ("api/openapi.yaml", "locales/en.json")

#: Categories of files that people see.
FRONT = (b"frontend", b"javascript")


class Component(NamedTuple):
    """A component of the product, to which adjacent files belong: first its sources, then their tests."""

    name: Name
    part: str  #: the part of the feature that it is
    noun: bytes  #: the thing that it is about
    area: bytes
    language: str
    snake: bool  #: functions and columns in its language have underscores
    is_ui: bool
    is_docs: bool
    start: int
    sources: int
    tests: int


@dataclass(frozen=True, eq=False)  # two are the same if they are one object: caches ask for that
class Tree:
    """The files of a repository.

    First come the ``size`` files of components, then those at the root, workflows, documents, files that many
    changes touch, files in which each area lists what it has, and those that configure AI tools (in the order
    of ``code_tools()``, several of which may share a file).
    """

    repository: str
    names: Texts
    categories: Texts
    places: list[Place]  #: of the first ``size`` files
    components: list[Component]
    start: Ints  #: of each component, as are the next four
    sources: Ints
    tests: Ints
    area_of: Ints  #: a row of the areas
    is_docs: Booleans
    root: int  #: number of files that belong to no component, up to those of AI tools
    workflows: range
    documents: range
    hot: range
    indexes: range  #: one for each area, or none
    features: list[Feature]  #: of each area
    dependencies: Dependencies  #: their manifests are the first files at the root

    @cached_property
    def known(self) -> frozenset[bytes]:
        """The names of all files."""
        return frozenset(self.names.tolist())

    @cached_property
    def lock(self) -> int:
        """The row of the lock file of the first manifest, or else of that manifest."""
        return self.size + int(self.dependencies.files[0, self.dependencies.locks[0]])

    @cached_property
    def changelog(self) -> int:
        """The row of the changelog."""
        return int(np.flatnonzero(self.names == b"CHANGELOG.md")[0])

    @cached_property
    def brief(self) -> Ints:
        """The rows of files of which few lines change at a time: manifests, not their locks, and indexes."""
        names = self.dependencies.manifests
        manifests = [self.size + row for row, name in enumerate(names) if not LOCK.search(name)]
        return np.array([*manifests, *self.indexes])

    @property
    def size(self) -> int:
        """The number of files of components."""
        return len(self.places)


@dataclass
class _Draft:
    """A tree that grows."""

    names: dict[bytes, bytes] = field(default_factory=dict)  #: path -> category
    places: list[Place] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    def add(self, part: str, area: bytes, language: str, places: "Places", names: list[Name]) -> None:
        """Add the files of a component, which has the first of the names, unless they are there."""
        start = len(self.places)
        self._add_files(places.sources, names)
        after_sources = len(self.places)
        if after_sources == start:
            return
        self._add_files(places.tests, names)
        category = self.places[start].category
        self.components.append(
            Component(
                names[0],
                part,
                part.split()[-1].encode(),
                area,
                language,
                places.snake,
                category in FRONT,
                category == b"docs",
                start,
                after_sources - start,
                len(self.places) - after_sources,
            )
        )

    def _add_files(self, places: list[Place], names: list[Name]) -> None:
        for name in names:
            for place in places:
                path = place.path(name)
                if path not in self.names:
                    self.names[path] = place.category_of(path)
                    self.places.append(place)


def build_tree(profile: Profile, repository: str) -> Tree:
    """Return the file tree of a repository, which depends only on its name and on the organisation."""
    organisation = profile.organisation
    shares = organisation.languages_of(repository, profile.random)
    return _build(profile.seed, organisation.slug, organisation.industry, repository, tuple(shares.items()))


@functools.lru_cache(maxsize=64)  # every task of an organisation needs the same few
def _build(
    seed: int, slug: str, industry: str, repository: str, parts: tuple[tuple[str, float], ...]
) -> Tree:
    """Return the file tree of a repository.

    Parameters:
      parts: the shares of its languages.
    """
    random, shares = KeyedRandom(seed, slug), dict(parts)
    main = load_languages()[next(iter(shares))]
    draft = _Draft()
    features = _features(random, slug, industry, repository)
    areas = [feature.name for feature in features]
    languages = _languages(shares, len(areas) * COMPONENTS_PER_AREA)
    names = _names(random, repository, features)
    folders = _folders(random, repository, areas)
    kept = random.random_bits("kept files", repository, np.arange(len(languages))).tolist()
    for index, ((part, both), language) in enumerate(zip(names, languages, strict=True)):
        area = index // COMPONENTS_PER_AREA
        package, folder = folders[area]
        package = _package(load_languages()[language], package)
        places = some_of(places_of(language, package, folder), kept[index])
        draft.add(part, areas[area].encode(), language, places, both)
    dependencies = find_dependencies(random, repository, shares)
    return _complete(repository, draft, dependencies, main, features, folders)


def _complete(
    repository: str,
    draft: _Draft,
    dependencies: Dependencies,
    main: Language,
    features: list[Feature],
    folders: list[tuple[str, str]],
) -> Tree:
    """Add the files that belong to no component."""
    areas = [feature.name for feature in features]
    root = [*dependencies.manifests, *COMMON_ROOT_FILES, *main.root, dependencies.bot.file]
    workflows = [f".github/workflows/{name}.yml" for name in WORKFLOWS]
    documents = [
        f"{folder}/{area}.md" for folder, area in zip(DOCUMENT_FOLDERS * len(areas), areas * 2, strict=False)
    ]
    hot = HOT_FILES.get(main.ecosystem or "", COMMON_HOT_FILES)
    bounds, others, known = [], [], {name.decode() for name in draft.names}
    indexes = [
        _package(main, package) + path.replace("{area}", folder or area)
        for path in main.area[:1]
        for area, (package, folder) in zip(areas, folders, strict=True)
    ]
    for some in (root, workflows, documents, hot, indexes):
        new = [path for path in dict.fromkeys(some) if path not in known]
        known.update(new)
        others += new
        bounds.append(len(draft.places) + len(others))
    others += [tool.file for tool in code_tools()]
    categories = [*draft.names.values(), *map(_category, others)]
    columns = np.array([(each.start, each.sources, each.tests) for each in draft.components]).T
    return Tree(
        repository=repository,
        names=np.array([*draft.names, *(path.encode() for path in others)]),
        categories=np.array(categories),
        places=draft.places,
        components=draft.components,
        start=columns[0],
        sources=columns[1],
        tests=columns[2],
        area_of=np.array([areas.index(each.area.decode()) for each in draft.components]),
        is_docs=np.array([each.is_docs for each in draft.components]),
        root=bounds[-1] - len(draft.places),
        workflows=range(bounds[0], bounds[1]),
        documents=range(bounds[1], bounds[2]),
        hot=range(bounds[2], bounds[3]),
        indexes=range(bounds[3], bounds[4]),
        features=features,
        dependencies=dependencies,
    )


@functools.lru_cache(maxsize=4096)
def _category(path: str) -> bytes:
    """Return the category of a file that many repositories have."""
    return file_category(path).encode()


def _features(random: KeyedRandom, slug: str, industry: str, repository: str) -> list[Feature]:
    """Return the features of a repository in any order: those of its product, and some that many have."""
    own, common = features_of(slug, industry, repository)
    order = np.argsort(random.random_bits("feature", repository, np.arange(len(common))))
    chosen = [*own, *(common[row] for row in order.tolist())][:AREAS]
    order = np.argsort(random.random_bits("area", repository, np.arange(len(chosen))))
    return [chosen[row] for row in order.tolist()]


def _folders(random: KeyedRandom, repository: str, areas: list[str]) -> list[tuple[str, str]]:
    """Return the package that each area is in, and its folder there; empty for none of its own."""
    index = np.arange(len(areas))
    packaged = bool(random.chance("packaged", PACKAGED_SHARE, repository))
    packages = random.integers("package of area", repository, index, low=0, high=len(PACKAGE_FOLDERS) - 1)
    flat, nested = (
        random.chance(name, habit(random, repository, f"{name} folders"), repository, index).tolist()
        for name in ("flat", "nested")
    )
    outer = random.integers("outer area", repository, index, low=0, high=len(areas) - 1).tolist()
    return [
        (
            PACKAGE_FOLDERS[package] if packaged else "",
            "" if flat[row] else f"{areas[outer[row]]}/{area}" if nested[row] and outer[row] != row else area,
        )
        for row, (area, package) in enumerate(zip(areas, packages.tolist(), strict=True))
    ]


def _package(language: Language, package: str) -> str:
    """Return where files in a language are in a package."""
    return package if language.ecosystem in ("", "npm") else SERVICE_FOLDERS.get(package, package)


def _languages(shares: Shares, count: int) -> list[str]:
    """Return the language of each component.

    Multiples of the golden ratio are spread evenly: wherever one looks, languages have their shares.
    """
    points = np.arange(1, count + 1) * GOLDEN_RATIO % 1
    language = np.searchsorted(np.cumsum(list(shares.values())), points, side="right")
    names = list(shares)
    return [names[min(index, len(names) - 1)] for index in language.tolist()]


def _names(random: KeyedRandom, repository: str, features: list[Feature]) -> list[tuple[str, list[Name]]]:
    """Return the part and the names of each component; no two components of a repository share one."""
    index = np.arange(len(features) * COMPONENTS_PER_AREA)
    u = [random.uniform(f"name/{part}", repository, index).tolist() for part in range(5)]
    modifiers, heads = word_list("modifiers"), word_list("heads")
    modified, headed = (
        float(random.uniform(f"names/{part}", repository, low=low, high=high))
        for part, (low, high) in (("modified", MODIFIED_SHARES), ("headed", HEADED_SHARES))
    )
    used: set[tuple[bytes, ...]] = set()
    names = []
    for row in index.tolist():
        area, place = divmod(row, COMPONENTS_PER_AREA)
        parts = features[area].parts
        start = int(u[0][area * COMPONENTS_PER_AREA] * len(parts))
        part = parts[(start + place) % len(parts)]
        words = tuple(part.encode().split())
        is_long = len(words) >= LONG_PART
        if u[1][row] < modified and not is_long:
            words = (modifiers[int(u[1][row] / modified * len(modifiers))], *words)
        share = headed / 2 if is_long else headed
        if u[2][row] < share:
            words = (*words, heads[int(u[2][row] / share * len(heads))])
        while words in used:
            words = (*words, heads[(row + len(words)) % len(heads)])
        used.add(words)
        both = [Name(words)]
        if u[3][row] < TWO_NAMES_SHARE:
            both.append(Name((*words, heads[int(u[4][row] * len(heads))])))
        names.append((part, both))
    return names
