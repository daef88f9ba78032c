"""Whether a session finds the application's tables, or its search path leaves their schema out."""

from collections.abc import Iterator

import peewee

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import execute_sql, table_name
from tformance_seed.storage.models import APPLICATION
from tformance_seed.storage.schema.findings import Finding

#: The first schema of the search path that exists, and the path itself.
PATH = "SELECT quote_ident(current_schema()), current_setting('search_path')"

#: The schemas with tables of the given names: whether unqualified names refer to any of these, whether they
#: do not refer to some of them, and whether the schema is on the search path.
SCHEMAS = """
    SELECT quote_ident(n.nspname), bool_or(pg_table_is_visible(c.oid)),
           NOT bool_and(pg_table_is_visible(c.oid)), n.nspname = ANY(current_schemas(false))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = ANY(%s) AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
    GROUP BY n.nspname ORDER BY n.nspname"""


def search_path_findings(database: peewee.Database) -> Iterator[Finding]:
    """Yield what is wrong with the search path; nothing on SQLite, which has none."""
    if not is_postgresql(database):
        return
    ((first, path),) = execute_sql(database, PATH)
    if first is None:
        yield Finding(
            "search-path",
            "error",
            "search path",
            f"no schema of it ({path}) exists, or this user may use none",
            why="no table can be found or created",
            todo="create one of them, or set another search path: ALTER ROLE ... SET search_path = public",
        )
        return
    names = [table_name(model) for model in APPLICATION]
    schemas = list(execute_sql(database, SCHEMAS, (names,)))
    visible = [schema for schema, is_visible, _, _ in schemas if is_visible]
    hidden = [schema for schema, _, is_hidden, on_path in schemas if on_path and is_hidden]
    elsewhere = [schema for schema, _, _, on_path in schemas if not on_path]
    if hidden:
        others = [schema for schema in visible if schema not in hidden]
        yield Finding(
            "hidden-table",
            "warning",
            f"schema {hidden[0]}",
            f"tables of the application are hidden by others of the same names, in {' and '.join(others)}",
            why="statements without the name of a schema reach only the first",
            todo="drop the copies that are not the application's, or set another search path",
        )
    elif elsewhere and not visible:
        yield Finding(
            "search-path",
            "error",
            "search path",
            f"it ({path}) leaves out schema {elsewhere[0]}, which has the application's tables",
            why="seeding would make others",
            todo=f"add {elsewhere[0]} to it, such as by ?options=-csearch_path={elsewhere[0]} in the URL; to "
            f"make tables of their own in {first}, `tformance-seed init`",
        )
