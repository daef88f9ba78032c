"""Write tables as CSV (RFC 4180): a file a table, in UTF-8, with a line of names.

NULL is nothing at all, and empty text is ``""``, as PostgreSQL's COPY has it; pandas takes both for missing.
"""

import re
from contextlib import ExitStack
from pathlib import Path

import peewee

from tformance_seed.export.formats import file_names, public_fields
from tformance_seed.export.rows import Values
from tformance_seed.storage.models import ApplicationModel
from tformance_seed.storage.models.fields import TimestampField

#: What must be in quotes.
SPECIAL = re.compile('[",\r\n]')

#: How booleans are written.
BOOLEANS = {None: "", 0: "false", 1: "true"}

END_OF_LINE = "\r\n"


class CsvFiles:
    """Writes a folder of CSV files."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        self._fields = {model: public_fields(model) for model in file_names("csv")}
        self._streams = {
            model: self._stack.enter_context((folder / name).open("w", encoding="utf-8", newline=""))
            for model, name in file_names("csv").items()
        }
        for model, stream in self._streams.items():
            stream.write(",".join(field.column_name for _, field in self._fields[model]) + END_OF_LINE)

    def write(self, model: type[ApplicationModel], columns: list[Values]) -> None:
        """Write rows of a table."""
        texts = [_texts(field, columns[place]) for place, field in self._fields[model]]
        lines = map(",".join, zip(*texts, strict=True))
        self._streams[model].write("".join(line + END_OF_LINE for line in lines))

    def close(self) -> None:
        """Close the files."""
        self._stack.close()


def _texts(field: peewee.Field, values: Values) -> list[str]:
    if isinstance(field, peewee.BooleanField):
        return [BOOLEANS[value] for value in values]
    if isinstance(field, TimestampField):
        return ["" if value is None else f"{value.replace(' ', 'T')}Z" for value in values]
    return ["" if value is None else _quoted(str(value)) for value in values]


def _quoted(text: str) -> str:
    return text if text and not SPECIAL.search(text) else '"' + text.replace('"', '""') + '"'
