"""The Python API that ``import tformance_seed`` offers."""

import contextlib
import datetime
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import peewee

from tformance_seed.commands import seed as seeding
from tformance_seed.commands.maintain import Verified, verify_teams
from tformance_seed.commands.seed import Outcome
from tformance_seed.commands.watch import Progress
from tformance_seed.errors import InputError
from tformance_seed.planning.access import Access
from tformance_seed.planning.request import OPTION_NAMES, Options, Request
from tformance_seed.settings import DEFAULT_LOGIN, DEFAULT_PASSWORD, DEFAULT_SEED, GENERATED
from tformance_seed.sources.request import FetchListener
from tformance_seed.storage import connection

log = logging.getLogger(__name__)

#: An option of the command line at the beginning of a word.
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")

#: Option -> parameter of ``seed``, if it is not the same word.
_PARAMETERS = {option: name for name, option in OPTION_NAMES.items()} | {"all": "everything"}


def connect(url: str) -> peewee.Database:
    """Open a database.

    Close it with ``database.close()`` when it is no longer needed. Each thread that uses it gets its own
    connection.

    Parameters:
      url: ``sqlite:///file``, ``postgresql://user:password@host/name``, or ``embedded:///folder`` for a
        private PostgreSQL server kept in a folder. A relative path begins after three slashes, an absolute
        path after four.

    Raises:
      InputError: The URL is malformed, or the database refuses the connection (because of a wrong password or
        name, for example). The message contains no password.
      UnavailableError: The server does not answer.
    """
    return connection.connect(url)


