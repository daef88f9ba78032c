"""Feed hostile inputs to every entrance: catalogues, URLs, rows, messages and git histories."""

import contextlib
import datetime
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peewee
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.soak.findings import Findings
from tformance_seed.bulk import upsert
from tformance_seed.catalog.organisations import load_organisations
from tformance_seed.errors import SeedError
from tformance_seed.execution import broker
from tformance_seed.execution.executor import Executor
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Request
from tformance_seed.storage import connection
from tformance_seed.storage.models import Team
from tformance_seed.storage.schema.create import create_missing
from tformance_seed.urls import parse_server_url

#: Any text, with what databases, TOML and git treat specially more often.
TEXT = st.text(max_size=40) | st.text(alphabet="\x00\n\r\t'\"\\[]{}=#,.%@:/?& é\U0001f600aA0-", max_size=40)

#: Any value that a caller may put into a row.
VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXT,
    st.binary(max_size=20),
    st.datetimes(),
    st.dates(),
    st.decimals(),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(TEXT, st.integers(), max_size=3),
)

#: A day on which what is read from histories ends.
UNTIL = datetime.date(2026, 3, 18)
NOW = datetime.datetime(2026, 3, 19, tzinfo=datetime.UTC)

#: Entrance -> its share of all inputs. A history takes a second, the others milliseconds.
SHARES = {"catalogue": 0.3, "url": 0.3, "row": 0.29, "message": 0.1, "history": 0.01}


def run(total: int, number: int, findings: Findings) -> None:
    """Try as many inputs as asked; each must end in the package's own error or in none."""
    with tempfile.TemporaryDirectory() as name:
        entrances = _entrances(Path(name))
        for kind, share in SHARES.items():
            strategy, enter = entrances[kind]
            _try(kind, max(1, round(total * share)), number, strategy, enter, findings)
            print(f"{findings.inputs[kind]} hostile inputs: {kind}", file=sys.stderr)


def _try(
    kind: str,
    count: int,
    number: int,
    strategy: st.SearchStrategy[Any],
    enter: Callable[[Any], object],
    findings: Findings,
) -> None:
    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def examine(value: Any) -> None:
        findings.inputs[kind] += 1
        enter(value)

    try:
        examine()
    except Exception as error:  # noqa: BLE001 - each is a finding
        notes = " ".join(getattr(error, "__notes__", []))
        where = "".join(traceback.format_tb(error.__traceback__)[-2:])
        findings.report(f"{kind}: {type(error).__name__}: {str(error)[:300]} {notes[:600]} {where}")


def _entrances(folder: Path) -> dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], object]]]:
    database = connection.connect(f"sqlite:///{folder}/rows.db")
    create_missing(database)
    executor = Executor(broker.in_process(), lambda: database)

    def catalogue(text: str) -> None:
        path = folder / "own.toml"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        with contextlib.suppress(SeedError):
            load_organisations(path)

    def url(text: str) -> None:
        parsed = parse_server_url(text)
        if parsed is not None and parsed.hosts not in LOCAL:
            return
        with contextlib.suppress(SeedError):
            connection.connect(text, access="read")
        with contextlib.suppress(SeedError):
            broker.connect(text).check()

    def row(values: dict[str, Any]) -> None:
        with database.atomic() as transaction:
            with contextlib.suppress(ValueError, TypeError, peewee.DatabaseError):
                upsert(Team, [values], database=database)
            transaction.rollback()

    def message(values: dict[str, Any]) -> None:
        actor = executor.actors["sync"]
        with contextlib.suppress(Exception):  # Dramatiq has it; the process and the ledger must live on
            actor.fn(**values)
        assert database.execute_sql("SELECT count(*) FROM seed_task").fetchone() == (0,)

    def history(commits: list[tuple[bytes, bytes, int]]) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as name:
            _import(Path(name), commits)
            with contextlib.suppress(SeedError):
                request = Request(organisations=("acme",), repositories=[Path(name)], until=UNTIL, days=3000)
                for plan in make_plans(request, NOW):
                    list(plan.source.batches(0, plan.source.length))

    table = st.builds(
        "[{}]\n{} = {}\n".format, TEXT | st.just("acme"), st.sampled_from(KEYS) | TEXT, TOML_VALUE
    )
    columns = [field.column_name for field in Team._meta.sorted_fields]
    keys = ["run", "job", "organisation", "stage", "offset"]
    line = st.binary(max_size=60).map(lambda part: part.replace(b"\0", b" "))
    name = line.map(lambda part: bytes(byte for byte in part if byte not in b"<>\n\r"))
    return {
        "catalogue": (TEXT | st.lists(table, max_size=4).map("".join), catalogue),
        "url": (st.builds("{}{}{}".format, st.sampled_from(SCHEMES), TEXT, st.sampled_from(ENDS)), url),
        "row": (st.dictionaries(st.sampled_from(columns), VALUE, min_size=1), row),
        "message": (st.dictionaries(st.sampled_from([*keys, "shard"]), VALUE), message),
        "history": (st.lists(st.tuples(name, line, st.integers(0, 2**40)), min_size=1, max_size=8), history),
    }


KEYS = (
    "name",
    "members",
    "repos",
    "ai_adoption_rate",
    "industry",
    "languages",
    "team_slug",
    "jira_project_key",
)
TOML_VALUE = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    TEXT.map(lambda text: repr(text)),
    st.just("[]"),
    st.just("{}"),
    st.just('["a/b", "c/d"]'),
    st.just("1979-05-27"),
    TEXT,
)
SCHEMES = (
    "sqlite:///",
    "postgresql://",
    "postgres://",
    "embedded:///",
    "redis://",
    "amqp://",
    "",
    "mysql://",
)

#: Nothing listens there; no URL may reach anything else.
ENDS = ("@127.0.0.1:1/x", "/nonexistent/folder/x", "@127.0.0.1:1/0?a=b")
LOCAL = ("", "127.0.0.1:1")


def _import(folder: Path, commits: list[tuple[bytes, bytes, int]]) -> None:
    """Make a repository of commits with these authors, messages and moments."""
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "init", "--quiet", "--bare", "--initial-branch=main"], check=True)
    stream = b""
    for number, (name, message, moment) in enumerate(commits):
        content = message + b"\n%d\n" % number
        stream += b"commit refs/heads/main\ncommitter %s <%s> %d +0000\n" % (name, name, moment)
        stream += b"data %d\n%s\nM 100644 inline file\ndata %d\n%s\n" % (
            len(message),
            message,
            len(content),
            content,
        )
    subprocess.run([*git, "fast-import", "--quiet"], input=stream, check=False, capture_output=True)
