"""Every card of the application has something to show: the same questions, asked by SQL."""

import datetime
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import psycopg2
import pytest

import tformance_seed
from tests.pages.cards import CARDS, MERGED, SURVEYS, Card
from tests.support.repositories import ANN, BOB, CARL, Workshop
from tests.support.seeds import UNTIL
from tests.support.servers import Postgres
from tformance_seed.catalog import load_scenarios

DAY = datetime.timedelta(days=1)

#: A Sunday, with which a scenario ends.
SUNDAY = UNTIL - (UNTIL.weekday() + 1) % 7 * DAY

PAGES = Path(__file__).parents[2] / "docs" / "reference" / "pages.md"
TRAILERS = ("", "\n\nCo-Authored-By: Claude <noreply@anthropic.com>", "\n\nGenerated with Claude Code", "")


class Teams:
    """A database as the application's migrations leave it, seeded with one team of each kind."""

    def __init__(self, url: str, clone: Path) -> None:
        self.url = url
        self._connection = psycopg2.connect(url, options="-c TimeZone=UTC")
        self._connection.autocommit = True
        self.ids = {"resend": self._seed("resend", days=90), "clone": self._seed(repositories=[clone])}
        self.ids["calcom"] = self._seed("calcom", days=21)
        self.ids |= {name: self._seed(scenario=name) for name in load_scenarios()}

    def _seed(self, *organisations: str, **options: object) -> int:
        assert tformance_seed.seed(self.url, *organisations, until=SUNDAY, **options).failures == {}
        ((team,),) = self.ask("SELECT max(id) FROM teams_team")
        return team

    def ask(self, question: str, team: str | None = None, days: int = 30, periods: int = 1) -> list[tuple]:
        """Return the answer about a team's window of some days, or of several such periods."""
        values = {
            "team": self.ids[team] if team else None,
            "start": SUNDAY + DAY - periods * days * DAY,
            "end": SUNDAY + DAY,
            "days": days,
        }
        with self._connection.cursor() as cursor:
            cursor.execute(question, values)
            return cursor.fetchall()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of five squashed pull requests a week."""
    workshop = Workshop(tmp_path_factory.mktemp("corp") / "app")
    for number in range(1, 71):
        day = SUNDAY - DAY - (70 - number) * DAY
        title = f"{'fix' if number % 3 else 'feat'}: part {number} (#{number}){TRAILERS[number % 4]}"
        workshop.commit(title, f"{day} 11:00", (ANN, BOB, CARL)[number % 3])
    return workshop.path


@pytest.fixture(scope="module")
def teams(server: Postgres, clone: Path) -> Teams:
    return Teams(server.new_database("application"), clone)


def kind(team: str) -> str:
    return "scenario" if team in load_scenarios() else team


def assert_shown(teams: Teams, card: Card, team: str, days: int, least: tuple[float, ...]) -> None:
    (answer,) = teams.ask(card.question, team, days)
    assert None not in answer
    most = card.most or (float("inf"),) * len(answer)
    for value, lower, upper in zip(answer, least, most, strict=True):
        assert lower <= value <= upper, (days, answer)


@pytest.mark.parametrize("team", ["resend", "clone", *load_scenarios()])
@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_card_has_something_to_show(teams: Teams, card: Card, team: str) -> None:
    for days in (30, 90) if kind(team) not in card.absent else ():
        assert_shown(teams, card, team, days, card.least)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_card_has_something_to_show_for_a_week(teams: Teams, card: Card) -> None:
    least = card.in_week or card.least
    assert_shown(teams, card, "calcom", 7, least)
    for team in () if card.is_rare else ("resend", *load_scenarios()):
        if kind(team) not in card.absent:
            assert_shown(teams, card, team, 7, tuple(min(value, 1) for value in least))


@pytest.mark.parametrize("name", load_scenarios())
def test_a_scenario_shows_its_curve_week_by_week(teams: Teams, name: str) -> None:
    question = f"""SELECT count(*) FILTER (WHERE author_ai_assisted), count(*) FROM {SURVEYS}
                   GROUP BY date_trunc('week', p.merged_at) ORDER BY date_trunc('week', p.merged_at)"""
    weeks = teams.ask(question, name, days=56)
    curve = load_scenarios()[name].ai_adoption_rate.at(np.arange(8) / 7)
    assert len(weeks) == 8
    for (with_ai, surveys), rate in zip(weeks, curve, strict=True):
        assert abs(with_ai - rate * surveys) <= 0.5  # as near as whole pull requests can be


def test_the_application_warns_of_the_bottleneck(teams: Teams) -> None:
    (card,) = (card for card in CARDS if card.name == "bottleneck warning")
    question = card.question.replace("max(waiting)", "max(waiting) / avg(waiting)")
    ((reviewers, times_the_mean),) = teams.ask(question, "review-bottleneck")
    assert reviewers >= 2
    assert times_the_mean > 3


#: What the cards of an insight say, counted anew. A change is one of rounded means, rounded to a tenth.
FIGURES = """
    WITH merged AS (
      SELECT cycle_time_hours AS cycle, is_revert, is_now,
        CASE WHEN (llm_summary #>> '{ai,confidence}')::numeric >= 0.5
        THEN (llm_summary #>> '{ai,is_assisted}')::boolean ELSE is_ai_assisted END AS has_ai
      FROM (SELECT *, p.merged_at >= %(end)s - %(days)s * interval '1 day' AS is_now FROM MERGED) AS prs
    ), totals AS (
      SELECT count(*) FILTER (WHERE is_now) AS now, count(*) FILTER (WHERE NOT is_now) AS before,
        round(avg(cycle) FILTER (WHERE is_now), 2) AS cycle_now,
        round(avg(cycle) FILTER (WHERE NOT is_now), 2) AS cycle_before,
        count(*) FILTER (WHERE is_now AND has_ai) AS ai,
        count(*) FILTER (WHERE is_now AND is_revert) AS reverts
      FROM merged
    )
    SELECT now, round(100.0 * now / nullif(before, 0), 1) - 100, cycle_now,
      round(100 * cycle_now / nullif(cycle_before, 0), 1) - 100, round(100.0 * ai / now, 1),
      reverts, round(100.0 * reverts / now, 1)
    FROM totals
""".replace("MERGED", MERGED)


@pytest.mark.parametrize("days", [7, 30, 90])
def test_engineering_insights_are_true_of_the_figures(teams: Teams, days: int) -> None:
    for team in teams.ids:
        question = """SELECT metric_value FROM metrics_dailyinsight WHERE team_id = %(team)s
                      AND category = 'llm_insight' AND comparison_period = %(days)s::text
                      ORDER BY date DESC LIMIT 1"""
        ((insight,),) = teams.ask(question, team, days)
        ((now, more, hours, longer, ai, reverts, share),) = teams.ask(FIGURES, team, days, periods=2)
        values = [card["value"] for card in insight["metric_cards"]]
        assert values == [
            f"{now} PRs" if more is None else f"{more:+}%",
            f"{hours}h" if longer is None else f"{longer:+}%",
            f"{ai}%",
            f"{share}% reverts",
        ]
        assert insight["detail"].startswith(f"{now} pull requests were merged in the last {days} days")
        headline = insight["headline"]
        assert f"in the last {days} days" in headline
        sayings = {
            rf"AI was found in {ai}%",
            rf"Cycle time (rose|fell) {longer and abs(longer)}% to {hours} hours",
            rf"{more and abs(more)}% (more|fewer) pull requests",
            rf"{reverts} of {now} pull requests merged .* were reverts",
            rf"\w.* did {_share_of_busiest_reviewer(teams, team, days)}% of all reviews",
        }
        assert any(re.match(saying, headline) for saying in sayings), (headline, sayings)


def _share_of_busiest_reviewer(teams: Teams, team: str, days: int) -> Decimal:
    question = """SELECT round(100 * max(reviews) / sum(reviews), 1) FROM (
                  SELECT count(*) AS reviews FROM metrics_prreview WHERE team_id = %(team)s
                  AND reviewer_id IS NOT NULL AND submitted_at >= %(start)s AND submitted_at < %(end)s
                  GROUP BY reviewer_id) AS reviewers"""
    ((share,),) = teams.ask(question, team, days)
    return share


def test_commits_that_a_tool_signed_answer_by_themselves(teams: Teams) -> None:
    question = f"""SELECT count(*) FROM {SURVEYS} AND p.has_ai_commits
                   AND (author_response_source = 'auto') IS {{}}"""
    for team in ("resend", "clone", "ai-success"):
        assert teams.ask(question.format("TRUE"), team, days=90)[0][0] > 0
        assert teams.ask(question.format("NOT TRUE"), team, days=90) == [(0,)]


def test_no_status_without_rows(teams: Teams) -> None:
    question = """SELECT count(*) FROM teams_team t WHERE copilot_status = 'connected'
                  AND NOT EXISTS (SELECT FROM metrics_copilotseatsnapshot WHERE team_id = t.id)"""
    assert teams.ask(question) == [(0,)]


def test_the_documentation_lists_the_cards_that_are_tested() -> None:
    rows = re.findall(r"^\| .*? \| `?(.*?)`? \| .* \| yes.* \|$", PAGES.read_text("utf-8"), re.MULTILINE)
    listed = {name for row in rows for name in re.split(r"`, `", row)}
    assert listed == {card.name for card in CARDS}
