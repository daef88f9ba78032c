import json
from pathlib import Path

import pytest

from tests.support.commands import command

UNTIL = ("--until", "2026-03-18")

#: A name that would end every part of a script that it could be in.
HOSTILE = "*/ /* -- '; $tformance_seed$ ` \\ ] \u00e9"

CATALOGUE = f"""\
[acme]
name = {json.dumps(HOSTILE)}
members = 12
prs_per_year = 1200
[zeta]
name = "Zeta"
members = 9
prs_per_year = 900
team_slug = "a-zeta"
"""


class Sources:
    """The same content in an SQLite file and in PostgreSQL, by different runs."""

    def __init__(self, folder: Path, postgresql: str) -> None:
        self.folder = folder
        self.catalog = folder / "own.toml"
        self.catalog.write_text(CATALOGUE)
        self.urls = {"sqlite": f"sqlite:///{folder}/source.db", "postgresql": postgresql}
        self.seed("sqlite", "--all", "--days", "12", *UNTIL)
        # Other ids, in another order, with gaps.
        self.seed("postgresql", "zeta", "--seed", "7", "--days", "3", *UNTIL)
        self.seed("postgresql", "zeta", "--yes", "--days", "12", *UNTIL)
        self.seed("postgresql", "acme", "--chunk-size", "7", "--days", "12", *UNTIL)

    def seed(self, kind: str, *arguments: str) -> None:
        result = command("seed", *arguments, "--catalog", self.catalog, DATABASE_URL=self.urls[kind])
        assert result.returncode == 0, result.stderr

    def export(self, kind: str, form: str, target: Path, *more: object) -> Path:
        """Export to a place; return it."""
        result = command("export", "--format", form, "--to", target, *more, DATABASE_URL=self.urls[kind])
        assert result.returncode == 0, result.stderr
        return target


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, server) -> Sources:
    return Sources(tmp_path_factory.mktemp("sources"), server.new_database())
