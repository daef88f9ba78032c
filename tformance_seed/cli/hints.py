"""Complete the commands that messages name, so that they do what they say when they are pasted.

A command in a message knows nothing of the options that led there: without them it would read another
database. What was typed is remembered here for the one command that a process runs.
"""

import re
import shlex
from typing import TYPE_CHECKING

from tformance_seed.urls import has_secrets

if TYPE_CHECKING:
    import typer

#: The name of the command in messages.
PROGRAM = "tformance-seed"

#: Commands -> the options that they need to work at the same place.
OPTIONS = {
    **dict.fromkeys(("status", "runs", "retry", "cancel", "init", "weekly"), ("--database",)),
    **dict.fromkeys(("verify", "report", "export", "clear", "doctor"), ("--database",)),
    "worker": ("--database", "--broker"),
    "serve": ("--database", "--port"),
    "orgs": ("--catalog",),
    "seed": (
        "--source",
        "--repo",
        "--catalog",
        "--days",
        "--until",
        "--shift-to",
        "--members",
        "--prs",
        "--adoption",
        "--scenario",
        "--scale",
        "--seed",
        "--emails",
        "--slug",
        "--database",
    ),
}

#: A command in a text, up to what cannot be a part of it. Quoted arguments may hold anything.
_ARGUMENTS = r"""(?:'[^'\n]*'|,(?=\S)|[^`;,()'\n\x1b])*?"""
_END = r"(?=\.?\s*(?:[`;()\n\x1b]|,(?:\s|$)|\.\s|$))"
_COMMAND = re.compile(rf"({PROGRAM} ({'|'.join(OPTIONS)})\b{_ARGUMENTS}){_END}", re.MULTILINE)

#: Option -> its value as it is to be typed.
_typed: dict[str, str] = {}


def forget() -> None:
    """Forget all options: another command begins."""
    _typed.clear()


def remember(option: str, value: str | None, default: str | None = None) -> None:
    """Remember the value of an option, unless it is the one that the command uses without the option.

    A URL with a password is not shown: ``-`` makes the command ask for it.
    """
    if value is None or value == default:
        _typed.pop(option, None)
    else:
        _typed[option] = "-" if has_secrets(value) else shlex.quote(value)


def remember_typed(context: "typer.Context") -> None:
    """Remember the options of `seed` that were typed and that decide what is seeded."""
    for parameter in context.command.params:
        option, value = parameter.opts[0], context.params.get(parameter.name or "")
        source = context.get_parameter_source(parameter.name or "")
        if option in OPTIONS["seed"] and option not in _typed and source and source.name == "COMMANDLINE":
            values = value if isinstance(value, list | tuple) else [value]
            texts = [option if each is True else f"{option} {shlex.quote(str(each))}" for each in values]
            _typed[option] = " ".join(texts).removeprefix(option).lstrip()


def complete(text: str) -> str:
    """Return a message whose commands have the options that were typed."""
    return _COMMAND.sub(_completed, text)


def first_command(text: str) -> str | None:
    """Return the first command that a message names; None if it names none."""
    match = _COMMAND.search(text)
    return match[1] if match else None


def _completed(match: re.Match[str]) -> str:
    text, command = match.groups()
    missing = [option for option in OPTIONS[command] if option in _typed and option not in text]
    return " ".join([text, *(f"{option} {_typed[option]}".rstrip() for option in missing)])
