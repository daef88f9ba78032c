"""Dependency updates: which package a bot updates, in which files, and what it writes."""

import datetime
import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tformance_seed.catalog.languages import Shares, load_ecosystems, load_languages, load_majors
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Ints
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sources.synthetic.calendar import DAYS_PER_YEAR, FOUNDED, Calendar, RateCalendar

#: Minimum share of a language in a repository that has the manifests of its packages.
MIN_MANIFEST_SHARE = 0.05

#: Names of files that lock versions.
LOCK = re.compile(r"lock|\.sum$|\.resolved$|\.freeze$")

#: Number of packages that are updated in a repository, and the weight of workflows' actions among them (other
#: ecosystems have the weight of their languages).
PACKAGES, ACTIONS_SHARE = 20, 0.1

#: Number of minor versions of a package in a year, and the limits of the number of its patch versions. The
#: next major version comes after so many years of minor versions, unless it is 0, which may stay for good.
MINORS_PER_YEAR, PATCHES, MAJOR_YEARS = 5, (2, 14), 4

#: When packages have the major versions of the catalogue.
MAJORS_ON = datetime.date(2025, 7, 1)


class Bot(NamedTuple):
    """A dependency bot: its share of the repositories, its configuration, and the texts that it writes."""

    share: float
    file: str
    subject: bytes
    body: bytes


BOTS = (
    Bot(
        0.55,
        ".github/dependabot.yml",
        b"Bump %(package)s from %(old)s to %(new)s",
        b"Bumps %(package)s from %(old)s to %(new)s.",
    ),
    Bot(
        0.45,
        "renovate.json",
        b"chore(deps): update dependency %(package)s to v%(new)s",
        b"This PR contains the following updates:\n\n| Package | Change |\n|---|---|\n"
        b"| %(package)s | `%(old)s` -> `%(new)s` |",
    ),
)


@dataclass(frozen=True)
class Dependencies:
    """The dependencies of a repository.

    Parameters:
      manifests: the files that an update may change.
      packages: the packages.
      files: for each package, the numbers of the manifests that its update changes, the first one most often.
      locks: for each package, which of these locks versions, or else the first.
    """

    bot: Bot
    manifests: list[str]
    packages: list[bytes]
    files: Ints
    locks: Ints


def find_dependencies(random: KeyedRandom, repository: str, shares: Shares) -> Dependencies:
    """Return the dependencies of a repository with these languages."""
    ecosystems: dict[str, float] = {}
    for language, share in shares.items():
        name = load_languages()[language].ecosystem
        if name and (share >= MIN_MANIFEST_SHARE or not ecosystems):
            ecosystems[name] = ecosystems.get(name, 0) + share
    ecosystems["actions"] = ACTIONS_SHARE
    total = sum(ecosystems.values())
    manifests: list[str] = []
    packages: list[bytes] = []
    files: list[range] = []
    for name, weight in ecosystems.items():
        ecosystem = load_ecosystems()[name]
        which = random.integers("manifests", repository, low=0, high=len(ecosystem.manifests) - 1)
        own = ecosystem.manifests[int(which)]
        updated = ecosystem.packages[: max(1, round(PACKAGES * weight / total))]
        files += [range(len(manifests), len(manifests) + len(own))] * len(updated)
        packages += [package.encode() for package in updated]
        manifests += own
    bot = BOTS[int(random.pick("dependency bot", [bot.share for bot in BOTS], repository))]
    locks = [next((at for at, row in enumerate(rows) if LOCK.search(manifests[row])), 0) for rows in files]
    return Dependencies(bot, manifests, packages, np.array(files), np.array(locks))


@dataclass(frozen=True)
class Updates:
    """The updates in pull requests: of each, the package, -1 where there is none, and which update it is.

    Parameters:
      update: the number of earlier updates of the package.
      on_date: the number of such updates by ``MAJORS_ON``.
      patches: the number of patch versions of a minor version.
    """

    package: Ints
    update: Ints
    on_date: int
    patches: int

    def texts(self, rows: Ints, dependencies: Dependencies, template: bytes) -> list[bytes]:
        """Return a text about the update in each of some pull requests."""
        texts = []
        for package, update in zip(self.package[rows].tolist(), self.update[rows].tolist(), strict=True):
            name = dependencies.packages[package]
            old, new = (self._version(name, update + after) for after in (0, 1))
            texts.append(template % {b"package": name, b"old": old, b"new": new})
        return texts

    def _version(self, package: bytes, update: int) -> bytes:
        """Return the version of a package after so many updates, each the next patch or minor version."""
        major = load_majors().get(package.decode(), 1)
        if major:
            later, update = divmod(update - self.on_date, self.patches * MINORS_PER_YEAR * MAJOR_YEARS)
            major = max(0, major + later)
        return b"%d.%d.%d" % (major, *divmod(update, self.patches))


def pick_updates(
    dependencies: Dependencies,
    profile: Profile,
    calendar: Calendar,
    repository: str,
    numbers: Ints,
    is_bot: Booleans,
) -> Updates:
    """Choose the package that each pull request of a bot updates.

    In each round every package is updated once, in a different order, and advances by one version, whether or
    not the update is in the window.

    Parameters:
      numbers, is_bot: for each pull request, its number, and whether a bot opened it.
    """
    random, count = profile.random, len(dependencies.packages)
    round_, position = np.divmod(numbers[is_bot], count)
    bits = random.random_bits("package", repository, round_[:, None], np.arange(count))
    chosen = np.argsort(bits, axis=1)[np.arange(len(round_)), position]
    first = random.integers("version", repository, chosen, low=0, high=40)
    package, update = np.full((2, len(numbers)), -1)
    package[is_bot], update[is_bot] = chosen, first + round_
    rate = calendar.rate / count if isinstance(calendar, RateCalendar) else 0.0
    patches = int(np.clip(round(rate * DAYS_PER_YEAR / MINORS_PER_YEAR), *PATCHES))
    return Updates(package, update, int(rate * (MAJORS_ON - FOUNDED).days), patches)
