"""The differences between a database's schema and the expected one, and which of them block seeding.

Seeding stops if ``blocking_findings`` returns any findings, and ``doctor`` reports the same ones as errors.
"""

import re
from collections.abc import Iterator, Sequence

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.errors import InputError
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.schema.actual import introspect
from tformance_seed.storage.schema.expected import Column, Index, Table, expected_schema, normalise
from tformance_seed.storage.schema.findings import Finding
from tformance_seed.storage.schema.privileges import missing_privileges
from tformance_seed.storage.schema.search_path import search_path_findings

#: Instructions for dealing with a difference.
MIGRATE = "bring the application's migrations up to date"
OTHER_VERSION = "use a version of tformance_seed made for that schema"
NOTHING = "nothing; seeding leaves it alone"

#: Text types, whose values have the same format in COPY.
TEXT_TYPES = ("character varying", "text")


def blocking_findings(database: peewee.Database) -> list[Finding]:
    """Return the findings that block seeding. An empty database has no schema differences."""
    findings = [*differences(database), *missing_privileges(database)]
    return [finding for finding in findings if finding.severity == "error"]


def raise_if_blocking(findings: Sequence[Finding]) -> None:
    """Raise InputError, with one line about the first finding, if there are any."""
    if not findings:
        return
    first, *more = findings
    expected = f", expected {first.recommended}" if first.recommended else ""
    rest = f" (and {len(more)} more, which `tformance-seed doctor` lists)" if more else ""
    raise InputError(f"{first.where}: {first.now}{expected}{rest}; {first.todo}")


def differences(database: peewee.Database) -> Iterator[Finding]:
    """Yield the differences between the application's tables and a database's; none if it is empty."""
    expected = expected_schema(database)
    yield from search_path_findings(database)
    tables = table_names(database)  # once: another run may be creating the tables of an empty database
    actual = introspect(database, expected.keys() & tables)
    if not actual:
        if tables:
            names = ", ".join(sorted(tables)[:3])
            yield Finding(
                "no-application",
                "error",
                where="database",
                now=f"has tables ({names}, ...) but none of the application's",
                why="it may be the wrong database",
                todo="if it is the right one, `tformance-seed init` creates them beside those",
            )
        return
    for name, table in expected.items():
        if name in actual:
            yield from _columns(name, table, actual[name])
            yield from _indexes(name, table, actual[name], postgresql=is_postgresql(database))
            yield from _references(name, table, actual[name], known=expected)
            yield from _checks(name, table, actual[name])
        else:
            yield Finding(
                "missing-table",
                "error",
                where=name,
                now="missing",
                recommended=f"the application's table with {len(table.columns)} columns",
                why="seeding fills it",
                todo=f"{MIGRATE}; `tformance-seed init` creates missing tables",
            )


def _columns(name: str, expected_table: Table, actual_table: Table) -> Iterator[Finding]:
    for column, expected in expected_table.columns.items():
        where = f"{name}.{column}"
        if column not in actual_table.columns:
            yield Finding(
                "missing-column",
                "error",
                where,
                "missing",
                str(expected),
                "seeding fills it",
                f"{MIGRATE}, then seed",
            )
        else:
            yield from _column(where, expected, actual_table.columns[column])
    for column in sorted(actual_table.columns.keys() - expected_table.columns.keys()):
        where, actual = f"{name}.{column}", actual_table.columns[column]
        if actual.null or actual.has_default:
            yield Finding(
                "extra-column",
                "advice",
                where,
                f"{actual}, unknown to this package".lstrip(", "),
                why="seeded rows get its default",
                todo=NOTHING,
            )
        else:
            yield Finding(
                "unknown-column",
                "error",
                where,
                "must not be NULL and is unknown to this package",
                why="a row without it is refused",
                todo=OTHER_VERSION,
            )


def _column(where: str, expected: Column, actual: Column) -> Iterator[Finding]:
    if actual.type != expected.type:
        holds = _holds(actual.type, expected.type)
        yield Finding(
            "column-type",
            "advice" if holds else "error",
            where,
            actual.type,
            expected.type,
            "it holds all that the application's type holds"
            if holds
            else "seeded values may not fit into it",
            f"{MIGRATE}, if it should be as the application has it" if holds else MIGRATE,
        )
    if actual.null != expected.null:
        yield Finding(
            "column-null",
            "error" if expected.null else "advice",
            where,
            "may be NULL" if actual.null else "must not be NULL",
            "may be NULL" if expected.null else "must not be NULL",
            "seeding leaves it NULL in some rows"
            if expected.null
            else "seeding always fills it; other programs may not",
            MIGRATE,
        )
    if expected.has_default and not actual.has_default:
        yield Finding(
            "id-not-generated",
            "error",
            where,
            "has no generated value",
            "generated by default as identity",
            "seeding leaves ids to the database",
            MIGRATE,
        )


