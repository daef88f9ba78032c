"""Counts by day equal a recount, in the compact form of the page too."""

from collections import Counter

import pytest

from tests.support.recomputation import Recount
from tests.support.reports import SLUGS
from tests.support.story import WEEK, Story
from tests.support.teams import HOUR, MONDAY, add, add_team
from tformance_seed.report import charts, page
from tformance_seed.report.daily import work
from tformance_seed.report.daily.ai import ACTIVE, RECORDED, SEAT_USES, WITH_AI, adoption, member_days
from tformance_seed.report.daily.outcomes import (
    RIGHT,
    SAID_NO,
    SAID_YES,
    UNANSWERED,
    UNKNOWN_GUESS,
    WRONG,
    deployments,
)
from tformance_seed.report.series import add_up, gather_daily
from tformance_seed.storage.models import AIUsageDaily, Deployment, PullRequest, TeamMember

#: All queries of the page.
QUERIES = [*page.HEADLINE_QUERIES, *(chart.query for chart in charts.CHARTS if chart.query)]

#: Of deployments that do not count.
OTHER = {"github_repo": "acme/0", "deployed_at": MONDAY, "sha": ""}


def test_days_add_up_to_a_recount(filled, reader):
    found = gather_daily(reader, SLUGS, QUERIES)
    everything = Recount.of_all()
    dated = [pull for pull in everything.pulls if pull.week]
    assert found.undated == len(everything.pulls) - len(dated) == 1
    series = found.series["pull_requests"]
    assert sum(series.sums["count"]) == len(dated)
    hours = sum(pull.cycle or 0 for pull in dated)
    assert sum(series.sums["hundredths"]) == pytest.approx(100 * hours)
    assert sum(found.series["first_reviews"].sums["count"]) == len(everything.hours("review"))
    assert sum(found.series["usage"].sums["count"]) == len(everything.usage)
    assert sum(found.series["member_days"].sums["count"]) == everything.member_days
    assert sum(found.series["tools"].sums["count"]) == sum(len(set(pull.tools)) for pull in everything.merged)
    assert sum(found.series["reviews"].sums["count"]) == len(everything.reviews)


def test_outcomes_equal_a_recount(filled, reader):
    found = gather_daily(reader, SLUGS, QUERIES).series
    rows = Story.of_all().rows
    deployed = Counter((day, int(failed)) for _, day, failed, _ in rows["deployments"])
    assert by_day(found["deployments"], "failed") == deployed
    hours = sum(round(100 * hours) for *_, hours in rows["deployments"] if hours is not None)
    assert sum(found["deployments"].sums["hundredths"]) == hours
    assert sum(found["surveys"].sums["count"]) == len(rows["surveys"])
    said = {"No answer": UNANSWERED, "Without AI": SAID_NO, "With AI": SAID_YES}
    answered = Counter((day, said[answer]) for _, day, answer in rows["surveys"])
    assert by_day(found["surveys"], "answer") == answered
    ratings = [rating for *_, rating, _ in rows["answers"] if rating is not None]
    assert sum(found["survey_reviews"].sums["ratings"]) == sum(ratings)
    guesses = {None: UNKNOWN_GUESS, False: WRONG, True: RIGHT}
    guessed = Counter((day, guesses[right]) for _, day, *_, right in rows["answers"])
    assert by_day(found["survey_reviews"], "guess") == guessed
    assert sum(found["issues"].sums["tenths"]) == sum(int(10 * points) for *_, points in rows["issues"])
    assert sum(found["issues"].sums["count"]) == len(rows["issues"])


def test_members_and_seats_of_a_week_are_counted_once(filled, reader):
    found = gather_daily(reader, SLUGS, QUERIES)
    story = Story.of_all()
    members = by_day(found.series["adoption"], "who")
    who = found.series["adoption"].dimensions["who"]
    seats = by_day(found.series["seats"], "use")
    for week in found.mondays:
        used, active = story.adoption(week)
        assert (members[week, ACTIVE], members[week, WITH_AI]) == (active, used)
        assert members[week, RECORDED] == story.recorded(week)
        for tool in set(who) - {ACTIVE, RECORDED, WITH_AI}:
            assert members[week, tool] == story.adoption(week, tool)[0]
        assert tuple(seats[week, use] for use in SEAT_USES) == story.seats(week)
    assert {day for day, _ in members} | {day for day, _ in seats} <= set(found.mondays)


