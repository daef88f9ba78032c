"""The command line: its commands, and for any failure an exit status and one line on standard error."""

import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, cast

import typer

from tformance_seed import __version__
from tformance_seed.cli import (
    hints,
    inspection_commands,
    organisation_commands,
    run_commands,
    seed_commands,
    serve_command,
)
from tformance_seed.cli.console import Verbosity, print_error, print_message
from tformance_seed.cli.hints import PROGRAM
from tformance_seed.cli.interrupts import INTERRUPTED, INTERRUPTION, Interrupts
from tformance_seed.errors import SeedError, exhaustion

#: The commands in the order of `--help`. Each imports modules only when it runs, so that `--help` is fast.
COMMANDS: tuple[Callable[..., Any], ...] = (
    seed_commands.seed,
    seed_commands.worker,
    run_commands.status,
    run_commands.retry,
    run_commands.cancel,
    organisation_commands.orgs,
    organisation_commands.preview,
    organisation_commands.init,
    organisation_commands.weekly,
    organisation_commands.verify,
    inspection_commands.report,
    organisation_commands.clear,
    inspection_commands.doctor,
    serve_command.serve,
)


def create_app() -> typer.Typer:
    """Create the Typer application with all commands."""
    app = typer.Typer(
        name=PROGRAM,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # with Rich, help takes three times as long
        help="Fill a tformance database with believable data: fast, repeatably, at any scale.",
    )
    app.callback(invoke_without_command=True)(_show_version_or_help)
    for command in COMMANDS:
        app.command()(command)
    return app


def _show_version_or_help(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    hints.forget()
    Verbosity.quiet = Verbosity.verbose = False
    if version:
        print_message(f"{PROGRAM} {__version__}")
    elif context.invoked_subcommand is None:
        print_message(context.get_help())


def main() -> NoReturn:
    """Run a command; report an error as one line on standard error and as the exit status."""
    sys.exit(_run())


def _run() -> int:
    """Run a command and return its exit status."""
    # Typer raises this class for a wrong command line, but exports only this subclass of it.
    usage_error = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
    try:
        # Calling the application itself would replace the process's hook for exceptions, see ``entry``.
        status: int = typer.main.get_command(create_app()).main(standalone_mode=False) or 0
        sys.stdout.flush()
    except usage_error as error:
        print_error(error.format_message())
        return error.exit_code
    except SeedError as error:
        print_error(str(error))
        return error.exit_status
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except BrokenPipeError:
        return 0  # see ``console.show``
    except Exception as error:
        if not Interrupts.received:
            print_error(_describe_unexpected(error))
            return 1
        status = INTERRUPTED
    if status == INTERRUPTED:  # Typer itself turns most interrupts into this status
        print_error(INTERRUPTION)
    return status


def _describe_unexpected(error: Exception) -> str:
    """Return one line about an unexpected error; a database error keeps its message."""
    import peewee

    from tformance_seed.storage.failures import to_seed_error

    if isinstance(error, peewee.PeeweeException):
        return str(to_seed_error(error))
    if reason := exhaustion(error):
        return f"{reason}. What was committed is safe"
    if isinstance(error, OSError):
        return f"{error.strerror or error}; what was committed is safe"
    return (
        f"unexpected {type(error).__name__}: {error}. What was committed is safe; "
        "please report this with the command that you typed"
    )
