import datetime
import hashlib
from decimal import Decimal
from pathlib import Path

import peewee
import pytest

from tests.support.databases import connect
from tests.support.teams import MONDAY, Coherent, add, add_members, add_team
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.storage.models import (
    APPLICATION,
    AIUsageDaily,
    PRFile,
    PRReview,
    PRSurveyReview,
    PullRequest,
    Team,
    TeamMember,
)
from tformance_seed.storage.schema.create import create_missing
from tformance_seed.verification import ContentDigest, digest
from tformance_seed.verification.natural_keys import natural_key


def coherent_digest(url: str, decoys: int, shuffle: int) -> ContentDigest:
    database = connect(url)
    try:
        create_missing(database)
        for number in range(decoys):
            add_members(add_team(f"decoy-{number}"), 3)
        team = Coherent(database, shuffle=shuffle)
        if is_postgresql(database):
            database.execute_sql("SET TIME ZONE 'Asia/Tokyo'")
            database.execute_sql("SET DateStyle = 'German'")
        return digest(database, team.team.id)
    finally:
        database.close()


def test_databases_ids_and_the_order_of_rows_do_not_matter(tmp_path: Path, postgresql_url: str) -> None:
    one = coherent_digest(f"sqlite:///{tmp_path}/one.db", decoys=0, shuffle=0)
    two = coherent_digest(f"sqlite:///{tmp_path}/two.db", decoys=2, shuffle=1)
    three = coherent_digest(postgresql_url, decoys=1, shuffle=2)
    assert one.tables == two.tables == three.tables
    assert one.digest == two.digest == three.digest


def test_every_table_is_in_it(coherent: Coherent) -> None:
    content = digest(coherent.database, coherent.team.id)
    assert list(content.tables) == [model._meta.table_name for model in APPLICATION]
    for model in APPLICATION:
        assert content.tables[model._meta.table_name]["rows"] == model.select().count() > 0
    digests = [table["digest"] for table in content.tables.values()]
    assert len({*digests, content.digest}) == len(APPLICATION) + 1
    assert all(len(value) == 32 for value in digests)


def test_other_teams_do_not_matter(coherent: Coherent) -> None:
    before = digest(coherent.database, coherent.team.id)
    other = Coherent(coherent.database, "other")
    assert digest(coherent.database, coherent.team.id) == before
    assert digest(coherent.database, other.team.id) != before


CHANGES = [
    (PullRequest, {"title": "other"}),
    (PullRequest, {"cycle_time_hours": Decimal("0.01")}),
    (PullRequest, {"is_draft": True}),
    (PullRequest, {"milestone_title": "NULL"}),
    (PullRequest, {"labels": ["bug"]}),
    (PullRequest, {"ai_signals": {"commits": {"b": 1}, "score": 1}}),
    (PullRequest, {"llm_summary": None}),
    (PullRequest, {"first_review_at": MONDAY}),
    (PullRequest, {"merged_at": MONDAY + datetime.timedelta(microseconds=10)}),
    (PullRequest, {"review_rounds": 7}),
    (PRReview, {"reviewer": None}),
    (PRSurveyReview, {"guess_correct": None}),
    (AIUsageDaily, {"active_hours": None}),
    (AIUsageDaily, {"date": datetime.date(2031, 1, 1)}),
    (TeamMember, {"role": "lead"}),
    (Team, {"copilot_status": "connected"}),
]


@pytest.mark.parametrize(("model", "values"), CHANGES)
def test_a_changed_value_changes_the_digest_of_its_table(
    coherent: Coherent, model: type[peewee.Model], values: dict
) -> None:
    before = digest(coherent.database, coherent.team.id)
    known = [model._meta.fields[name].is_null(False) for name, value in values.items() if value is None]
    first = model.select(model.id).where(model.id > 0, *known).first()
    assert model.update(values).where(model.id == first.id).execute() == 1
    after = digest(coherent.database, coherent.team.id)
    changed = {name for name in before.tables if before.tables[name] != after.tables[name]}
    assert changed == {model._meta.table_name}
    assert after.digest != before.digest


def test_what_the_team_is_called_does_not_matter(coherent: Coherent) -> None:
    before = digest(coherent.database, coherent.team.id)
    Team.update(name="Other", slug="other").execute()
    assert digest(coherent.database, coherent.team.id) == before


def test_a_child_that_moves_to_another_parent_changes_the_digest(coherent: Coherent) -> None:
    database, team_id = coherent.database, coherent.team.id
    before = digest(database, team_id)
    file = PRFile.select().first()
    other = PullRequest.select().where(PullRequest.id != file.pull_request_id).first()
    PRFile.update(pull_request=other, filename="moved").where(PRFile.id == file.id).execute()
    moved = digest(database, team_id)
    PRFile.update(pull_request=file.pull_request_id).where(PRFile.id == file.id).execute()
    stayed = digest(database, team_id)
    assert len({content.tables["metrics_prfile"]["digest"] for content in (before, moved, stayed)}) == 3


