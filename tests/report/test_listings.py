"""The page's lists of an organisation agree with its rows."""

from collections import Counter

from tests.support.reports import SLUGS
from tformance_seed import ledger
from tformance_seed.report.listings import gather_listings, rows_each
from tformance_seed.storage.models import AIUsageDaily, PRReview, PullRequest, TeamMember


def mean_hours(pulls):
    hours = [
        float(p.cycle_time_hours) for p in pulls if p.state == "merged" and p.cycle_time_hours is not None
    ]
    return round(sum(hours) / len(hours), 6) if hours else None


def share(pulls):
    return round(sum(bool(pull.is_ai_assisted) for pull in pulls) / len(pulls), 6) if pulls else None


def rounded(row):
    return [round(value, 6) if isinstance(value, float) else value for value in row]


def test_lists_agree_with_a_recount(filled, reader):
    ids = ledger.teams_by_name(reader)
    teams = [ids[slug] for slug in SLUGS]
    found = gather_listings(reader, teams, 1_000)
    for team in teams:
        pulls = list(PullRequest.select().where(PullRequest.team == team))
        by_repository = {pull.github_repo: [] for pull in pulls}
        for pull in pulls:
            by_repository[pull.github_repo].append(pull)
        rows = {row[0]: rounded(row[1:5]) for row in found["repositories"][team].first}
        assert rows == {
            name: [len(own), sum(p.state == "merged" for p in own), share(own), mean_hours(own)]
            for name, own in by_repository.items()
        }

        reviews = Counter(row.reviewer_id for row in PRReview.select().where(PRReview.team == team))
        usage = Counter(row.member_id for row in AIUsageDaily.select().where(AIUsageDaily.team == team))
        expected = Counter()
        for member in TeamMember.select().where(TeamMember.team == team):
            own = [pull for pull in pulls if pull.author_id == member.id]
            figures = (len(own), share(own), mean_hours(own), reviews[member.id], usage[member.id])
            expected[(member.display_name, member.role, *figures)] += 1
        assert Counter(tuple(rounded(row)) for row in found["people"][team].first) == expected

        recent = found["recent"][team]
        assert recent.total == len(recent.first) == len(pulls)
        assert {(row[0], row[1], row[2]) for row in recent.first} == {
            (f"#{pull.github_pr_id}", pull.title, pull.github_repo) for pull in pulls
        }
        days = [row[5] for row in recent.first if row[5]]
        assert days == sorted(days, reverse=True)


def test_a_limit_keeps_the_first_rows_and_the_number_of_all(filled, reader):
    team = ledger.teams_by_name(reader)["polar"]
    whole, some = (gather_listings(reader, [team], limit) for limit in (1_000, 3))
    for name, rows in some.items():
        assert list(rows[team].first) == list(whole[name][team].first)[:3]
        assert rows[team].total == whole[name][team].total


def test_many_organisations_share_the_rows_of_a_page():
    assert [rows_each(count) for count in (0, 1, 20, 100, 1_000)] == [200, 200, 200, 40, 20]
