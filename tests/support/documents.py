"""Reads the documentation: its pages, their code blocks, tables and links; and runs what they show.

A comment on the line before a code block says how the block is run, if not as it stands:

``<!-- not run: REASON -->``         not at all
``<!-- status: N -->``               its last command ends with exit status N
``<!-- append: OPTIONS -->``         with more options, so that it takes seconds instead of minutes;
                                     ``append to "TEXT"`` only for the command lines that contain TEXT
``<!-- file: NAME -->``              its text becomes a file, which later commands read
``<!-- setup: clone -->``            there is a git repository in the folder ``clone``
``<!-- setup: github -->``           from here on, GitHub is one of our own, which knows ``acme``

Every page's folder has a catalogue of two small organisations, ``small.toml``.
"""

import contextlib
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import argv, clean, command
from tests.support.github.samples import acme
from tests.support.github.server import GitHub
from tests.support.repositories import Workshop

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

BLOCK = re.compile(
    r"^(?:<!-- (?P<marker>[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
PROGRAMS = (["tformance-seed"], ["python", "-m", "tformance_seed"])

SMALL_CATALOGUE = """\
[one]
name = "One"
prs_per_year = 200
[two]
name = "Two"
prs_per_year = 200
"""

#: A file that a Python block includes when the pages are built.
INCLUDED = re.compile(r'^--8<-- "(.+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced code block."""

    language: str
    text: str
    marker: str

    def option(self, name: str) -> str | None:
        """What the comment before the block says about one thing."""
        key, _, value = self.marker.partition(": ")
        return value if key == name else None


def blocks(page: Path, *languages: str) -> list[Block]:
    found = [
        Block(match["language"], match["text"], match["marker"] or "")
        for match in BLOCK.finditer(page.read_text())
    ]
    return [block for block in found if block.language in languages and not block.option("not run")]


def section(page: Path, heading: str) -> str:
    """The text below a heading of the second level."""
    return page.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """The first cells of a text's tables, without their heads."""
    rows = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    return [cell for cell in rows if cell.startswith("`")]


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files that a page links to, with anchors."""
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", page.read_text())):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


class PageRunner:
    """Runs the command lines of one page in a folder of its own, one after the other.

    Parameters:
      folder: an empty one.
      servers: URLs as pages show them -> URLs of running servers.
    """

    def __init__(self, folder: Path, servers: dict[str, str]) -> None:
        self.folder = folder
        (folder / "small.toml").write_text(SMALL_CATALOGUE)
        self._servers = servers
        self._environment: dict[str, str] = {}
        self._background: list[subprocess.Popen[bytes]] = []
        self._stack = contextlib.ExitStack()

    def run(self, block: Block) -> None:
        """Run a block's command lines; each ends with the status that the page states, by default 0."""
        if block.option("file"):
            (self.folder / block.option("file")).write_text(block.text)
            return
        if block.option("setup") == "clone":
            workshop = Workshop(self.folder / "clone")
            for number in (1, 2, 3):
                workshop.commit(f"Add a part (#{number})", f"2026-03-0{number} 10:00")
        if block.option("setup") == "github":
            github = self._stack.enter_context(GitHub(acme()).running())
            self._environment |= {**github.environment, "XDG_CACHE_HOME": str(self.folder / "caches")}
        lines = block.text.replace("\\\n", " ").splitlines()
        commands = [
            words for line in lines if (words := shlex.split(self._prepare(line, block), comments=True))
        ]
        for number, words in enumerate(commands):
            last = number == len(commands) - 1
            self._run(words, int(block.option("status") or 0) if last else 0)

    def _prepare(self, line: str, block: Block) -> str:
        for shown, running in self._servers.items():
            line = line.replace(shown, running)
        marker, _, options = block.marker.partition(": ")
        if marker == "append" or (marker.startswith("append to") and marker.split('"')[1] in line):
            line = f"{line.partition(' #')[0]} {options}"
        return line

    def _run(self, words: list[str], status: int) -> None:
        if words[0] == "export":
            self._environment |= dict(word.split("=", 1) for word in words[1:])
            return
        program = next((program for program in PROGRAMS if words[: len(program)] == program), None)
        assert program, f"a command line that no test runs; mark it `not run`: {shlex.join(words)}"
        arguments = words[len(program) :]
        if arguments[-1] == "&":
            environment = clean(self._environment)
            log = (self.folder / "background.log").open("wb")
            self._background.append(
                subprocess.Popen(
                    argv(*arguments[:-1]), env=environment, cwd=self.folder, stdout=log, stderr=log
                )
            )
            return
        target = None
        if ">" in arguments:
            arguments, (target,) = arguments[: arguments.index(">")], arguments[arguments.index(">") + 1 :]
        result = command(*arguments, folder=self.folder, **self._environment)
        assert result.returncode == status, f"{shlex.join(words)}: {result.stderr}"
        if target:
            (self.folder / target).write_text(result.stdout)

    def close(self) -> None:
        """End what runs in the background."""
        self._stack.close()
        for process in self._background:
            process.terminate()
            process.wait(60)


def python_text(block: Block) -> str:
    """The code of a Python block, with the files that it includes."""
    return INCLUDED.sub(lambda match: (PROJECT / match[1]).read_text(), block.text)
