"""The Python API, as ``import tformance_seed`` offers it."""

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

import peewee

from tformance_seed.commands import seed as seeding
from tformance_seed.commands.maintain import Verified, verify_teams
from tformance_seed.commands.seed import Outcome, Progress
from tformance_seed.errors import InputError
from tformance_seed.planning.request import Options, Request
from tformance_seed.settings import DEFAULT_SEED
from tformance_seed.storage import connection


def connect(url: str) -> peewee.Database:
    """Open a database.

    Close it with ``database.close()`` when it is no longer needed. Each thread that uses it gets a connection
    of its own.

    Parameters:
      url: ``sqlite:///file``, ``postgresql://user:password@host/name``, or ``embedded:///folder`` for a
        private PostgreSQL that is kept in a folder. Three slashes begin a relative path, four an absolute
        one.

    Raises:
      InputError: The URL is malformed, or the database refuses (a wrong password or name, for example). The
        message holds no password.
      UnavailableError: The server does not answer.
    """
    return connection.connect(url)


def seed(
    database: peewee.Database | str,
    *organisations: str,
    everything: bool = False,
    days: int | None = None,
    until: datetime.date | str | None = None,
    members: int | None = None,
    prs: int | None = None,
    adoption: float | None = None,
    scenario: str | None = None,
    source: str | None = None,
    repositories: Sequence[Path | str] = (),
    emails: bool = False,
    seed: int = DEFAULT_SEED,
    catalog: Path | str | None = None,
    clear: bool = False,
    adopt: bool = False,
    wait: bool = False,
    chunk_size: int | None = None,
    broker: str | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Fill a database with organisations; called again, change nothing.

    Parameters:
      database: What ``connect`` returns, or a URL as it accepts. An empty database gets its tables first.
      organisations: Slugs of the catalogue; by default one organisation of modest size. With
        ``repositories``, any one slug.
      everything: Seed every organisation of the catalogue.
      days: Length of the window in days; by default 90.
      until: Last day of the window, a date or text such as ``"2026-03-18"``; by default today, or for an old
        clone its last commit. Name one if the content must be the same tomorrow.
      members: People in each organisation.
      prs: Pull requests of each organisation, exactly.
      adoption: Share of people who use AI tools, 0 to 1.
      scenario: Name of a scenario: eight weeks of a small team that show one effect, such as AI paying off.
      source: Where pull requests come from: ``"synthetic"`` or ``"git"``.
      repositories: Paths of git clones.
      emails: Keep the real addresses of a clone.
      seed: A different number gives different data.
      catalog: Path of your own catalogue, a TOML file.
      clear: Remove what was seeded for these organisations first.
      adopt: Seed into a team which this package did not create.
      wait: Wait for another run on the same organisation instead of leaving it out.
      chunk_size: Rows of a statement and transaction.
      broker: URL of the workers' broker; by default this process does the work.
      progress: A function that is called a few times a second with the status of the run, an object with
        ``state`` (``"running"``, ``"finished"``, ``"failed"``, ``"cancelled"`` or ``"superseded"``),
        ``seconds``, ``seconds_left`` (an estimate, or None), ``rows_written``, ``rows_unchanged`` and
        ``rows_per_second``.

    Returns:
      What was written for each organisation that was seeded, and the reason for each one that failed. One
        failure does not stop the others.

    Raises:
      InputError: The input is wrong, or the database cannot be seeded; nothing was written.
      UnavailableError: The database or the broker does not answer; nothing was written.
      SeedError: The run failed. What was committed is safe, and the same call resumes it.
    """
    request = Request(
        organisations=organisations,
        everything=everything,
        source=source,
        repositories=[Path(path) for path in repositories],
        days=days,
        until=_date(until),
        members=members,
        prs=prs,
        adoption=adoption,
        scenario=scenario,
        seed=seed,
        emails=emails,
        catalog=None if catalog is None else Path(catalog),
        options=Options(chunk_size=chunk_size, adopt=adopt, clear=clear, wait=wait),
    )
    with _opened(database) as opened:
        return seeding.seed(opened, request, broker=broker, progress=progress)


def verify(database: peewee.Database | str, *organisations: str) -> list[Verified]:
    """Check that seeded data agrees with itself, and compute digests of its content.

    Parameters:
      database: What ``connect`` returns, or a URL as it accepts.
      organisations: Slugs; by default every organisation that was seeded.

    Returns:
      For each organisation a digest of its content, row counts and digests by table, and violated invariants.

    Raises:
      InputError: There is no such organisation, or nothing was seeded; the URL is malformed, or the database
        refuses.
      UnavailableError: The database does not answer.
    """
    with _opened(database) as opened:
        return verify_teams(opened, organisations)


@contextlib.contextmanager
def _opened(database: peewee.Database | str) -> Iterator[peewee.Database]:
    """Open the database that a URL names, and close it afterwards; leave one that is open as it is."""
    if not isinstance(database, str):
        yield database
        return
    opened = connect(database)
    try:
        yield opened
    finally:
        opened.close()


def _date(value: datetime.date | str | None) -> datetime.date | None:
    if not isinstance(value, str):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except ValueError as error:
        raise InputError(f"until {value}: no such day; expected one such as 2026-01-31") from error
