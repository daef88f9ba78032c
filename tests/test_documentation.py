"""README.md and docs/ are true: command lines and examples run; options and findings are complete."""

import contextlib
import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

import tformance_seed
from tests.support.documents import (
    DOCS,
    INCLUDED,
    PAGES,
    PROJECT,
    PageRunner,
    anchors,
    blocks,
    first_cells,
    links,
    python_text,
    section,
)
from tformance_seed.catalog.languages import load_languages
from tformance_seed.catalog.organisations import RULES
from tformance_seed.cli.app import create_app
from tformance_seed.cli.objects.schema import RESULTS, schema_text
from tformance_seed.sources.detection.signatures import load_signatures
from tformance_seed.sources.git.conventions import CONVENTIONS
from tformance_seed.storage.schema.findings import Name

COMMANDS = typer.main.get_command(create_app()).commands
REFERENCE = DOCS / "reference"


def name(page: Path) -> str:
    return str(page.relative_to(PROJECT))


@pytest.fixture
def runner(request, tmp_path) -> Iterator[PageRunner]:
    """Runs a page's command lines; servers are started only for pages that name one."""
    text = request.getfixturevalue("page").read_text()
    servers = {}
    for shown in sorted(
        set(re.findall(r"(?:postgresql|redis)://[\w:@./]*[\w/]", text)), key=len, reverse=True
    ):
        fixture = "postgresql_url" if shown.startswith("postgresql") else "broker"
        found = request.getfixturevalue(fixture)
        servers[shown] = getattr(found, "url", found)
    for shown in set(re.findall(r"TFORMANCE_LLM_URL=(\S+)", text)):
        servers[shown] = request.getfixturevalue("chat").url
    running = PageRunner(tmp_path, servers)
    yield running
    running.close()


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")], ids=name)
def test_every_command_line_of_a_page_does_what_the_page_says(page, runner):
    for block in blocks(page, "sh", "toml"):
        if block.language == "sh" or block.option("file"):
            runner.run(block)


@pytest.mark.parametrize(
    "page",
    [
        page
        for page in PAGES
        if [block for block in blocks(page, "python") if not INCLUDED.search(block.text)]
    ],
    ids=name,
)
def test_every_python_example_of_a_page_runs(page, tmp_path):
    names: dict[str, Any] = {"__name__": "example"}
    with contextlib.chdir(tmp_path):
        for block in blocks(page, "python"):
            if not INCLUDED.search(block.text):  # files of examples/ have tests of their own
                exec(compile(python_text(block), str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_of_a_page_leads_somewhere(page):
    for target, anchor in links(page):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), f"{target}#{anchor}"


@pytest.mark.parametrize("page", [page for page in PAGES if INCLUDED.search(page.read_text())], ids=name)
def test_every_file_that_a_page_includes_exists(page):
    assert all((PROJECT / path).exists() for path in INCLUDED.findall(page.read_text()))


def test_every_page_is_in_the_navigation():
    navigation = (PROJECT / "mkdocs.yml").read_text()
    assert [name(page) for page in DOCS.rglob("*.md") if str(page.relative_to(DOCS)) not in navigation] == []


def test_every_command_is_documented():
    text = (REFERENCE / "commands.md").read_text()
    chapters = re.findall(r"^## ([a-z]+)$", text, re.MULTILINE)
    assert sorted(chapters) == sorted(COMMANDS)


@pytest.mark.parametrize("command_name", COMMANDS)
def test_every_option_is_documented_and_every_documented_option_exists(command_name):
    options = {
        parameter.opts[-1] if parameter.param_type_name == "option" else "ARGUMENT"
        for parameter in COMMANDS[command_name].params
        if parameter.name != "help"
    }
    cells = first_cells(section(REFERENCE / "commands.md", command_name))
    documented = [cell.strip("`").split()[0] for cell in cells]
    assert {option if option.startswith("--") else "ARGUMENT" for option in documented} == options
    assert len(documented) == len(set(documented))


def test_every_finding_is_documented():
    documented = [cell.strip("`") for cell in first_cells((REFERENCE / "findings.md").read_text())]
    assert sorted(documented) == sorted(get_args(Name))


def _code(text: str) -> str:
    return ", then ".join(f"`{part}`" for part in text.split("\n\n"))


def test_every_convention_and_every_signature_is_documented():
    rows = [f"| {each.name} | {_code(each.example)} |" for each in CONVENTIONS]
    rows += [
        f"| {each.tool} | {each.kind} | {_code(each.example)} | {each.source} | {each.first_seen} |"
        for each in load_signatures()
    ]
    page = (REFERENCE / "git.md").read_text()
    listed = re.findall(r"^\| .*", page.partition("| repository | commits |")[0], re.MULTILINE)
    listed += re.findall(r"^\| .*", page[page.index("| tool |") :], re.MULTILINE)
    assert [row for row in listed if not row.startswith(("| ---", "| conv", "| tool "))] == rows


def test_every_key_of_a_catalogue_is_documented():
    text = (REFERENCE / "catalogue.md").read_text().partition("\n## Scenarios")[0]
    assert {cell.strip("`") for cell in first_cells(text)} == set(RULES)


def test_every_language_of_a_catalogue_is_documented():
    listed = re.search(r"^Known languages: (.*?)\. ", (REFERENCE / "catalogue.md").read_text(), re.MULTILINE)
    assert re.findall("`(.+?)`", listed[1]) == list(load_languages())


def test_every_environment_variable_is_documented():
    read = set(
        re.findall(r'environ(?:\.get\(|\[)"(\w+)"', (PROJECT / "tformance_seed/settings.py").read_text())
    )
    documented = {cell.strip("`") for cell in first_cells((REFERENCE / "environment.md").read_text())}
    assert documented == read


def test_the_figures_of_the_soak_are_those_of_its_last_full_run():
    text = (DOCS / "explanation" / "ledger.md").read_text()
    found = json.loads((PROJECT / "benchmarks" / "soak" / "results.json").read_text())
    shown = [int(count) for count in re.findall(r"\| (\d+) \|$", text, re.MULTILINE)]
    assert sum(shown) == sum(found["kills"].values()) == 1000
    assert f"--seed {found['seed']}" in text
    assert f"{sum(found['rounds'].values())} rounds" in text
    assert f"{sum(found['inputs'].values()):,} hostile inputs" in text
    assert found["problems"] == []


def test_every_name_of_the_python_api_is_documented():
    documented = set(
        re.findall(r"^::: tformance_seed\.(\w+)$", (REFERENCE / "api.md").read_text(), re.MULTILINE)
    )
    exported = {name for name in tformance_seed.__all__ if not name.startswith("__")}
    errors = {name for name in exported if name.endswith("Error")}
    assert exported - errors <= documented
    assert "errors" in documented


def test_the_tables_of_json_output_and_the_published_schemas_are_those_of_the_types():
    maker = runpy.run_path(str(REFERENCE / "make_json.py"))
    text = (REFERENCE / "json.md").read_text()
    assert text == maker["page"](text), "run docs/reference/make_json.py"
    published = {path.stem: path.read_text() for path in (REFERENCE / "schemas").iterdir()}
    assert published == {command: schema_text(command) + "\n" for command in RESULTS}
