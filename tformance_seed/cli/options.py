"""Options and arguments that several commands share, and functions that parse and check them."""

import datetime
import getpass
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from tformance_seed import settings
from tformance_seed.cli import completion, console, hints
from tformance_seed.errors import InputError


def optional(metavar: str, text: str, complete: Callable[..., Any] | None = None) -> Any:
    """Return an option whose help shows no default but in its words.

    Parameters:
      complete: returns the values that begin as typed.
    """
    return typer.Option(metavar=metavar, help=text, show_default=False, autocompletion=complete)


#: Numbers in a date, and digits of its year.
DATE_PARTS, YEAR_DIGITS = 3, 4

#: The value of ``--broker`` with which a command does the work itself, whatever the environment says.
NO_BROKER = "none"


def _read_url(option: str, value: str) -> str:
    """Return the URL that an option gives; if it is ``-``, what is typed, or a line of standard input."""
    if value != "-":
        return value
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    url = getpass.getpass(f"{option}: ") if asks else sys.stdin.readline()
    if not url.strip():
        raise InputError(f"{option} -: expected a URL on the first line of standard input")
    return url.strip()


def _read_database(value: str) -> str:
    url = _read_url("--database", value)
    hints.remember("--database", url, settings.database_url())
    return url


def _read_broker(value: str | None) -> str | None:
    url = None if value is None else _read_url("--broker", value)
    hints.remember("--broker", url, settings.broker_url())
    return None if url == NO_BROKER else url


def _read_catalog(value: Path | None) -> Path | None:
    hints.remember("--catalog", None if value is None else str(value))
    return value


def _set_quiet(value: bool) -> bool:
    console.Verbosity.quiet = value
    return value


def _set_verbose(value: bool) -> bool:
    console.Verbosity.verbose = value
    return value


Database = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        default_factory=settings.database_url,
        callback=_read_database,
        show_default=False,
        help="sqlite:///file, postgresql://..., embedded:///folder, or - to read it from standard input "
        f"(default: DATABASE_URL, else {settings.DEFAULT_DATABASE}).",
    ),
]
Broker = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        default_factory=settings.broker_url,
        callback=_read_broker,
        show_default=False,
        help=f"The workers' broker, redis://... or amqp://..., - to read it as above, or {NO_BROKER} "
        "(default: TFORMANCE_BROKER_URL, else no workers).",
    ),
]
#: The parameters of an argument that names organisations.
ORGANISATION = {"help": "Slugs of organisations.", "autocompletion": completion.organisations}

Organisations = Annotated[
    list[str] | None, typer.Argument(metavar="[ORG]...", show_default=False, **ORGANISATION)
]
LatestRun = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="Name of a run (default: the latest).", show_default=False),
]
Catalog = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        callback=_read_catalog,
        show_default=False,
        help="Your own catalogue of organisations, in TOML.",
    ),
]
Until = Annotated[str | None, optional("DATE", "Last day of the window (default: today).")]
SeedUntil = Annotated[
    str | None,
    optional("DATE", "Last day of the window (default: yesterday; for a clone, its last commit)."),
]
ShiftTo = Annotated[
    str | None,
    optional("DATE", "Move a clone's history by whole weeks, to end in the week up to DATE."),
]
Days = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        callback=settings.checked_days,
        show_default=False,
        help=f"Days in the window (default: {settings.DEFAULT_DAYS}).",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait while another run is at work on an organisation.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once; the workers continue.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[
    bool,
    typer.Option("-q", "--quiet", callback=_set_quiet, help="Print nothing but errors, and JSON if asked."),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "-v",
        "--verbose",
        callback=_set_verbose,
        help="Print each task that ends, and each organisation's tables.",
    ),
]


def parse_day(option: str, text: str | None) -> datetime.date | None:
    """Return an option's value as a date; None if the option is not given.

    Raises:
      InputError: the value is not a date.
    """
    if text is None:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        meant = _meant_day(text)
        hint = f"did you mean {meant}?" if meant else "expected one such as 2026-01-31"
        raise InputError(f"{option} {text}: no such day; {hint}") from None


def _meant_day(text: str) -> datetime.date | None:
    """Return the day that a text probably means, at the latest yesterday in UTC; None if it means none."""
    if text.strip().lower() in ("today", "tomorrow", "yesterday", "now"):
        return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)).date()
    parts = re.split(r"[-./ ]", text.strip())
    if len(parts) == DATE_PARTS and all(part.isdecimal() for part in parts):
        year, month, day = map(int, parts if len(parts[0]) == YEAR_DIGITS else reversed(parts))
        with suppress(ValueError):
            return datetime.date(year, month, day)
    return None


def check_detach(broker: str | None, *, detach: bool) -> None:
    """Check that a command which does not wait for its run has a broker, so that workers can do the tasks.

    Raises:
      InputError: no broker is given.
    """
    if detach and broker is None:
        raise InputError(
            "--detach needs workers to do the tasks: add --broker URL or set TFORMANCE_BROKER_URL"
        )


def check_broker(broker: str | None) -> None:
    """Raise InputError if a broker is given whose URL is none, before anything is written."""
    if broker is not None:
        from tformance_seed.execution.broker import check_url

        check_url(broker)


def check_verbosity(*, quiet: bool, verbose: bool) -> None:
    """Raise InputError if a command is to print both less and more."""
    if quiet and verbose:
        raise InputError("--quiet and --verbose exclude each other; choose one")
