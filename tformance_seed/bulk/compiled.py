"""INSERT statements that are compiled once for a table and a connection, and then prepared by the server.

Compiling a statement takes longer than running it for a few rows, and so does planning it.
"""

import contextlib
import secrets
import weakref
from dataclasses import dataclass
from typing import Any

import peewee

from tformance_seed.bulk.dialect import puts_values_into_text
from tformance_seed.bulk.peewee_internals import driver_connection, execute_sql
from tformance_seed.bulk.row_sources import Source

#: PostgreSQL's error if a prepared statement is not there (invalid_sql_statement_name), as behind a pooler
#: that gives each transaction another session.
NOT_PREPARED = "26000"

#: Number of statements that a session has prepared at most; of more, the oldest are forgotten.
MAX_PREPARED = 100

#: The prepared statements of each connection, by name, the oldest first.
_prepared: "weakref.WeakKeyDictionary[Any, dict[str, CompiledInsert]]" = weakref.WeakKeyDictionary()


@dataclass
class CompiledInsert:
    """An INSERT from a source's rows.

    Attributes:
      sql: the statement, as of ``compile_escaped``.
      parameters: its own parameters, besides the source's.
      name: the name under which the server has it prepared; None: it has not.
      may_prepare: whether the server may be asked to prepare it.
    """

    sql: str
    parameters: list[Any]
    name: str | None = None
    may_prepare: bool = False

    def run(self, database: peewee.Database, source: Source, *, prepare: bool) -> int:
        """Run the statement for a source's rows; return the number of rows inserted or changed.

        Parameters:
          prepare: whether no transaction is open, which an error would end.
        """
        if prepare and self.may_prepare:
            try:
                return self._run_prepared(database, source)
            except peewee.InternalError:  # such as of a type that is gone, while the table has another one
                self.may_prepare = False
            except peewee.OperationalError as error:
                cause = error.__cause__ or error.__context__
                if getattr(cause, "pgcode", None) != NOT_PREPARED:
                    raise
                self.may_prepare = False
        elif self.name is None:  # from the second time on; psycopg 3 does it by itself
            self.may_prepare = bool(source.numbered and not self.parameters) and puts_values_into_text(
                database
            )
        prefix = f"WITH {source.cte} " if source.cte else ""
        return int(execute_sql(database, prefix + self.sql, [*source.parameters, *self.parameters]).rowcount)

    def _run_prepared(self, database: peewee.Database, source: Source) -> int:
        if self.name is None:
            # No other connection has this name, whichever session a pooler gives to them.
            name = f"tformance_{secrets.token_hex(8)}"
            execute_sql(database, f"PREPARE {name} AS WITH {source.numbered} {self.sql}")
            self.name = name
            prepared = _prepared.setdefault(driver_connection(database), {})
            prepared[name] = self
            if len(prepared) > MAX_PREPARED:
                self._forget_oldest(database, prepared)
        places = ", ".join(["%s"] * len(source.parameters))
        return int(execute_sql(database, f"EXECUTE {self.name} ({places})", source.parameters).rowcount)

    def _forget_oldest(self, database: peewee.Database, prepared: "dict[str, CompiledInsert]") -> None:
        name, oldest = next(iter(prepared.items()))
        del prepared[name]
        oldest.name = None
        with contextlib.suppress(peewee.OperationalError):  # a pooler may have given another session
            execute_sql(database, f"DEALLOCATE {name}")
