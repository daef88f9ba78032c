"""Write the tables of json.md and the JSON Schemas beside it: ``python docs/reference/make_json.py``.

Both follow from the types in ``tformance_seed.cli.objects``; the words around the tables are json.md's own.
"""

import re
from pathlib import Path

from tformance_seed.cli.objects import runs
from tformance_seed.cli.objects.schema import RESULTS, fields, schema_text
from tformance_seed.cli.objects.shared import Envelope

FOLDER = Path(__file__).parent
PAGE = FOLDER / "json.md"
SCHEMAS = FOLDER / "schemas"

#: Heading -> the object that its table describes. ``retry`` prints what ``seed`` prints.
SECTIONS = {
    "Every command": Envelope,
    **{command: results[0] for command, results in RESULTS.items() if command != "retry"},
    "dry run": runs.DryRun,
}

TABLE = re.compile(r"^\| field \| meaning \|\n(\|.*\n)*", re.MULTILINE)


def page(text: str) -> str:
    """Return the text of the page with the table below each heading as the types have it."""
    for heading, result in SECTIONS.items():
        before, mark, rest = text.partition(f"\n## {heading}\n")
        if not mark:
            raise SystemExit(f"{PAGE} has no section {heading}")
        text = before + mark + TABLE.sub(lambda _, result=result: table(result), rest, count=1)
    return text


def table(result: type) -> str:
    """Return a table of all fields of an object."""
    rows = (f"| `{path}` | {meaning} |\n" for path, meaning in fields(result))
    return "".join(["| field | meaning |\n", "| --- | --- |\n", *rows])


def main() -> None:
    """Write the page and the schemas."""
    PAGE.write_text(page(PAGE.read_text()))
    SCHEMAS.mkdir(exist_ok=True)
    for command in RESULTS:
        (SCHEMAS / f"{command}.json").write_text(schema_text(command) + "\n")


if __name__ == "__main__":
    main()
