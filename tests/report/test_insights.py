"""The page lists each organisation's latest insights, the most important ones first."""

from tests.support.databases import connect
from tests.support.teams import UNTIL, add, add_team
from tformance_seed import ledger
from tformance_seed.report.listings import insights
from tformance_seed.storage.models import DailyInsight


def test_the_insights_of_the_last_day_are_listed_by_priority(filled, reader):
    teams = ledger.teams_by_name(reader)
    found = insights(reader, list(teams.values()), 100)
    for team in teams.values():
        rows = list(DailyInsight.select().where(DailyInsight.team == team))
        last = max(row.date for row in rows)
        listed = [(row.title, row.description, row.priority, row.date) for row in rows if row.date == last]
        assert sorted(map(tuple, found[team].first)) == sorted(listed)
        assert found[team].total == len(listed) > 1
        priorities = [("high", "medium", "low").index(row[2]) for row in found[team].first]
        assert priorities == sorted(priorities)


def test_older_and_others_insights_are_left_out_and_there_may_be_none(url, database):
    acme, other, empty = (add_team(slug) for slug in ("acme", "other", "empty"))
    insight = {"category": "trend", "priority": "low", "metric_type": "x", "description": ""}
    for team, day, title in ((acme, 1, "old"), (acme, 3, "new"), (other, 2, "theirs")):
        add(DailyInsight, team=team, date=UNTIL.replace(day=day), title=title, **insight)
    reading = connect(url, access="read")
    found = insights(reading, [acme.id, empty.id], 100)
    reading.close()
    assert [(team, [row[0] for row in rows.first]) for team, rows in found.items()] == [(acme.id, ["new"])]
