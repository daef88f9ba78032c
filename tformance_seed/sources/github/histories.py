"""Find the caches of an organisation in a folder, and read them, whoever wrote them."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from tformance_seed.errors import InputError
from tformance_seed.sources.github import old_cache
from tformance_seed.sources.github.cache import SUFFIX, Cache, DamagedError, is_repository_name
from tformance_seed.sources.records import OPTIONAL_TABLES


@dataclass(frozen=True)
class History:
    """What is known of one repository.

    Parameters:
      path: the file that it was read from.
      owner: what its owner is called; empty if unknown.
      since: nothing older is known in full; None: unknown.
      until: nothing newer is known; None: unknown.
      pull_requests: number -> the pull request, as ``facts`` encoded as JSON.
      warnings: what the user should hear about it, one line each.
      observes: the optional tables of the record of which all is known.
    """

    path: Path
    repository: str
    owner: str
    since: datetime.datetime | None
    until: datetime.datetime | None
    pull_requests: dict[int, bytes] = field(repr=False)
    warnings: tuple[str, ...] = ()
    observes: frozenset[str] = frozenset(OPTIONAL_TABLES)


def of_cache(cache: Cache) -> History:
    """Return the history in a cache.

    Raises:
      DamagedError: its lines are damaged.
      InputError: a fetch broke off, so that it is not known what is missing.
    """
    header = cache.header
    if not cache.is_complete:
        raise InputError(
            f"cache {cache.path} is incomplete: its last fetch broke off; go on with: "
            f"tformance-seed seed --source github {header.repository.partition('/')[0]}"
        )
    return History(
        cache.path, header.repository, header.owner, header.since, header.checked_at, cache.lines()
    )


def read_history(path: Path, repository: str) -> History:
    """Read a cache of this package, or one of the former seeder.

    Parameters:
      repository: its repository, if the file does not say.

    Raises:
      DamagedError: nothing in it can be used.
      InputError: it cannot be read, or is incomplete.
    """
    if path.name.endswith(SUFFIX):
        return of_cache(Cache.read(path))
    old = old_cache.read_old_cache(path, repository)
    lines = {number: msgspec.json.encode(each) for number, each in sorted(old.pull_requests.items())}
    newest = max((each.updated_at for each in old.pull_requests.values()), default=None)
    return History(
        path,
        old.repository,
        "",
        old.since,
        old.fetched_at or newest,
        lines,
        (old.warning,) if old.warning else (),
        old.observes,
    )


def find_caches(folder: Path, owner: str, repositories: Sequence[str]) -> dict[str, Path]:
    """Return the caches of an organisation by repository; those of the former seeder where there is no other.

    Parameters:
      owner: the owner of all repositories that are wanted, whatever its case.
      repositories: the ones that are wanted instead, if any are named.

    Raises:
      InputError: the folder cannot be read, or there is none of them in it.
    """
    wanted = {name.lower() for name in repositories}
    owners = {name.partition("/")[0].lower() for name in repositories} or {owner.lower()}
    found: dict[str, dict[str, Path]] = {SUFFIX: {}, old_cache.SUFFIX: {}}
    try:
        for each in sorted(folder.iterdir()):
            if each.name.lower() not in owners or not each.is_dir():
                continue
            for suffix, caches in found.items():
                for path in sorted(each.glob(f"*{suffix}")):
                    name = f"{each.name}/{path.name.removesuffix(suffix)}"
                    if is_repository_name(name) and (not wanted or name.lower() in wanted):
                        caches[name] = path
    except OSError as error:
        raise InputError(f"--cache-dir {folder}: cannot be read: {error.strerror}") from error
    own = {name.lower() for name in found[SUFFIX]}
    former = {name: path for name, path in found[old_cache.SUFFIX].items() if name.lower() not in own}
    if not own and not former:
        raise InputError(
            f"{owner}: no cache of its repositories in {folder}; fetch them with: tformance-seed seed "
            f"--source github {owner}, or name the folder of the caches with --cache-dir"
        )
    return former | found[SUFFIX]


def read_histories(caches: dict[str, Path]) -> list[History]:
    """Read caches; a warning with one of them says which others are left out.

    Those are the damaged ones, and all but the newest, or fullest, of one repository; GitHub ignores the case
    of names.

    Raises:
      InputError: one of them cannot be read or is incomplete, or all are damaged.
    """
    histories: dict[str, History] = {}
    left_out: list[str] = []
    for repository, path in caches.items():
        try:
            history = read_history(path, repository)
        except DamagedError as error:
            left_out.append(f"{error}; it is left out")
            continue
        name = history.repository.lower()
        older, newer = sorted((histories.get(name, history), history), key=_extent)
        histories[name] = newer
        if older is not newer:
            left_out.append(f"cache {older.path} is left out: {newer.path} is of the same repository")
    if not histories:
        raise InputError("; ".join(left_out))
    first, *others = histories.values()
    return [replace(first, warnings=(*first.warnings, *left_out)), *others]


def _extent(history: History) -> tuple[datetime.datetime, int]:
    """Return how far a history goes, and how much is in it."""
    return history.until or datetime.datetime.min.replace(tzinfo=datetime.UTC), len(history.pull_requests)
