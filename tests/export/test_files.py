"""CSV and Parquet: the same bytes for the same content, which other libraries read as it is."""

import csv
import datetime
import io
import json
import sqlite3

import pandas
import polars
import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from tests.export.conftest import HOSTILE
from tests.support.commands import command
from tests.support.json_output import by_table
from tformance_seed.bulk.peewee_internals import fields_of, table_name
from tformance_seed.export.csv_files import _quoted
from tformance_seed.storage.models import ACCESS, APPLICATION, LEDGER

TABLES = {table_name(model) for model in APPLICATION}


@pytest.fixture(scope="module")
def exports(sources, tmp_path_factory):
    """Folders by format and kind of database."""
    folder = tmp_path_factory.mktemp("exports")
    return {
        (form, kind): sources.export(kind, form, folder / f"{form}-{kind}")
        for form in ("csv", "parquet")
        for kind in sources.urls
    }


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_bytes_depend_neither_on_the_database_nor_on_its_history(exports, form):
    here, there = (
        {path.name: path.read_bytes() for path in exports[form, kind].iterdir()}
        for kind in ("sqlite", "postgresql")
    )
    assert here == there
    assert set(here) == {"export.json", *(f"{table}.{form}" for table in TABLES)}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_names_in_any_order_and_another_export_give_the_same_bytes(sources, exports, tmp_path, form):
    sources.export("postgresql", form, tmp_path / "named", "zeta", "acme")
    first = exports[form, "sqlite"]
    assert all((tmp_path / "named" / path.name).read_bytes() == path.read_bytes() for path in first.iterdir())


def rows(folder, table):
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def test_ids_are_numbered_and_references_lead_to_the_same_rows(sources, exports):
    folder = exports["csv", "postgresql"]
    prs = {row["id"]: row for row in rows(folder, "metrics_pullrequest")}
    members = {row["id"]: row["github_id"] for row in rows(folder, "metrics_teammember")}
    assert list(prs) == [str(number) for number in range(1, len(prs) + 1)]
    with psycopg2.connect(sources.urls["postgresql"]) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.github_repo, p.github_pr_id::text, f.filename, m.github_id FROM metrics_prfile f "
            "JOIN metrics_pullrequest p ON p.id = f.pull_request_id "
            "LEFT JOIN metrics_teammember m ON m.id = p.author_id"
        )
        expected = sorted(tuple(each or "" for each in row) for row in cursor.fetchall())
    found = []
    for row in rows(folder, "metrics_prfile"):
        pr = prs[row["pull_request_id"]]
        author = members.get(pr["author_id"], "")
        found.append((pr["github_repo"], pr["github_pr_id"], row["filename"], author))
    assert sorted(found) == expected


def test_no_reviewer_pair_is_the_wrong_way_round(exports):
    pairs = [
        (int(row["reviewer_1_id"]), int(row["reviewer_2_id"]))
        for row in rows(exports["csv", "sqlite"], "metrics_reviewercorrelation")
    ]
    assert pairs
    assert pairs == sorted(pairs)
    assert all(first < second for first, second in pairs)


def test_texts_and_times_are_those_of_the_database(sources, exports):
    names = [row["name"] for row in rows(exports["csv", "sqlite"], "teams_team")]
    assert names == [HOSTILE, "Zeta"]
    with sqlite3.connect(sources.folder / "source.db") as connection:
        query = "SELECT title, body, pr_created_at, cycle_time_hours FROM metrics_pullrequest"
        expected = sorted(connection.execute(query).fetchall(), key=repr)
    found = [
        (
            row["title"],
            row["body"],
            row["pr_created_at"].replace("T", " ").removesuffix("Z"),
            float(row["cycle_time_hours"]) if row["cycle_time_hours"] else None,
        )
        for row in rows(exports["csv", "sqlite"], "metrics_pullrequest")
    ]
    assert sorted(found, key=repr) == expected


def test_csv_has_lines_of_rfc_4180(exports):
    folder = exports["csv", "sqlite"]
    text = (folder / "metrics_teammember.csv").read_bytes().decode()
    assert text.count("\r\n") == text.count("\n") == 1 + len(rows(folder, "metrics_teammember"))


def test_null_and_empty_text_differ(exports):
    text = (exports["csv", "sqlite"] / "metrics_pullrequest.csv").read_text()
    assert ',"",' in text
    frame = pandas.read_csv(
        exports["csv", "sqlite"] / "metrics_pullrequest.csv", keep_default_na=False, dtype=str
    )
    assert len(frame) == len(rows(exports["csv", "sqlite"], "metrics_pullrequest"))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_survives_csv(text):
    line = f"{_quoted(text)},{_quoted('x')}\r\n"
    assert list(csv.reader(io.StringIO(line, newline=""), strict=True)) == [[text, "x"]]


def test_parquet_and_csv_say_the_same(exports):
    for table in TABLES:
        typed = parquet.read_table(exports["parquet", "sqlite"] / f"{table}.parquet")
        plain = rows(exports["csv", "sqlite"], table)
        assert typed.num_rows == len(plain)
        assert typed.column_names == list(plain[0]) if plain else True
        for name in typed.column_names:
            texts = [as_csv(value) for value in typed[name].to_pylist()]
            assert texts == [row[name] for row in plain]


def as_csv(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value)


def test_libraries_read_the_types(exports):
    frame = polars.read_parquet(exports["parquet", "sqlite"] / "metrics_pullrequest.parquet")
    assert frame.schema["pr_created_at"] == polars.Datetime("us", "UTC")
    assert frame.schema["cycle_time_hours"] == polars.Decimal(10, 2)
    assert frame.schema["is_revert"] == polars.Boolean
    assert {type(json.loads(text)) for text in frame["labels"]} == {list}
    plain = polars.read_csv(exports["csv", "sqlite"] / "metrics_pullrequest.csv", try_parse_dates=True)
    assert plain["pr_created_at"].to_list() == frame["pr_created_at"].to_list()
    other = pandas.read_parquet(exports["parquet", "sqlite"] / "metrics_aiusagedaily.parquet")
    assert str(other["suggestions_shown"].dtype) == "int32"


def test_nothing_secret_is_in_it(exports):
    names = {path.stem for path in exports["csv", "sqlite"].iterdir()}
    assert names.isdisjoint(table_name(model) for model in (*ACCESS, *LEDGER))
    for (form, _), folder in exports.items():
        survey = folder / f"metrics_prsurvey.{form}"
        names = parquet.read_schema(survey).names if form == "parquet" else list(rows(folder, survey.stem)[0])
        assert "token" not in names
        assert len(names) == len(fields_of(APPLICATION[9])) - 1


def test_the_manifest_and_the_json_have_the_sizes_and_digests(sources, exports, tmp_path):
    url = sources.urls["sqlite"]
    result = command("export", "--format", "csv", "--to", tmp_path / "x", "--json", DATABASE_URL=url)
    printed, manifest = json.loads(result.stdout), json.loads((tmp_path / "x" / "export.json").read_text())
    assert manifest["tables"] == printed["tables"]
    assert manifest["organisations"] == printed["organisations"]
    assert [(each["organisation"], each["team"]) for each in printed["organisations"]] == [
        ("acme", "acme"),
        ("zeta", "a-zeta"),
    ]
    path = tmp_path / "x" / "metrics_pullrequest.csv"
    assert by_table(printed)["metrics_pullrequest"]["bytes"] == path.stat().st_size
    assert by_table(printed)["metrics_pullrequest"]["rows"] == len(
        rows(tmp_path / "x", "metrics_pullrequest")
    )
