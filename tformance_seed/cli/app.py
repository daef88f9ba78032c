"""The command line: its commands, and for any failure an exit status and one line on standard error."""

import itertools
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperCommand, TyperGroup

from tformance_seed import __version__
from tformance_seed.cli import (
    answer,
    completion,
    export_command,
    hints,
    inspection_commands,
    organisation_commands,
    run_commands,
    seed_commands,
    serve_command,
)
from tformance_seed.cli.answer import Failure
from tformance_seed.cli.console import Verbosity, print_error, print_message
from tformance_seed.cli.examples import epilog
from tformance_seed.cli.hints import PROGRAM
from tformance_seed.cli.interrupts import INTERRUPTED, INTERRUPTION, Interrupts
from tformance_seed.cli.mistakes import explain
from tformance_seed.errors import SeedError, exhaustion

#: The commands in the order of `--help`. Each imports modules only when it runs, so that `--help` is fast.
COMMANDS: tuple[Callable[..., Any], ...] = (
    seed_commands.seed,
    seed_commands.worker,
    run_commands.status,
    run_commands.runs,
    run_commands.retry,
    run_commands.cancel,
    organisation_commands.orgs,
    organisation_commands.preview,
    organisation_commands.init,
    organisation_commands.weekly,
    organisation_commands.verify,
    inspection_commands.report,
    export_command.export,
    organisation_commands.clear,
    inspection_commands.doctor,
    serve_command.serve,
    inspection_commands.schema,
    completion.completion,
)


def _usage_error() -> type[typer.BadParameter]:
    """Return the class that Typer raises for a wrong command line; it exports only a subclass of it."""
    return cast("type[typer.BadParameter]", typer.BadParameter.__base__)


class Commands(TyperGroup):
    """The list of commands, whose summaries are wrapped where a terminal is narrow, and not cut off."""

    def format_commands(self, _context: Any, formatter: Any) -> None:
        """Write the name and the summary of each command."""
        rows = [(name, command.get_short_help_str(sys.maxsize)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Command(TyperCommand):
    """A command whose help names the scenarios, and whose options take no other option for their value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments, unless another option stands where an option's value is missing."""
        options = {name: parameter for parameter in self.params for name in parameter.opts}
        for name, value in itertools.pairwise(itertools.takewhile("--".__ne__, args)):
            if name in options and value in options and not getattr(options[name], "is_flag", True):
                raise _usage_error()(f"Option '{name}' requires an argument.", ctx)
        return super().parse_args(ctx, args)

    def get_help(self, ctx: Any) -> str:
        """Return the help."""
        from tformance_seed.catalog.scenarios import load_scenarios

        for parameter in self.params:
            if text := getattr(parameter, "help", None):
                vars(parameter)["help"] = text.replace("{scenarios}", ", ".join(load_scenarios()))
        return super().get_help(ctx)


def create_app() -> typer.Typer:
    """Create the Typer application with all commands."""
    app = typer.Typer(
        name=PROGRAM,
        cls=Commands,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # with Rich, help takes three times as long
        help="Fill a tformance database with believable data: fast, repeatably, at any scale.",
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=epilog(PROGRAM),
    )
    app.callback(invoke_without_command=True)(_show_version_or_help)
    for command in COMMANDS:
        app.command(cls=Command, epilog=epilog(command.__name__))(command)
    completion.register()
    return app


def _show_version_or_help(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    hints.forget()
    Verbosity.quiet = Verbosity.verbose = False
    answer.begin(context.invoked_subcommand)
    if version:
        print_message(f"{PROGRAM} {__version__}")
    elif context.invoked_subcommand is None:
        print_message(context.get_help())


def main() -> NoReturn:
    """Run a command; report an error as one line on standard error and as the exit status."""
    sys.exit(_run())


def _run() -> int:
    """Run a command, say how it ended, and return its exit status."""
    answer.begin(None)
    failure = _call()
    if failure is not None:
        print_error(failure.message)
    try:
        answer.finish(failure)
    except OSError as error:  # nowhere to print to
        print_error(_describe_unexpected(error))
        return 1
    return 0 if failure is None else failure.exit_status


def _call() -> Failure | None:
    """Run a command; return why it did not do what it was told to, or None if it did."""
    try:
        # Calling the application itself would replace the process's hook for exceptions, see ``entry``.
        status: int = typer.main.get_command(create_app()).main(prog_name=PROGRAM, standalone_mode=False) or 0
        sys.stdout.flush()
    except _usage_error() as error:
        return Failure("input", explain(error, [command.__name__ for command in COMMANDS]), error.exit_code)
    except SeedError as error:
        return answer.failure_of(error)
    except (KeyboardInterrupt, typer.Abort):
        return _interruption()
    except BrokenPipeError:
        return None  # see ``console.show``
    except Exception as error:
        if Interrupts.received:
            return _interruption()
        return Failure("failed", _describe_unexpected(error), 1)
    return _interruption() if status == INTERRUPTED else None  # Typer itself turns most interrupts into it


def _interruption() -> Failure:
    return Failure("interrupted", INTERRUPTION, Interrupts.exit_status)


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
