"""The package's structure: which rooms import which, and what no module does."""

import ast
import importlib
import os
import pkgutil
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "tformance_seed"
NAME = PACKAGE.name

#: The rooms, lowest floor first: a room imports itself and rooms of lower floors, none of its own floor.
FLOORS = [
    ["errors"],
    ["settings", "canonical_json", "printable", "urls"],
    ["url_forms"],
    ["sampling"],
    ["bulk"],
    ["storage"],
    ["catalog"],
    ["sources"],
    ["simulate"],
    ["llm"],
    ["ledger"],
    ["metrics"],
    ["planning"],
    ["pipeline"],
    ["verification", "report", "doctor"],
    ["export"],
    ["execution"],
    ["commands"],
    ["api"],
    ["cli"],
    ["__main__"],
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

#: Rooms that import nothing else of the package, so that each could be published by itself.
INDEPENDENT = ["sampling", "bulk"]

#: Rooms that know no database.
WITHOUT_DATABASE = ["sampling", "sources", "simulate", "llm"]
DATABASE_LIBRARIES = {"peewee", "playhouse", "psycopg2", "sqlite3"}

#: What writes to a terminal, by the name that the code spells.
PRINTING = {"print", "typer.echo", "typer.secho", "rich.print", "sys.stdout", "sys.stderr"}
PRINTING_LIBRARIES = {"rich", "typer"}

ENVIRONMENT_READERS = {"os.environ.get", "os.getenv"}

#: Where calls come from that a module may make when it is imported: they build values and types, and reach
#: nothing outside. Classes (in CapWords) and functions of the package itself may be called too: what those do
#: at import is seen by ``test_importing_everything_reaches_nothing_outside``.
PURE_MODULES = {
    "alt",
    "contextvars",
    "datetime",
    "fn",
    "functools",
    "logging",
    "math",
    "msgspec",
    "np",
    "re",
    "statistics",
    "typer",
    "weakref",
}
PURE_FUNCTIONS = {
    "bytes",
    "contextlib.suppress",
    "dataclass",
    "dict",
    "dict.fromkeys",
    "json.JSONEncoder",
    "list",
    "peewee.Case",
    "field",
    "float",
    "frozenset",
    "get_args",
    "int",
    "len",
    "max",
    "min",
    "os.cpu_count",
    "range",
    "round",
    "set",
    "slice",
    "sorted",
    "str",
    "threading.Lock",
    "tuple",
    "zip",
}
#: Classes that are not values: their instances run threads or processes.
WORKING_CLASSES = {"Executor", "Popen", "ProcessPoolExecutor", "Thread", "ThreadPoolExecutor", "Timer"}
#: Calls that register something and return nothing.
REGISTRATIONS = {"add_index", "postgresql_index", "register_adapter", "register_at_fork"}
#: Methods that only compute: of texts, collections, arrays.
PURE_METHODS = {
    "as_integer_ratio",
    "astype",
    "encode",
    "decode",
    "index",
    "items",
    "keys",
    "rpartition",
    "split",
    "values",
}

#: Imports every module in a process of its own, and prints what was touched outside.
IMPORT_EVERYTHING = PROJECT / "tests" / "support" / "import_everything.py"

MAX_LINES = 400


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        """The module or package directly below the root that it belongs to; "" for the root itself."""
        return self.name.partition(".")[2].partition(".")[0]


@cache
def modules() -> dict[str, Module]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PROJECT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path, ast.parse(path.read_text(), str(path)))
    return found