def seed(
    database: peewee.Database | str,
    *organisations: str,
    everything: bool = False,
    days: int | None = None,
    until: datetime.date | str | None = None,
    shift_to: datetime.date | str | None = None,
    members: int | None = None,
    prs: int | None = None,
    adoption: float | None = None,
    scenario: str | None = None,
    scale: str | None = None,
    source: str | None = None,
    repositories: Sequence[Path | str] = (),
    emails: bool = False,
    members_from: str | None = None,
    cache_dir: Path | str | None = None,
    refresh: bool = False,
    offline: bool = False,
    seed: int = DEFAULT_SEED,
    catalog: Path | str | None = None,
    clear: bool = False,
    adopt: bool = False,
    slug: str | None = None,
    login: str | None = DEFAULT_LOGIN,
    password: str = DEFAULT_PASSWORD,
    integrations: Sequence[str] = (),
    complete_onboarding: bool = False,
    wait: bool = False,
    chunk_size: int | None = None,
    summaries: str = GENERATED,
    max_tokens: int | None = None,
    broker: str | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Fill a database with organisations. Seeding the same content again changes nothing.

    Parameters:
      database: A database from ``connect``, or a URL that it accepts. If the database is empty, its
        tables are created first.
      organisations: Slugs from the catalogue; by default one organisation of modest size. With
        ``repositories``, a single slug of your choice; with the source ``"github"``, also an organisation
        there.
      everything: Seed every organisation of the catalogue.
      days: Length of the window in days; by default 90.
      until: Last day of the window, a date or text such as ``"2026-03-18"``; by default yesterday, or for a
        clone the day of its last commit. Give a date if a call on another day must produce the same content.
      shift_to: Move the history of a clone by whole weeks, so that its window ends in the week up to this
        day.
      members: Number of people in each organisation.
      prs: Exact number of pull requests in each organisation.
      adoption: Share of people who use AI tools, from 0 to 1.
      scenario: Name of a scenario: eight weeks of a small team that show one effect, such as AI paying off.
      scale: ``"document"`` gives each organisation its share of the application's own database: with
        ``everything``, 51,465 pull requests and 1.3 million rows of AI usage in the 90 days up to 2026-03-18.
      source: The source of the pull requests: ``"synthetic"``, ``"git"``, ``"github"`` or ``"cache"``.
      repositories: Paths of git clones.
      emails: Keep the real email addresses of commits.
      members_from: Who is a member of an organisation on GitHub: ``"authors,reviewers"`` (the default), one
        of these, or ``"all"``: everybody who commented, too.
      cache_dir: Folder in which what is fetched from GitHub is kept.
      refresh: Fetch everything from GitHub again.
      offline: Take what was fetched from GitHub before.
      seed: A different number gives different data.
      catalog: Path of your own catalogue, a TOML file.
      clear: First remove what was seeded for these organisations.
      adopt: Seed into a team that this package did not create.
      slug: The slug of the organisation's team in the application; by default the application's own, such as
        ``"polar-demo"`` for ``"polar"``.
      login: Address of the user who becomes an admin of each team that is made, where the database has the
        application's tables for it. A user who exists is used and never changed. None: nobody.
      password: Password of that user, if a new one is made.
      integrations: ``["jira"]`` connects the teams to a Jira site that does not exist; the application's
        nightly jobs would call it.
      complete_onboarding: End the onboarding of adopted teams.
      wait: Wait for another run on the same organisation to end, instead of leaving the organisation out; and
        for GitHub's rate limits, instead of stopping.
      chunk_size: Maximum number of rows per statement; also limits the size of transactions.
      summaries: Who writes the summaries of pull requests: the name of a language model, which is reached at
        ``TFORMANCE_LLM_URL``; by default they are generated.
      max_tokens: How many tokens all requests to the language model may spend together.
      broker: URL of the workers' broker; by default this process does the work.
      progress: A function that is called a few times per second with the status of the run, an object with
        ``state`` (``"running"``, ``"finished"``, ``"failed"``, ``"cancelled"`` or ``"superseded"``),
        ``seconds``, ``seconds_left`` (an estimate, or None), ``rows_written``, ``rows_unchanged`` and
        ``rows_per_second``.

    Returns:
      What was written for each organisation that was seeded, and the reason for each one that failed. One
        failure does not stop the others.

    Raises:
      InputError: The input is invalid, or the database cannot be seeded; nothing was written.
      UnavailableError: The database or the broker does not answer; nothing was written.
      SeedError: The run failed. What was committed is safe, and the same call resumes it.
    """
    _check_slugs(organisations)
    access = Access(login, password, tuple(integrations), complete_onboarding)
    request = Request(
        organisations=organisations,
        everything=everything,
        source=source,
        repositories=[Path(path) for path in repositories],
        days=days,
        until=_date("until", until),
        shift_to=_date("shift_to", shift_to),
        members=members,
        prs=prs,
        adoption=adoption,
        scenario=scenario,
        scale=scale,
        seed=seed,
        emails=emails,
        catalog=None if catalog is None else Path(catalog),
        members_from=members_from,
        cache_dir=None if cache_dir is None else Path(cache_dir),
        refresh=refresh,
        offline=offline,
        patient=wait,
        listener=FetchListener(say=log.info),
        options=Options(
            chunk_size=chunk_size,
            adopt=adopt,
            clear=clear,
            slug=slug,
            wait=wait,
            access=access,
            summaries=summaries,
            max_tokens=max_tokens,
        ),
    )
    with _opened(database) as opened, _in_terms_of_python():
        planned = seeding.plan(request, broker=broker)
        return seeding.seed(opened, request, planned, broker=broker, progress=progress)


def verify(database: peewee.Database | str, *organisations: str) -> list[Verified]:
    """Check that seeded data is consistent, and compute digests of its content.

    Parameters:
      database: A database from ``connect``, or a URL that it accepts.
      organisations: Slugs; by default every organisation that was seeded.

    Returns:
      For each organisation: a digest of its content, row counts and digests by table, and violated rules.

    Raises:
      InputError: An organisation does not exist, nothing was seeded, the URL is malformed, or the database
        refuses the connection.
      UnavailableError: The database does not answer.
    """
    _check_slugs(organisations)
    with _opened(database) as opened:
        return verify_teams(opened, organisations)


@contextlib.contextmanager
def _opened(database: peewee.Database | str) -> Iterator[peewee.Database]:
    """Open the database at a URL and close it afterwards; leave a database that was passed in open."""
    if isinstance(database, peewee.Database):
        yield database
        return
    if not isinstance(database, str):
        raise TypeError(f"database: expected a URL or what connect() returns, not {type(database).__name__}")
    opened = connect(database)
    try:
        yield opened
    finally:
        opened.close()


def _check_slugs(organisations: Sequence[object]) -> None:
    for slug in organisations:
        if not isinstance(slug, str):
            raise TypeError(
                f"organisations: expected slugs one by one, such as seed(database, 'polar', 'resend'), "
                f"not a {type(slug).__name__}"
            )


@contextlib.contextmanager
def _in_terms_of_python() -> Iterator[None]:
    """Let errors about input speak of parameters where they speak of the command line's options."""
    try:
        yield
    except InputError as error:
        text = _OPTION.sub(lambda option: _PARAMETERS.get(option[1], option[1].replace("-", "_")), str(error))
        raise type(error)(text) from error


def _date(name: str, value: datetime.date | str | None) -> datetime.date | None:
    if not isinstance(value, str):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except ValueError as error:
        raise InputError(f"{name} {value}: no such day; expected one such as 2026-01-31") from error