def test_null_is_not_an_empty_text_and_text_stays_in_its_column(database: peewee.Database) -> None:
    texts = [
        ("", ""),
        ("a", "b"),
        ("ab", ""),
        ("", "ab"),
        ("a|1:b", ""),
        ("a", "|1:b"),
        ("'", "\\"),
        ("%s", "é"),
    ]
    digests = set()
    for number, (editor, name) in enumerate([*texts, (None, ""), (None, "a")]):
        team = add_team("acme")
        add(TeamMember, team=team, display_name=name, copilot_last_editor=editor, github_id="1")
        digests.add(digest(database, team.id).tables["metrics_teammember"]["digest"])
        TeamMember.delete().execute()
        Team.delete().execute()
        assert len(digests) == number + 1


def test_equal_rows_are_counted(database: peewee.Database) -> None:
    team = add_team("acme")
    digests = []
    for rows in (1, 2, 3):
        add(TeamMember, team=team, display_name="same")
        table = digest(database, team.id).tables["metrics_teammember"]
        assert table["rows"] == rows
        digests.append(table["digest"])
    assert len(set(digests)) == 3


def test_json_is_compared_by_value(database: peewee.Database) -> None:
    team = add_team("acme")
    values = {"team": team, "github_pr_id": 1, "github_repo": "a/b", "state": "open"}
    row = add(PullRequest, **values, ai_signals={"a": [1, 2.5, None, "é\n"], "b": {"d": 1, "c": True}})
    before = digest(database, team.id)
    text = '{"b": {"c": true, "d": 1}, "a": [1, 2.50, null, "\\u00e9\\n"]}'
    PullRequest.update(ai_signals=peewee.Value(text, converter=False)).where(
        PullRequest.id == row.id
    ).execute()
    assert digest(database, team.id) == before


def test_text_that_is_not_json_is_digested_as_it_is(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/test.db")
    create_missing(database)
    team = add_team("acme")
    add(PullRequest, team=team, github_pr_id=1, github_repo="a/b", state="open")
    digests = set()
    for text in ("[]", "[", "", "{'a': 1}"):
        PullRequest.update(labels=peewee.Value(text, converter=False)).execute()
        digests.add(digest(database, team.id).digest)
    database.close()
    assert len(digests) == 4


def test_times_are_compared_as_moments(database: peewee.Database) -> None:
    team = add_team("acme")
    zone = datetime.timezone(datetime.timedelta(hours=9))
    moments = [
        datetime.datetime(2025, 1, 31, 23, 30, tzinfo=datetime.UTC),
        datetime.datetime(2025, 2, 1, 8, 30, tzinfo=zone),
        datetime.datetime(2025, 1, 31, 23, 30, 0, 500_000, tzinfo=datetime.UTC),
        datetime.datetime(2025, 1, 31, 23, 30, 0, 5, tzinfo=datetime.UTC),
    ]
    digests = []
    for moment in moments:
        Team.update(last_synced_with_stripe=moment).execute()
        digests.append(digest(database, team.id).tables["teams_team"]["digest"])
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_a_row_is_hashed_as_one_canonical_text(database: peewee.Database) -> None:
    """The form of the digest is part of the interface: people compare it across versions."""
    team = add_team("acme")
    (author,) = add_members(team, 1)
    add(
        PullRequest,
        team=team,
        author=author,
        github_pr_id=7,
        github_repo="a/b",
        title="A|B é",
        state="open",
        pr_created_at=MONDAY + datetime.timedelta(microseconds=500),
        cycle_time_hours=Decimal("1.5"),
        labels=["b", {"d": 1, "c": None}],
    )
    monday = "2025-01-06 00:00:00+00"
    text = (
        f"{monday}|{monday}|7|3:a/b|5:A|B é|4:open|2025-01-06 00:00:00.0005+00|||1.50||0|0|0|0|{monday}"
        "|3:100|13:0@example.com|0:|||||0:||0|0:|0:|0:|0|0|0|"
        '\x1f[]\x1f[]\x1f["b",{"c":null,"d":1}]\x1f[]\x1f\x1f{}'
    )
    expected = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    assert digest(database, team.id).tables["metrics_pullrequest"] == {"rows": 1, "digest": expected}


def test_whatever_is_referred_to_has_a_natural_key() -> None:
    parents = {field.rel_model for model in APPLICATION for field in model._meta.refs}
    for parent in parents:
        assert natural_key(parent)
        assert not {"id", "team"} & {field.name for field in natural_key(parent)}
