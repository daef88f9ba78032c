"""Help that a newcomer can use: examples that run, defaults, the scenarios by name."""

import re
import shlex

import pytest
import typer

from tests.support.commands import command
from tests.support.documents import BLOCK, DOCS, section
from tformance_seed.catalog.scenarios import load_scenarios
from tformance_seed.cli.app import create_app
from tformance_seed.cli.examples import EXAMPLES
from tformance_seed.cli.hints import PROGRAM

COMMANDS = typer.main.get_command(create_app()).commands


def help_of(*arguments):
    shown = command(*arguments, COLUMNS="80")
    assert (shown.returncode, shown.stderr) == (0, "")
    return shown.stdout


def test_the_programs_help_shows_every_command_in_a_whole_sentence():
    text = help_of("-h")
    assert text == help_of("--help") == help_of()
    assert "...\n" not in text.partition("Commands:")[2]
    assert [name for name in COMMANDS if not re.search(rf"^  {name}  ", text, re.MULTILINE)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_short_help_with_examples(name):
    text = help_of(name, "-h")
    assert text == help_of(name, "--help")
    assert max(map(len, text.splitlines())) <= 80
    shown = re.findall(rf"^ +{PROGRAM} (.*?) +# ", text.partition("Examples:")[2], re.MULTILINE)
    assert shown == [example for example, _ in EXAMPLES[name]] != []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_a_command_line_of_the_reference_which_tests_run(name):
    blocks = [match["text"] for match in BLOCK.finditer(section(DOCS / "reference" / "commands.md", name))]
    documented = [
        shlex.split(line, comments=True) for line in "".join(blocks).splitlines() if PROGRAM in line
    ]
    for example, _ in EXAMPLES[name]:
        assert [PROGRAM, *shlex.split(example)] in documented


@pytest.mark.parametrize("name", COMMANDS)
def test_every_default_is_shown(name):
    context = typer.Context(COMMANDS[name], info_name=name)
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option" and not parameter.is_flag:
            default = parameter.get_default(context, call=False)
            if default is not None:
                assert "default: " in parameter.get_help_record(context)[1], parameter.opts


def test_the_scenarios_are_named():
    text = " ".join(help_of("seed", "-h").split())
    assert ", ".join(load_scenarios()) in text


def test_orgs_takes_words():
    found = command("orgs", "BILL", "polar").stdout
    assert found.startswith("1 organisation, ")
    assert "\npolar " in found
    assert "Scenarios" not in found
    assert "\nclickhouse/" not in found
    none = command("orgs", "pollar")
    assert (none.returncode, none.stdout) == (0, "")
    assert none.stderr.endswith(
        "no organisation of the catalogue has pollar; did you mean polar or ollama?\n"
    )


def test_orgs_lists_the_scenarios_alone():
    title, _, *rows = command("orgs", "--scenarios").stdout.strip().splitlines()
    assert title == "Scenarios"
    assert [row.split()[0] for row in rows] == list(load_scenarios())