def _holds(actual: str, expected: str) -> bool:
    """Return whether a type can hold every value of another, in the same binary COPY format."""
    (kind, size), (expected_kind, minimum) = _type_and_sizes(actual), _type_and_sizes(expected)
    if kind in TEXT_TYPES and expected_kind in TEXT_TYPES:
        return not size or (bool(minimum) and size >= minimum)
    if kind == expected_kind == "numeric":
        return not size or (size[1] >= minimum[1] and size[0] - size[1] >= minimum[0] - minimum[1])
    return False


def _type_and_sizes(text: str) -> tuple[str, list[int]]:
    return re.sub(r"\(.*", "", text), [int(number) for number in re.findall(r"\d+", text)]


def _indexes(name: str, expected_table: Table, actual_table: Table, *, postgresql: bool) -> Iterator[Finding]:
    present = {index.identity for index in actual_table.indexes}
    known = {index.identity for index in expected_table.indexes}
    for index in expected_table.indexes:
        if index.identity not in present:
            yield _missing_index(name, index, postgresql=postgresql)
    for index in actual_table.indexes:
        if index.identity in known:
            continue
        if index.unique:
            yield Finding(
                "extra-unique-key",
                "warning",
                name,
                f"{index.name} on {index}, unknown to this package",
                why="seeded rows with equal values there are refused",
                todo="check that it is intended; if a run fails on it, drop it",
            )
        else:
            yield Finding(
                "extra-index",
                "advice",
                name,
                f"{index.name} on {index}, unknown to this package",
                why="each one makes writing a little slower",
                todo="nothing, if queries use it",
            )


def _missing_index(name: str, index: Index, *, postgresql: bool) -> Finding:
    statement = index.statement()
    concurrently = statement.replace("INDEX ", "INDEX CONCURRENTLY ", 1)
    statement = f"{concurrently if postgresql else statement};"
    if not index.unique:
        why = "queries that look rows up by it read the whole table instead"
        return Finding(
            "missing-index", "warning", name, "none", f"an index on {index}", why, MIGRATE, statement
        )
    return Finding(
        "missing-unique-key",
        "error" if index.is_target else "warning",
        name,
        "none",
        f"a unique key on {index}",
        "ON CONFLICT needs it to find the existing row" if index.is_target else "nothing prevents duplicates",
        MIGRATE,
        statement,
    )


def _references(
    name: str, expected_table: Table, actual_table: Table, known: dict[str, Table]
) -> Iterator[Finding]:
    for column, (parent, _) in expected_table.references.items():
        if actual_table.references.get(column, (None, None))[0] != parent and column in actual_table.columns:
            yield Finding(
                "missing-foreign-key",
                "warning",
                f"{name}.{column}",
                "none",
                f"a foreign key to {parent}",
                "nothing prevents references to rows that do not exist",
                MIGRATE,
                f'ALTER TABLE "{name}" ADD FOREIGN KEY ("{column}") REFERENCES "{parent}" ("id") '
                "DEFERRABLE INITIALLY DEFERRED;",
            )
    for column, (parent, deferred) in actual_table.references.items():
        expected = expected_table.references.get(column)
        if parent in known and (expected is None or expected[0] != parent):
            why, now = (
                "references to missing rows are refused",
                f"a foreign key to {parent} that is unknown here",
            )
        elif expected == (parent, True) and not deferred:
            why, now = "the application writes rows in any order", "a foreign key that is checked immediately"
        else:
            continue
        yield Finding("extra-foreign-key", "warning", f"{name}.{column}", now, why=why, todo=MIGRATE)


def _checks(name: str, expected_table: Table, actual_table: Table) -> Iterator[Finding]:
    present, known = set(map(normalise, actual_table.checks)), set(map(normalise, expected_table.checks))
    for check in expected_table.checks:
        if normalise(check) not in present:
            why = "nothing prevents such values"
            yield Finding("missing-check", "advice", name, "none", f"a check {check}", why, MIGRATE)
    for check in actual_table.checks:
        if normalise(check) not in known:
            yield Finding(
                "extra-check",
                "warning",
                name,
                f"a check {check}, unknown to this package",
                why="seeded rows that violate it are refused",
                todo="check that it is intended; if a run fails on it, drop it",
            )
