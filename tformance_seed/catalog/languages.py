"""Programming languages: the files, packages and conventions that go with each, and those of a repository."""

import functools
import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it imports NumPy, which takes longer than reading a catalogue
    from tformance_seed.sampling.keyed_random import KeyedRandom

#: The file with the languages.
LANGUAGES_FILE = Path(__file__).with_name("languages.toml")

#: Language -> its share of a repository.
Shares = Mapping[str, float]


@dataclass(frozen=True)
class Ecosystem:
    """An ecosystem of packages.

    Parameters:
      manifests: sets of files that a dependency bot changes; a repository has one of the sets.
      packages: packages that it updates.
    """

    manifests: list[list[str]]
    packages: list[str]


@dataclass(frozen=True)
class Language:
    """A language.

    Parameters:
      files: patterns of the paths of files about a noun in an area.
      area: patterns of the paths of files for each area, in repositories whose main language it is.
      root: files at the root of such repositories.
      ecosystem: the name of the ecosystem of its packages; empty if it has none.
    """

    files: list[str]
    area: list[str]
    root: list[str]
    ecosystem: str


@functools.cache
def _document() -> dict[str, Any]:
    return tomllib.loads(LANGUAGES_FILE.read_text("utf-8"))


@functools.cache
def load_ecosystems() -> dict[str, Ecosystem]:
    """Return the ecosystems by name."""
    return {
        name: Ecosystem(entry["manifests"], entry["packages"].split())
        for name, entry in _document()["ecosystems"].items()
    }


@functools.cache
def load_majors() -> dict[str, int]:
    """Return the major versions of packages in the middle of 2025; those that are left out have 1."""
    majors: dict[str, int] = _document()["majors"]
    return majors


@functools.cache
def load_languages() -> dict[str, Language]:
    """Return the languages by name."""
    return {
        name: Language(
            entry["files"], entry.get("area", []), entry.get("root", []), entry.get("ecosystem", "")
        )
        for name, entry in _document()["languages"].items()
    }


def found_languages(filenames: Iterable[str]) -> Shares:
    """Return the languages of files by their number.

    Only languages with packages and an ending of their own count, not Dockerfile or CSS.
    """
    by_suffix: dict[str, str] = {}
    for name, language in load_languages().items():
        suffixes = [PurePosixPath(pattern).suffix for pattern in language.files]
        if language.ecosystem and suffixes[0]:
            by_suffix = dict.fromkeys(suffixes, name) | by_suffix
    found = Counter(by_suffix.get(PurePosixPath(filename).suffix, "") for filename in filenames)
    return {language: float(count) for language, count in found.items() if language}


def usual_languages(random: "KeyedRandom", repository: str) -> Shares:
    """Return the languages that a repository's name suggests, else some drawn by weight."""
    usual: list[dict[str, Any]] = _document()["usual"]
    for part in re.split(r"[^a-z0-9]+", repository.lower().rpartition("/")[2]):
        for entry in usual:
            if any(part.endswith(hint) for hint in entry["hints"]):
                return normalised(entry["languages"])
    drawn = random.pick("language", [entry["weight"] for entry in usual], repository)
    return normalised(usual[int(drawn)]["languages"])


def normalised(shares: Shares) -> dict[str, float]:
    """Return shares whose sum is 1, the greatest first."""
    total = math.fsum(shares.values())  # the same in any order
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return {language: share / total for language, share in ordered}
