"""Say of a wrong command line what was probably meant."""

import difflib
import re
from typing import Any

#: What people type -> the command or the option that does it here.
COMMANDS = {
    "check": "verify",
    "delete": "clear",
    "generate": "seed",
    "help": "-h",
    "list": "orgs",
    "ls": "orgs",
    "migrate": "init",
    "remove": "clear",
    "reset": "clear",
    "resume": "retry",
    "rm": "clear",
    "run": "seed",
    "search": "orgs",
    "start": "seed",
    "stats": "report",
    "stop": "cancel",
    "workers": "worker",
}
OPTIONS = {
    "-d": "--database",
    "-n": "--prs",
    "-y": "--yes",
    "--count": "--prs",
    "--db": "--database",
    "--dsn": "--database",
    "--end": "--until",
    "--force": "--yes",
    "--period": "--days",
    "--since": "--days",
    "--uri": "--database",
    "--url": "--database",
}

NO_COMMAND = re.compile(r"No such command '(?P<name>.*?)'", re.DOTALL)
NO_OPTION = re.compile(r"No such option:? '?(?P<name>-[^ ']*)")
NO_NUMBER = re.compile(
    r"Invalid value for '(?P<option>.*?)': '(?P<text>.*)' is not a valid (?P<kind>int|float)", re.DOTALL
)
NO_VALUE = re.compile(r"Option '(?P<name>.*?)' requires an argument")
VALUE_OF_SWITCH = re.compile(r"Option '(?P<name>.*?)' does not take a value")
NO_ARGUMENT = re.compile(r"Missing argument '(?P<name>.*?)'")
EXTRA_ARGUMENTS = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((?P<texts>.*)\)", re.DOTALL)

#: How alike two names must be for one to be meant by the other, from 0 to 1.
SIMILAR = 0.6


def explain(error: Any, commands: list[str]) -> str:
    """Return one line on a wrong command line.

    Parameters:
      error: Typer's; its message is taken apart, since Typer does not export the classes of its errors.
      commands: the names of all commands.
    """
    message: str = error.format_message()
    context = getattr(error, "ctx", None)
    if found := NO_COMMAND.match(message):
        meant = _meant(found["name"], commands, COMMANDS)
        name = "of that name, a URL" if "://" in found["name"] else found["name"]
        return f"no command {name}; {meant or 'list them with: -h'}"
    if found := NO_OPTION.match(message):
        parameters = [] if context is None else context.command.params
        options = [name for parameter in parameters for name in parameter.opts if name.startswith("-")]
        aliases = {typed: option for typed, option in OPTIONS.items() if option in options}
        return f"no option {found['name']}; {_meant(found['name'], options, aliases) or 'list them with: -h'}"
    if found := NO_NUMBER.match(message):
        expected = "a whole number" if found["kind"] == "int" else "a number"
        meant = number(found["text"], is_whole=found["kind"] == "int")
        hint = f"; did you mean {meant}?" if meant else ""
        return f"{found['option']} {found['text']}: expected {expected}{hint}"
    if found := NO_VALUE.match(message):
        return f"{found['name']} needs a value; see: -h"
    if found := VALUE_OF_SWITCH.match(message):
        return f"{found['name']} takes no value; see: -h"
    if found := NO_ARGUMENT.match(message):
        return f"{found['name']} is missing; see: -h"
    if found := EXTRA_ARGUMENTS.match(message):
        return f"{found['texts']}: the command takes nothing more; see: -h"
    return message


def _meant(name: str, known: list[str], aliases: dict[str, str]) -> str:
    """Ask whether one of the known names was meant; "" if none is alike."""
    similar = difflib.get_close_matches(name.lower(), known, n=2, cutoff=SIMILAR)
    begun = [each for each in known if len(name) > len("--") and each.startswith(name)]
    found = [aliases[name]] if name in aliases else begun or similar
    return f"did you mean {' or '.join(found)}?" if found else ""


def number(text: str, *, is_whole: bool) -> str:
    """Return the number that a text probably means, such as 30 of ``30d``; "" if it means none."""
    plain = text.strip().lower().replace("_", "")
    if is_whole:
        plain = re.sub(r"[,.' ](?=\d{3}\b)", "", plain)
        if found := re.fullmatch(r"(\d+) ?(d|days?|prs?|x|s)?", plain):
            return found[1]
        if found := re.fullmatch(r"(\d+) ?(w|weeks?|k|y|years?)", plain):
            return str(int(found[1]) * {"w": 7, "k": 1_000, "y": 365}[found[2][0]])
        return ""
    if found := re.fullmatch(r"(\d+(?:[.,]\d+)?) ?%", plain):
        return f"{float(found[1].replace(',', '.')) / 100:g}"
    return plain.replace(",", ".") if re.fullmatch(r"\d+,\d+", plain) else ""
