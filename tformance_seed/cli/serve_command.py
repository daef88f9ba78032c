"""The command `serve`, which keeps an embedded PostgreSQL up for other programs."""

import signal
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from tformance_seed import settings
from tformance_seed.cli import answer, console, hints
from tformance_seed.cli.blocks import View
from tformance_seed.cli.connections import open_database
from tformance_seed.cli.hints import PROGRAM
from tformance_seed.cli.options import Json
from tformance_seed.errors import InputError, SeedError

if TYPE_CHECKING:
    from tformance_seed.cli.objects import inspections

#: The port beside the one that a PostgreSQL of the system usually has.
DEFAULT_PORT = 5433


def serve(
    database: Annotated[
        str,
        typer.Option(
            "--database",
            metavar="URL",
            default_factory=settings.embedded_url,
            show_default=False,
            help="embedded:///folder, which is made if necessary "
            f"(default: DATABASE_URL if it is one, else {settings.DEFAULT_EMBEDDED}).",
        ),
    ],
    port: Annotated[
        int, typer.Option(metavar="N", help="The port of 127.0.0.1 to listen on; 0 for any that is free.")
    ] = DEFAULT_PORT,
    as_json: Json = False,
) -> None:
    """Keep an embedded PostgreSQL up for other programs.

    It is up until the command is interrupted.
    """
    from tformance_seed.storage.connection import open_server

    if not 0 <= port < 2**16:
        raise InputError(f"--port {port}: expected a number up to 65535")
    hints.remember("--database", database, settings.embedded_url())
    hints.remember("--port", str(port), str(DEFAULT_PORT))
    for number in (signal.SIGINT, signal.SIGTERM):  # in a shell's background, SIGINT is ignored otherwise
        signal.signal(number, _interrupt)
    server = open_server(database, port=port)
    try:
        with open_database(database):  # which tells its version
            view = _view(database, server.tcp_url(), str(server.folder))
        console.show(view, as_json=as_json)
        answer.finish()
        sys.stdout.flush()
        server.wait()
    except KeyboardInterrupt:
        server.release()
        if server.is_running():
            console.print_warning("another command uses the database; PostgreSQL stops when that has ended")
        return
    log = server.folder / "log"
    raise SeedError(f"PostgreSQL was stopped; its log is {log}; start it again with: {PROGRAM} serve")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _view(database: str, url: str, folder: str) -> View:
    served: inspections.Served = {"folder": folder, "url": url}
    return View(
        served,
        [
            f"PostgreSQL is up in {folder} until you press Ctrl-C",
            f"  psql:            psql {url}",
            f"  Django:          export DATABASE_URL={url}",
            f"  {PROGRAM}:  --database {database}",
        ],
    )
