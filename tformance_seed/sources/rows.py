"""Rows that a source reads one by one: their texts, and how they become columns of the record."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tformance_seed.sources.detection import file_category
from tformance_seed.sources.people import redact
from tformance_seed.sources.records import Columns

#: Maximum number of bytes kept of a pull request's body and of a commit's message. Arrays are as wide as
#: their longest text, and 1 message in 2,000 in a real history is a dependency's whole change log.
MAX_BODY, MAX_MESSAGE = 8_000, 2_000

#: Number of these bytes that are the end of a longer text, and what replaces its middle.
MAX_END, CUT = 500, b"\n...\n"

#: Maximum length of a file name, as in the table.
MAX_FILENAME = 500

#: The type at the beginning of a column's description.
TYPE = re.compile(r"^[\w\[\]]+")

#: NaT as a number.
UNKNOWN_TIME = np.iinfo(np.int64).min

Row = dict[str, Any]


def clean_text(text: str, size: int, *, emails: bool) -> str:
    """Return a text without NUL, and with people's addresses redacted unless ``emails`` is set.

    Of one that has more than ``size`` bytes, its beginning and its end, with the trailers, are kept.
    """
    whole = (text if emails else redact(text)).replace("\x00", "").encode("utf-8", "replace")
    if len(whole) > size:
        whole = whole[: size - MAX_END - len(CUT)] + CUT + whole[-MAX_END:]
    return whole.decode("utf-8", "ignore")


def file_rows(pull_request: int, files: Iterable[tuple[str, str, int, int]]) -> list[Row]:
    """Return the rows of a pull request's files; those whose truncated names are equal share one.

    Parameters:
      pull_request: the index of its row.
      files: name, status, and number of lines added and deleted.
    """
    rows: dict[str, Row] = {}
    for whole_name, status, additions, deletions in files:
        name = whole_name[:MAX_FILENAME]
        row = rows.setdefault(
            name,
            {
                "pull_request": pull_request,
                "filename": name,
                "status": status,
                "additions": 0,
                "deletions": 0,
                "file_category": file_category(name),
            },
        )
        row["additions"] += additions
        row["deletions"] += deletions
    return list(rows.values())


def rows_to_columns(rows: Sequence[Row], described: Mapping[str, str]) -> Columns:
    """Return rows as arrays, typed according to the column descriptions of the record; None is NULL."""
    return {
        name: _column([row[name] for row in rows], TYPE.findall(description)[0])
        for name, description in described.items()
    }


def _column(values: list[Any], kind: str) -> npt.NDArray[Any]:
    if kind.startswith("S"):
        values = [value if value is None else value.encode("utf-8", "replace") for value in values]
    if None not in values:
        return np.array(values, dtype=kind)
    missing = [value is None for value in values]
    if kind.startswith("datetime64"):
        return np.array([UNKNOWN_TIME if value is None else value for value in values], dtype=kind)
    filled = [(b"" if kind.startswith("S") else 0) if value is None else value for value in values]
    return np.ma.MaskedArray(np.array(filled, dtype=kind), mask=missing)
