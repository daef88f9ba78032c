"""Keep what was fetched of a repository in a file that says what it is known to contain.

A file is a sequence of gzip members, which together are lines of JSON: first a ``Header``, then the pull
requests. Of several lines about one pull request the last one holds. A file is replaced as a whole, so it is
never half written; the members of former pages are copied as they are.
"""

import contextlib
import datetime
import gzip
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tformance_seed.errors import InputError
from tformance_seed.sources.github.facts import PullRequest

#: Version of the files. Those of another version are fetched again.
VERSION = 1

#: What the names of files end in.
SUFFIX = ".jsonl.gz"

#: How well files are compressed; more takes several times as long, for a tenth less.
LEVEL = 6

#: Members from which on a complete file is written again as two, without lines that no longer hold.
MAX_MEMBERS = 200


#: What GitHub allows in the name of an owner and of a repository; the names become those of files.
OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})")
NAME = re.compile(r"(?!\.\.?/?$)[\w.-]{1,100}", re.ASCII)


class DamagedError(Exception):
    """A file is no cache, or not a whole one, or one of another version."""


class Walk(msgspec.Struct, omit_defaults=True):
    """A way through a repository's pull requests, those that changed last first, that has not ended yet.

    Parameters:
      until: it ends at the first pull request that has not changed since then.
      newest: when the first one changed.
      cursor: where the next page begins; None: at the first one.
      extends: whether it goes on below what is complete, instead of down to it.
    """

    until: datetime.datetime
    newest: datetime.datetime | None = None
    cursor: str | None = None
    extends: bool = False


class Header(msgspec.Struct, omit_defaults=True):
    """What a file is known to contain.

    Parameters:
      url: the API's address.
      owner: what the repository's owner is called.
      checked_at: when GitHub was asked last whether there is more.
      since: every pull request that changed since then is there, unless a walk down to it is unfinished.
      newest: when the one that changed last did.
      tail: the cursor behind the last pull request that is there.
      walk: the unfinished walk; None: the file is complete.
      first, nested: the size of pages that GitHub answered for.
    """

    version: int
    repository: str
    url: str = ""
    owner: str = ""
    checked_at: datetime.datetime | None = None
    since: datetime.datetime | None = None
    newest: datetime.datetime | None = None
    tail: str | None = None
    walk: Walk | None = None
    first: int = 0
    nested: int = 0


@dataclass
class Cache:
    """The file of one repository, and its content as bytes.

    Parameters:
      members: the gzip members after the header's.
    """

    path: Path
    header: Header
    members: list[bytes] = field(default_factory=list)

    @classmethod
    def empty(cls, path: Path, repository: str) -> "Cache":
        """Return the cache of a repository of which nothing is known."""
        return cls(path, Header(VERSION, repository))

    @classmethod
    def read(cls, path: Path) -> "Cache":
        """Read a file.

        Raises:
          DamagedError: it is not a whole cache of this version.
          InputError: it cannot be read.
        """
        try:
            members = list(_split(path.read_bytes()))
        except OSError as error:
            raise InputError(f"cache {path}: cannot be read: {error.strerror}") from error
        try:
            header = msgspec.json.decode(gzip.decompress(members[0]), type=Header)
        except (IndexError, OSError, EOFError, zlib.error, msgspec.DecodeError) as error:
            raise DamagedError(f"cache {path} is damaged") from error
        if header.version != VERSION:
            raise DamagedError(f"cache {path} is of another version")
        return cls(path, header, members[1:])

    @property
    def is_complete(self) -> bool:
        """Whether all is there that changed since ``header.since``."""
        walk = self.header.walk
        return self.header.since is not None and (walk is None or walk.extends)

    def add(self, pull_requests: Iterable[PullRequest]) -> None:
        """Add pull requests, in place of what was known of them; ``save`` writes them."""
        lines = [msgspec.json.encode(pull_request) + b"\n" for pull_request in pull_requests]
        if lines:
            self.members.append(_compress(b"".join(lines)))

    def lines(self) -> dict[int, bytes]:
        """Return by number the line about each pull request that is known in full.

        Pages end below the time down to which all is known; what is there of older ones is there by chance.

        Raises:
          DamagedError: there are other lines.
        """
        since = self.header.since
        return {
            number: line
            for number, (line, updated_at) in self._latest().items()
            if since is None or updated_at >= since
        }

    def _latest(self) -> dict[int, tuple[bytes, datetime.datetime]]:
        """Return by number the last line about each pull request, and when it changed."""
        found: dict[int, tuple[bytes, datetime.datetime]] = {}
        decoder = msgspec.json.Decoder(_Line)
        try:
            for member in self.members:
                for line in gzip.decompress(member).splitlines():
                    decoded = decoder.decode(line)
                    found[decoded.number] = line, decoded.updated_at
        except (OSError, EOFError, zlib.error, msgspec.DecodeError) as error:
            raise DamagedError(f"cache {self.path} is damaged") from error
        return found

    def save(self) -> None:
        """Replace the file.

        Raises:
          InputError: it cannot be written.
        """
        if self.header.walk is None and len(self.members) > MAX_MEMBERS:
            self.members = [_compress(b"".join(line + b"\n" for line, _updated in self._latest().values()))]
        head = _compress(msgspec.json.encode(self.header) + b"\n")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(prefix=f".{self.path.name}-", dir=self.path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.writelines([head, *self.members])
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
        except OSError as error:
            raise InputError(
                f"cache {self.path}: cannot be written: {error.strerror}; choose another --cache-dir"
            ) from error


class _Line(msgspec.Struct):
    number: int
    updated_at: datetime.datetime


def is_repository_name(name: str) -> bool:
    """Return whether a text is the name of a repository, owner/name, and harmless as that of a file."""
    owner, _, own = name.partition("/")
    return OWNER.fullmatch(owner) is not None and NAME.fullmatch(own) is not None


def cache_path(folder: Path, repository: str) -> Path:
    """Return the path of a repository's file, owner/name, in a folder of caches."""
    return folder / f"{repository}{SUFFIX}"


def _compress(data: bytes) -> bytes:
    return gzip.compress(data, LEVEL, mtime=0)


def _split(data: bytes) -> Iterator[bytes]:
    """Yield the members of which gzip data consist, still compressed; damaged ones too."""
    while data:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            member.decompress(data)
        except zlib.error:
            yield data
            return
        size = len(data) - len(member.unused_data)
        yield data[:size]
        data = member.unused_data
