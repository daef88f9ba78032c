"""Completion of command lines in bash, zsh and fish, by Typer's protocol, and the command that sets it up."""

from contextlib import suppress
from typing import Annotated

import typer

from tformance_seed.cli import console
from tformance_seed.cli.hints import PROGRAM
from tformance_seed.errors import InputError, SeedError

#: Shell -> the line of its configuration that sets completion up.
SHELLS = {
    "bash": f'eval "$({PROGRAM} completion bash)"',
    "zsh": f'eval "$({PROGRAM} completion zsh)"',
    "fish": f"{PROGRAM} completion fish | source",
}

#: The variable by which a shell's script asks the program for what may follow.
VARIABLE = f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE"


def shells(incomplete: str) -> list[str]:
    """Return the shells whose names begin as typed."""
    return [shell for shell in SHELLS if shell.startswith(incomplete)]


def completion(
    shell: Annotated[
        str, typer.Argument(metavar="|".join(SHELLS), help="Your shell.", autocompletion=shells)
    ],
) -> None:
    """Print the script that completes commands in your shell.

    It completes commands, options, organisations, scenarios and sources.
    """
    if shell not in SHELLS:
        raise InputError(f"no completion for {shell}; choose one of {', '.join(SHELLS)}")
    from typer._completion_shared import get_completion_script

    console.print_message(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell))


def register() -> None:
    """Let the program answer the shells' scripts."""
    from typer._completion_classes import completion_init

    completion_init()


def organisations(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the organisations whose slugs begin as typed, with their names, and the scenarios' likewise."""
    from tformance_seed.catalog.organisations import load_organisations

    names = {}
    with suppress(SeedError):  # a catalogue that cannot be read completes nothing
        catalogue = load_organisations(context.params.get("catalog"))
        names = {slug: each.name for slug, each in catalogue.items()}
    if context.info_name not in ("seed", "preview"):
        names |= dict(scenarios(incomplete))
    return [(slug, name) for slug, name in names.items() if slug.startswith(incomplete)]


def scenarios(incomplete: str) -> list[tuple[str, str]]:
    """Return the scenarios whose names begin as typed, with what each shows."""
    from tformance_seed.catalog.scenarios import load_scenarios

    found = load_scenarios().items()
    return [(name, each.point) for name, each in found if name.startswith(incomplete)]


def purposes(incomplete: str) -> list[str]:
    """Return what a database may be for, as far as it begins as typed."""
    from tformance_seed.doctor import PURPOSES

    return [purpose for purpose in PURPOSES if purpose.startswith(incomplete)]


def sources(incomplete: str) -> list[str]:
    """Return the sources whose names begin as typed."""
    from tformance_seed.sources.registry import SOURCES

    return [name for name in SOURCES if name.startswith(incomplete)]