def test_nobody_is_known_to_use_no_ai_before_the_first_record_of_it(database):
    acme, quiet = add_team("acme"), add_team("quiet")
    for team in (acme, quiet):
        member = add(TeamMember, team=team, display_name="Ann")
        for week in range(4):
            pull = {"team": team, "author": member, "pr_created_at": MONDAY + week * WEEK}
            add(PullRequest, github_pr_id=week, github_repo="a/b", state="open", **pull)
        if team == acme:
            add(AIUsageDaily, team=team, member=member, date=(MONDAY + 2 * WEEK).date(), source="copilot")
    rows = adoption(database, [acme.id, quiet.id]).rows
    assert Counter(name for _, _, name, _ in rows) == {ACTIVE: 8, RECORDED: 2, WITH_AI: 1, "copilot": 1}
    later = [(MONDAY + week * WEEK).date() for week in (2, 3)]
    assert sorted(row for row in rows if row[2] == RECORDED) == [(acme.id, day, RECORDED, 1) for day in later]


def test_a_day_on_which_a_member_used_two_tools_is_one_day_of_a_member(database):
    team, day = add_team("acme"), MONDAY.date()
    member = add(TeamMember, team=team, display_name="Ada")
    for source in ("any", "recorded"):  # the names of tools, whatever the package calls what it counts
        add(AIUsageDaily, team=team, member=member, date=day, source=source)
    assert member_days(database, [team.id]).rows == [(team.id, day, 1)]
    counted = {(who, count) for _, _, who, count in adoption(database, [team.id]).rows}
    assert counted == {(who, 1) for who in ("any", "recorded", ACTIVE, RECORDED, WITH_AI)}


@pytest.mark.parametrize(
    ("statuses", "hours"),
    [
        ("+", []),
        ("-+", [1]),
        ("--+", [2]),
        ("-", []),
        ("+-", []),
        ("-+-++", [1, 1]),
        ("-|+", []),
        ("-|-+", [1]),
    ],
)
def test_an_incident_lasts_from_its_first_failure_to_the_next_success(database, statuses, hours):
    """Deployments are an hour apart; a bar begins those of another repository."""
    team, repository = add_team("acme"), 0
    for number, status in enumerate(statuses):
        repository += status == "|"
        if status == "|":
            continue
        add(
            Deployment,
            team=team,
            github_deployment_id=number,
            github_repo=f"acme/{repository}",
            environment="production",
            status="success" if status == "+" else "failure",
            deployed_at=MONDAY + HOUR * (number - repository),
            sha="",
        )
    add(Deployment, team=team, github_deployment_id=97, environment="staging", status="failure", **OTHER)
    add(Deployment, team=team, github_deployment_id=98, environment="production", status="pending", **OTHER)
    rows = deployments(database, [team.id]).rows
    assert len(rows) == len(statuses.replace("|", ""))
    assert [row[-1] / 100 for row in rows if row[-1]] == hours


def by_day(series, dimension) -> Counter:
    """Counts by day and by the value of one dimension."""
    counts = Counter()
    sizes = {name: len(values) for name, values in series.dimensions.items()}
    for key, count in zip(series.keys, series.sums["count"], strict=True):
        indexes = {}
        for name in reversed(sizes):
            key, indexes[name] = divmod(key, sizes[name])
        day, value = (series.dimensions[name][indexes[name]] for name in ("day", dimension))
        counts[day, value] += count
    return counts


def test_only_the_busiest_reviewers_are_counted(filled, reader, monkeypatch):
    monkeypatch.setattr(work, "MAX_REVIEWERS", 2)
    found = gather_daily(reader, SLUGS, QUERIES)
    everything = Recount.of_all()
    for slug in SLUGS:
        counts = {}
        for _, _, name in everything.of(slug).reviews:
            counts[name] = counts.get(name, 0) + 1
        reviewers = found.series["reviews"].dimensions["reviewer"]
        kept = [reviewer.name for reviewer in reviewers if found.slugs[reviewer.team] == slug]
        assert (
            sorted((counts[name] for name in kept), reverse=True) == sorted(counts.values(), reverse=True)[:2]
        )


def test_series_are_packed_without_loss():
    rows = [("b", 1, 5), ("a", 0, 1), ("b", 1, 2), ("a", 2, 9)]
    series = add_up(rows, {"letter": "ab", "number": range(3)}, ("count",))
    assert series.packed() == {
        "dimensions": {"letter": 2, "number": 3},
        "steps": [0, 2, 2],
        "sums": {"count": [1, 9, 7]},
        "by_week": False,
    }
