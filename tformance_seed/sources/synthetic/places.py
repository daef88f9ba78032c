"""Where the files about a thing are, in the conventions of a language."""

import functools
from typing import NamedTuple

from tformance_seed.catalog.languages import load_languages
from tformance_seed.sources.detection import file_category
from tformance_seed.sources.detection.files import SCRIPT_EXTENSIONS
from tformance_seed.sources.synthetic.names import Name

#: Share of the files about a noun in its language that a component has; one of its sources at least.
KEPT_SHARE = 0.7

#: Extensions of files whose names have underscores between words; the others have hyphens.
SNAKE_CASE = (
    *(".py", ".rb", ".go", ".rs", ".ex", ".exs", ".c", ".h", ".cpp", ".hpp", ".sql", ".tf", ".dart"),
    *(".proto", ".ipynb", ".erb", ".clj", ".cljs"),
)


class Place(NamedTuple):
    """Where files about a thing are: the text before and after its name, its form, and their category."""

    before: bytes
    style: str  #: an attribute of ``Name``: pascal, snake, kebab
    after: bytes
    category: bytes
    varies: bool  #: the category depends on what the file is about

    def path(self, name: Name) -> bytes:
        """Return the path of the file about a thing."""
        path: bytes = self.before + getattr(name, self.style) + self.after
        return path

    def category_of(self, path: bytes) -> bytes:
        """Return the category of a file that is there."""
        return file_category(path.decode()).encode() if self.varies else self.category


class Places(NamedTuple):
    """Where the files of a component are."""

    sources: list[Place]  #: at least one
    tests: list[Place]
    snake: bool


@functools.lru_cache(maxsize=4096)
def places_of(language: str, package: str, area: str) -> Places:
    """Return where files in a language are, in a folder of a package."""
    paths = load_languages()[language].files
    places = [_place(path, package, area) for path in paths]
    tests = [place for place in places if place.category == b"test"]
    sources = [place for place in places if place.category != b"test"]
    return Places(sources, tests, paths[0].endswith(SNAKE_CASE))


def some_of(places: Places, bits: int) -> Places:
    """Return the places of a component that random bits choose, one of sources at least."""
    count = len(places.sources)
    bits, first = divmod(bits, 256)

    def is_kept(share: float) -> bool:
        nonlocal bits
        bits, byte = divmod(bits, 256)
        return byte < share * 256

    # With the one that is kept anyhow, sources are kept as often as tests.
    others = (KEPT_SHARE * count - 1) / max(1, count - 1)
    sources = [
        place for index, place in enumerate(places.sources) if is_kept(others) or index == first % count
    ]
    return places._replace(sources=sources, tests=[place for place in places.tests if is_kept(KEPT_SHARE)])


def _in_area(path: str, area: str) -> str:
    """Return a path in the folder of an area, or without such a folder."""
    if not area:
        path = path.replace("{area}/", "").replace("{Area}/", "")
    return path.replace("{area}", area).replace("{Area}", area.title())


def _place(path: str, package: str, area: str) -> Place:
    mark = "{Noun}" if "{Noun}" in path else "{noun}"
    style = "pascal" if mark == "{Noun}" else "snake" if path.endswith(SNAKE_CASE) else "kebab"
    before, after = path.split(mark)
    before = package + _in_area(before, area)
    category = file_category(f"{before}x{after}").encode()
    varies = "/" in after and after.endswith(tuple(SCRIPT_EXTENSIONS))  # the name of a folder may say more
    return Place(before.encode(), style, after.encode(), category, varies)
