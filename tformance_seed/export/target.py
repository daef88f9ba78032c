"""Write an export completely or not at all, and replace nothing but an export."""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from tformance_seed.errors import InputError, SeedError

#: The file of a folder that says what is in it, which makes the folder an export.
MANIFEST = "export.json"

#: How the file of an export in SQL begins.
HEADING = "-- tformance_seed export"

#: How the name of an export begins until all of it is written.
PREFIX = ".tformance-seed-export-"


def check_target(path: Path, *, is_folder: bool, replace: bool) -> None:
    """Check that an export can be written.

    Raises:
      InputError: there is something else, or an export that is not to be replaced, or it cannot be written.
    """
    parent = path.resolve().parent
    if not parent.is_dir():
        raise InputError(f"--to {path}: there is no folder {parent}")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(f"--to {path}: nothing can be written to the folder {parent}")
    try:
        path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"--to {path}: {error.strerror}; name another place") from error
    kind = "folder" if is_folder else "file"
    if is_folder and path.resolve() == Path.cwd():
        raise InputError(f"--to {path}: is the folder that you are in; name a new one")
    if path.is_dir() != is_folder or not (path.is_dir() or path.is_file()):
        raise InputError(f"--to {path}: is not a {kind}; name a new one")
    if is_folder and not any(path.iterdir()):
        return
    if not (_is_export_folder(path) if is_folder else _is_export_file(path)):
        raise InputError(f"--to {path}: holds something other than an export; name a new {kind}")
    if not replace:
        raise InputError(f"--to {path}: holds an export already; --replace replaces it")


def _is_export_folder(path: Path) -> bool:
    """Return whether a folder is an export and holds nothing besides its files."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        files = {table["file"] for table in manifest["tables"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return {each.name for each in path.iterdir()} <= {MANIFEST, *files}


def _is_export_file(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(HEADING)) == HEADING.encode()
    except OSError:
        return False


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a folder that takes the place of ``path`` when all is written; otherwise nothing is left of it.

    Raises:
      SeedError: it could not be written.
    """
    with _partial(path, shutil.rmtree) as partial:
        partial.mkdir()
        yield partial
        target = path.resolve()
        if target.exists():
            old = _beside(path)
            target.rename(old)
            partial.rename(target)
            shutil.rmtree(old)
        else:
            partial.rename(target)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield a file that takes the place of ``path`` when all is written; otherwise nothing is left of it.

    Raises:
      SeedError: it could not be written.
    """
    with _partial(path, Path.unlink) as partial:
        yield partial
        partial.replace(path.resolve())


@contextlib.contextmanager
def _partial(path: Path, remove: Callable[[Path], None]) -> Iterator[Path]:
    partial = _beside(path)
    try:
        yield partial
    except OSError as error:
        raise SeedError(f"--to {path}: {error.strerror or error}; nothing was written there") from error
    finally:
        if partial.exists():
            with contextlib.suppress(OSError):
                remove(partial)


def _beside(path: Path) -> Path:
    """Return a new name in the folder of what is there or linked to, so that renaming moves no data."""
    return path.resolve().with_name(f"{PREFIX}{uuid.uuid4().hex}")
