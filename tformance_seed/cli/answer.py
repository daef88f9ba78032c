"""The one object that a command prints on standard output with ``--json``, however it ends.

A command leaves its result here. It is printed when the command has ended, so that nothing else can follow.
"""

import datetime
import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tformance_seed.cli import hints
from tformance_seed.cli.objects import shared
from tformance_seed.errors import InputError, SeedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tformance_seed.storage.connection import Description


@dataclass(frozen=True)
class Failure:
    """Why a command did not do what it was told to.

    Attributes:
      message: one line, as on standard error.
    """

    kind: shared.Kind
    message: str
    exit_status: int


@dataclass
class _Answer:
    """What is known so far of the object of this process's command."""

    command: str | None = None
    database: "Description | None" = None
    result: "Mapping[str, Any] | None" = None
    is_printed: bool = False


_answer = _Answer()


def begin(command: str | None) -> None:
    """Forget the last answer: a command begins."""
    vars(_answer).update(vars(_Answer(command)))


def set_database(description: "Description") -> None:
    """Remember on which database the command works."""
    _answer.database = description


def set_result(result: "Mapping[str, Any]") -> None:
    """Remember what the command has to say when it has ended."""
    _answer.result = result


def failure_of(error: SeedError) -> Failure:
    """Return what to tell of an error."""
    kinds: dict[type[SeedError], shared.Kind] = {UnavailableError: "unavailable", InputError: "input"}
    kind: shared.Kind = next((kind for each, kind in kinds.items() if isinstance(error, each)), "failed")
    return Failure(kind, str(error), error.exit_status)


def is_wanted() -> bool:
    """Return whether the command line asks for JSON, even if it is wrong otherwise."""
    return "--json" in sys.argv[1:]


def finish(failure: Failure | None = None) -> None:
    """Print the object, unless it was printed or nobody asked for it.

    Whoever closes standard output has read enough; the work is done, so that is no error.

    Parameters:
      failure: why the command did not do what it was told to; None if it did.
    """
    if _answer.is_printed or (_answer.result is None and not (failure and is_wanted())):
        return
    _answer.is_printed = True
    envelope: shared.Envelope = {
        "version": shared.VERSION,
        "command": _answer.command,
        "database": shared.database(_answer.database) if _answer.database else None,
        "error": None if failure is None else _error(failure),
    }
    with suppress(BrokenPipeError):
        text = json.dumps({**envelope, **(_answer.result or {})}, indent=2, default=_text)
        sys.stdout.write(text.replace("\x7f", "\\u007f") + "\n")  # all of it ASCII that controls no terminal
        sys.stdout.flush()


def _error(failure: Failure) -> shared.Error:
    message = hints.complete(" ".join(failure.message.split()))
    return {
        "kind": failure.kind,
        "message": message,
        "hint": hints.first_command(message),
        "exit_status": failure.exit_status,
    }


def _text(value: object) -> str:
    """Return a date or a time as ISO 8601 writes it."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