def imports(module: Module) -> Iterator[str]:
    """The full names of what a module imports anywhere, functions and type checking included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name}: relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in modules() or node.module == NAME else str(node.module)


def internal_imports(module: Module) -> set[str]:
    return {name for name in imports(module) if name == NAME or name.startswith(f"{NAME}.")}


def room_of(name: str) -> str:
    return name.partition(".")[2].partition(".")[0]


def breaches(rule) -> list[str]:
    """What breaks a rule: a function from a module to descriptions of what is wrong there."""
    return [f"{module.name}: {wrong}" for module in modules().values() for wrong in rule(module)]


def test_every_room_has_a_floor():
    assert {module.room for module in modules().values()} - {""} == set(FLOOR)


def test_rooms_import_only_downward():
    def upward(module: Module) -> Iterator[str]:
        if module.room == "":
            return
        for name in internal_imports(module):
            room = room_of(name)
            if room == "__version__":
                continue  # a fact about the package, not a room
            if room != module.room and FLOOR.get(room, len(FLOORS)) >= FLOOR[module.room]:
                yield f"imports {name}"

    assert breaches(upward) == []


@pytest.mark.parametrize("room", INDEPENDENT)
def test_an_independent_room_imports_nothing_of_the_package(room):
    assert [
        f"{module.name} imports {name}"
        for module in modules().values()
        if module.room == room
        for name in internal_imports(module)
        if room_of(name) != room
    ] == []


@pytest.mark.parametrize("room", WITHOUT_DATABASE)
def test_a_room_without_database_imports_no_database_library_and_no_room_that_does(room):
    forbidden_rooms = {"bulk", "storage", "ledger", "metrics", "execution"}
    assert [
        f"{module.name} imports {name}"
        for module in modules().values()
        if module.room == room
        for name in imports(module)
        if name.partition(".")[0] in DATABASE_LIBRARIES
        or (name.startswith(f"{NAME}.") and room_of(name) in forbidden_rooms)
    ] == []


def test_only_the_command_line_prints():
    def prints(module: Module) -> Iterator[str]:
        if module.room == "cli":
            return
        yield from (
            f"imports {name}" for name in imports(module) if name.partition(".")[0] in PRINTING_LIBRARIES
        )
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in PRINTING:
                yield f"line {node.lineno}: {ast.unparse(node)}"

    assert breaches(prints) == []


def test_only_settings_reads_the_environment():
    def reads(module: Module) -> Iterator[str]:
        if module.name == f"{NAME}.settings":
            return
        for node in ast.walk(module.tree):
            name = ast.unparse(node.value if isinstance(node, ast.Subscript) else node)
            looks_up = isinstance(node, ast.Subscript) and name == "os.environ"
            if looks_up or (isinstance(node, ast.Attribute) and name in ENVIRONMENT_READERS):
                yield f"line {node.lineno}: {name}"

    assert breaches(reads) == []


def test_no_package_exports_a_name_that_is_one_of_its_modules():
    shadowed = []
    for package in pkgutil.walk_packages([str(PROJECT)]):
        if package.name != NAME and not package.name.startswith(f"{NAME}."):
            continue
        if package.name.endswith("__main__"):
            continue
        parent, _, child = package.name.rpartition(".")
        importlib.import_module(package.name)
        if parent and not isinstance(getattr(importlib.import_module(parent), child), types.ModuleType):
            shadowed.append(package.name)
    assert shadowed == []


def test_no_module_works_at_import():
    own_functions = {
        node.name
        for module in modules().values()
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef)
    }

    allowed = own_functions | PURE_METHODS | REGISTRATIONS

    def works(module: Module) -> Iterator[str]:
        for call in _calls_at_import(module.tree):
            name = ast.unparse(call.func)
            first, last = name.split(".")[0].split("(")[0], name.rpartition(".")[2]
            if last in WORKING_CLASSES or not (
                name in PURE_FUNCTIONS
                or first in PURE_MODULES
                or first.lstrip("_")[:1].isupper()
                or last in allowed
            ):
                yield f"line {call.lineno}: {name}(...)"
        for node in module.tree.body:
            if isinstance(node, ast.For | ast.While | ast.With | ast.Try):
                yield f"line {node.lineno}: a statement that works"
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                name = ast.unparse(node.value.func)
                if name.rpartition(".")[2] not in REGISTRATIONS:
                    yield f"line {node.lineno}: {name}(...) for its effect"

    assert breaches(works) == []


def test_importing_everything_reaches_nothing_outside():
    nonsense = {"TFORMANCE_BROKER_URL": "kafka://x", "DATABASE_URL": "nonsense", "TFORMANCE_LLM_RATE": "none"}
    names = sorted(name for name in modules() if not name.endswith("__main__"))
    result = subprocess.run(
        [sys.executable, IMPORT_EVERYTHING, PACKAGE, *names],
        env=os.environ | nonsense | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout.split(), result.stderr) == (0, [], "")


def _calls_at_import(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls outside the bodies of functions: in constants, class bodies, decorators and default values."""
    waiting: list[ast.AST] = [node for node in tree.body if not _is_main_guard(node)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        else:
            waiting += ast.iter_child_nodes(node)


def _is_main_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def test_no_modules_import_each_other_in_a_circle():
    waiting = {
        name: {other for other in internal_imports(module) if other in modules() and other != name}
        for name, module in modules().items()
        if name != NAME
    }
    while ready := [name for name, others in waiting.items() if not others & waiting.keys()]:
        for name in ready:
            del waiting[name]
    assert waiting == {}


@pytest.mark.parametrize("folder", ["tformance_seed", "tests", "benchmarks", "examples"])
def test_no_file_has_more_than_400_lines(folder):
    lengths = {
        str(path.relative_to(PROJECT)): len(path.read_text().splitlines())
        for path in (PROJECT / folder).rglob("*.py")
    }
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_importing_the_package_or_its_command_line_imports_no_heavy_library():
    heavy = {"numpy", "peewee", "psycopg2", "dramatiq", "redis"}
    code = f"import sys, {NAME}, {NAME}.cli.app; print(*{heavy} & sys.modules.keys())"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == []
