"""Every difference between a database and the application's tables, and which of them stop seeding.

Seeding refuses what ``stops`` yields, and ``doctor`` says the same of it: both read it here.
"""

import re
from collections.abc import Iterator, Sequence

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.schema.actual import found
from tformance_seed.storage.schema.expected import Column, Index, Table, spelling, wanted
from tformance_seed.storage.schema.findings import Finding
from tformance_seed.storage.schema.privileges import missing_rights

MIGRATE = "bring the application's migrations up to date"
OTHER_VERSION = "use a version of tformance_seed made for that schema"
NOTHING = "nothing; seeding leaves it alone"

#: Types that hold text, which COPY writes in the same way.
TEXT = ("character varying", "text")


def stops(database: peewee.Database) -> list[Finding]:
    """What keeps a database from being seeded; an empty one keeps nothing."""
    found = [*differences(database), *missing_rights(database)]
    return [finding for finding in found if finding.severity == "stops"]


def refusal(findings: Sequence[Finding]) -> str:
    """One line about what stops seeding."""
    first, *more = findings
    want = f", want {first.recommended}" if first.recommended else ""
    rest = f" (and {len(more)} more, which `tformance-seed doctor` names)" if more else ""
    return f"{first.where}: {first.now}{want}{rest}; {first.todo}"


def differences(database: peewee.Database) -> Iterator[Finding]:
    """Compare the application's tables with those that are there. A database without any table is fit."""
    want = wanted(database)
    there = table_names(database)  # once: another run may be making the tables of an empty database
    have = found(database, want.keys() & there)
    if not have:
        if there:
            names = ", ".join(sorted(there)[:3])
            yield Finding(
                "no-application",
                "stops",
                where="database",
                now=f"has tables ({names}, ...) but none of the application's",
                why="it may be the wrong one",
                todo="is it the right one? `tformance-seed init` makes them beside those",
            )
        return
    for name, table in want.items():
        if name in have:
            yield from _columns(name, table, have[name])
            yield from _indexes(name, table, have[name], postgresql=is_postgresql(database))
            yield from _references(name, table, have[name], known=want)
            yield from _checks(name, table, have[name])
        else:
            yield Finding(
                "missing-table",
                "stops",
                where=name,
                now="missing",
                recommended=f"the application's table with {len(table.columns)} columns",
                why="seeding fills it",
                todo=f"{MIGRATE}; `tformance-seed init` makes missing tables",
            )


def _columns(name: str, want: Table, have: Table) -> Iterator[Finding]:
    for column, wish in want.columns.items():
        where = f"{name}.{column}"
        if column not in have.columns:
            yield Finding(
                "missing-column",
                "stops",
                where,
                "missing",
                str(wish),
                "seeding fills it",
                f"{MIGRATE}, then seed",
            )
        else:
            yield from _column(where, wish, have.columns[column])
    for column in sorted(have.columns.keys() - want.columns.keys()):
        where, there = f"{name}.{column}", have.columns[column]
        if there.null or there.filled:
            yield Finding(
                "extra-column",
                "advises",
                where,
                f"{there}, not known here".lstrip(", "),
                why="seeded rows get its default",
                todo=NOTHING,
            )
        else:
            yield Finding(
                "unknown-column",
                "stops",
                where,
                "must be filled and is not known here",
                why="a row without it is refused",
                todo=OTHER_VERSION,
            )


def _column(where: str, wish: Column, there: Column) -> Iterator[Finding]:
    if there.type != wish.type:
        holds = _holds(there.type, wish.type)
        yield Finding(
            "column-type",
            "advises" if holds else "stops",
            where,
            there.type,
            wish.type,
            "it holds all that the application's type holds"
            if holds
            else "seeded values may not fit into it",
            f"{MIGRATE}, if it should be as the application has it" if holds else MIGRATE,
        )
    if there.null != wish.null:
        yield Finding(
            "column-null",
            "stops" if wish.null else "advises",
            where,
            "may be empty" if there.null else "must be filled",
            "may be empty" if wish.null else "must be filled",
            "seeding leaves it empty in some rows"
            if wish.null
            else "seeding fills it always; others may leave it empty",
            MIGRATE,
        )
    if wish.filled and not there.filled:
        yield Finding(
            "id-not-numbered",
            "stops",
            where,
            "does not number itself",
            "generated by default as identity",
            "seeding leaves numbers to the database",
            MIGRATE,
        )


def _holds(have: str, want: str) -> bool:
    """Whether a column of one type takes every value of another, written as that other in binary COPY."""
    (kind, *size), (wish, *least) = (
        (re.sub(r"\(.*", "", text), *map(int, re.findall(r"\d+", text))) for text in (have, want)
    )
    if kind in TEXT and wish in TEXT:
        return not size or (bool(least) and size >= least)
    if kind == wish == "numeric":
        return not size or (size[1] >= least[1] and size[0] - size[1] >= least[0] - least[1])
    return False


def _indexes(name: str, want: Table, have: Table, *, postgresql: bool) -> Iterator[Finding]:
    there = {index.identity for index in have.indexes}
    known = {index.identity for index in want.indexes}
    for index in want.indexes:
        if index.identity not in there:
            yield _missing(name, index, postgresql=postgresql)
    for index in have.indexes:
        if index.identity in known:
            continue
        if index.unique:
            yield Finding(
                "extra-unique-key",
                "warns",
                name,
                f"{index.name} on {index}, not known here",
                why="seeded rows that have the same there are refused",
                todo="see that it is meant; if a run fails on it, drop it",
            )
        else:
            yield Finding(
                "extra-index",
                "advises",
                name,
                f"{index.name} on {index}, not known here",
                why="each one makes writing a little slower",
                todo="nothing, if somebody's queries use it",
            )


def _missing(name: str, index: Index, *, postgresql: bool) -> Finding:
    statement = index.statement()
    concurrently = statement.replace("INDEX ", "INDEX CONCURRENTLY ", 1)
    made = {"statement": f"{concurrently if postgresql else statement};"}
    if not index.unique:
        why = "what looks rows up by it reads the whole table instead"
        return Finding("missing-index", "warns", name, "none", f"an index on {index}", why, MIGRATE, **made)
    return Finding(
        "missing-unique-key",
        "stops" if index.target else "warns",
        name,
        "none",
        f"a unique key on {index}",
        "ON CONFLICT needs it to find the row that is there" if index.target else "nothing keeps doubles out",
        MIGRATE,
        **made,
    )


def _references(name: str, want: Table, have: Table, known: dict[str, Table]) -> Iterator[Finding]:
    for column, (parent, _) in want.references.items():
        if have.references.get(column, (None, None))[0] != parent and column in have.columns:
            yield Finding(
                "missing-foreign-key",
                "warns",
                f"{name}.{column}",
                "none",
                f"a foreign key to {parent}",
                "nothing keeps rows from pointing nowhere",
                MIGRATE,
                f'ALTER TABLE "{name}" ADD FOREIGN KEY ("{column}") REFERENCES "{parent}" ("id") '
                "DEFERRABLE INITIALLY DEFERRED;",
            )
    for column, (parent, deferred) in have.references.items():
        wish = want.references.get(column)
        if parent in known and (wish is None or wish[0] != parent):
            why, now = "rows that point nowhere are refused", f"a foreign key to {parent}, not known here"
        elif wish == (parent, True) and not deferred:
            why, now = "the application writes rows in any order", "a foreign key that is checked at once"
        else:
            continue
        yield Finding("extra-foreign-key", "warns", f"{name}.{column}", now, why=why, todo=MIGRATE)


def _checks(name: str, want: Table, have: Table) -> Iterator[Finding]:
    there, known = set(map(spelling, have.checks)), set(map(spelling, want.checks))
    for check in want.checks:
        if spelling(check) not in there:
            why = "nothing keeps such values out"
            yield Finding("missing-check", "advises", name, "none", f"a check {check}", why, MIGRATE)
    for check in have.checks:
        if spelling(check) not in known:
            yield Finding(
                "extra-check",
                "warns",
                name,
                f"a check {check}, not known here",
                why="seeded rows that do not pass are refused",
                todo="see that it is meant; if a run fails on it, drop it",
            )
