"""Small teams whose data agrees with itself, row by row through the models."""

import datetime
import random
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import peewee

from tformance_seed.metrics import refresh_insights, refresh_reviewer_pairs, refresh_weekly
from tformance_seed.simulate.ai_signals import weigh
from tformance_seed.simulate.summary_format import SUMMARY_VERSION
from tformance_seed.sources.detection import DETECTION_VERSION
from tformance_seed.storage.models import (
    AIUsageDaily,
    Commit,
    CopilotEditorDaily,
    CopilotLanguageDaily,
    CopilotSeatSnapshot,
    Deployment,
    JiraIssue,
    PRCheckRun,
    PRComment,
    PRFile,
    PRReview,
    PRSurvey,
    PRSurveyReview,
    PullRequest,
    Team,
    TeamMember,
)

#: A Monday, and the last day of the window of a coherent team: a Wednesday.
MONDAY = datetime.datetime(2025, 1, 6, tzinfo=datetime.UTC)
UNTIL = datetime.date(2025, 2, 19)

HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


def add(model: type[peewee.Model], **values: Any) -> Any:
    """Insert one row; moments not given are the Monday."""
    for name in ("created_at", "updated_at", "synced_at"):
        if name in model._meta.fields:
            values.setdefault(name, MONDAY)
    return model.create(**values)


def add_team(slug: str) -> Team:
    return add(Team, name=slug.title(), slug=slug, billing_details_last_changed=MONDAY)


def add_members(team: Team, count: int) -> list[TeamMember]:
    return [
        add(
            TeamMember,
            team=team,
            display_name=f"Member {number}",
            github_id=str(100 + number),
            email=f"{number}@example.com",
        )
        for number in range(count)
    ]


def hours(later: datetime.datetime, earlier: datetime.datetime) -> Decimal:
    exact = Decimal(int((later - earlier).total_seconds())) / 3600
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _title(number: int, slug: str) -> str:
    words = ["revert"] * (number % 11 == 0) + ["hotfix"] * (number % 13 == 0)
    return " ".join([f"AC-{number} Change", *words, "✓", slug])


def _summary(number: int, tools: list[str]) -> dict[str, Any]:
    return {
        "ai": {"is_assisted": bool(tools), "tools": tools, "usage_type": None, "confidence": 0.9},
        "tech": {"languages": ["python"], "frameworks": [], "categories": ["backend"]},
        "summary": {"title": f"Change ü {number}", "description": "Changes 2 files.", "type": "bugfix"},
        "health": {"review_friction": "low", "scope": "small", "risk_level": "low", "insights": ["ü"]},
    }


class Coherent:
    """A team in which every table has rows and every rule holds.

    Parameters:
      shuffle: orders the insertions, so that ids and physical order differ; the content does not.
    """

    def __init__(self, database: peewee.Database, slug: str = "acme", shuffle: int = 0) -> None:
        self.database = database
        numbers = list(range(1, 31))
        random.Random(shuffle).shuffle(numbers)
        with database.atomic():
            self.team = add_team(slug)
            self.members = add_members(self.team, 4)
            for number in numbers:
                self._pull_request(number)
            for offset in range(5):
                self._usage(MONDAY.date() + DAY * offset)
            self.compute()

    def compute(self) -> None:
        """Compute the aggregates anew."""
        refresh_weekly(self.database, self.team.id, MONDAY.date() - 7 * DAY, UNTIL)
        refresh_reviewer_pairs(self.database, self.team.id)
        refresh_insights(self.database, self.team.id, UNTIL)

    def _pull_request(self, number: int) -> None:
        """Every tenth is open, every tenth closed, every fifth has no review and no comment."""
        team, author = self.team, self.members[number % 4]
        others = [member for member in self.members if member.id != author.id]
        state = {3: "open", 7: "closed"}.get(number % 10, "merged")
        reviewed = number % 5 != 0
        created = MONDAY + DAY * number + HOUR * (number % 5)
        first = created + datetime.timedelta(minutes=7 * number) if reviewed else None
        ended = created + datetime.timedelta(hours=5 + number, seconds=number)
        merged = ended if state == "merged" else None
        with_ai = number % 3 == 0
        fixed = with_ai and first is not None and first < created + HOUR
        tools = ["claude"] if with_ai else []
        summary = _summary(number, tools) if number % 4 else None
        signals, score = weigh(summary and summary["ai"], tools, commits=with_ai, review=False, files=False)
        pull_request = add(
            PullRequest,
            team=team,
            author=author,
            github_pr_id=number,
            github_repo=f"{team.slug}/{'web' if number % 2 else 'api'}",
            title=_title(number, team.slug),
            body="Written with Claude." if with_ai else "",
            state=state,
            pr_created_at=created,
            first_review_at=first,
            merged_at=merged,
            review_time_hours=hours(first, created) if first else None,
            cycle_time_hours=hours(merged, created) if merged else None,
            additions=3 * number,
            deletions=number,
            jira_key=f"AC-{number}",
            total_comments=int(reviewed),
            review_rounds=int(fixed),
            avg_fix_response_hours=hours(created + HOUR, first) if fixed else None,
            commits_after_first_review=int(bool(first) and first < created + HOUR),
            is_ai_assisted=with_ai,
            ai_tools_detected=tools,
            ai_detection_version=DETECTION_VERSION,
            has_ai_commits=with_ai,
            is_revert=number % 11 == 0,
            is_hotfix=number % 13 == 0,
            labels=["ü", "bug"] if number % 2 else [],
            ai_signals=signals,
            llm_summary=summary,
            llm_summary_version=SUMMARY_VERSION if summary else "",
            ai_confidence_score=Decimal(str(score)),
        )
        mine = {"team": team, "pull_request": pull_request}
        for part in (1, 2):
            lines = {"additions": number * part, "deletions": number * (part - 1)}
            name = f"src/{part}.py"
            add(
                PRFile,
                **mine,
                **lines,
                filename=name,
                status="modified",
                changes=sum(lines.values()),
                file_category="backend",
            )
            add(
                Commit,
                **mine,
                **lines,
                author=author,
                github_sha=f"{number:039}{part}",
                github_repo=pull_request.github_repo,
                committed_at=created + HOUR * (part - 1),
                message="Change\n\nCo-authored-by: Claude <noreply@anthropic.com>" if with_ai else "Change",
                ai_co_authors=tools,
                is_ai_assisted=with_ai,
            )
        add(
            PRCheckRun,
            **mine,
            github_check_run_id=number,
            name="unit",
            status="completed",
            conclusion="success",
            started_at=created,
            completed_at=created + datetime.timedelta(seconds=90),
            duration_seconds=90,
        )
        if reviewed:
            self._reviews(number, pull_request, others)
        if merged:
            self._after_merge(number, pull_request, others if reviewed else [])

    def _reviews(self, number: int, pull_request: PullRequest, others: list[TeamMember]) -> None:
        mine = {"team": self.team, "pull_request": pull_request}
        states = [("changes_requested", "approved"), ("commented", "approved"), ("commented", "commented")]
        for place, state in enumerate(states[number % 3]):
            add(
                PRReview,
                **mine,
                reviewer=others[place],
                github_review_id=10 * number + place,
                state=state,
                submitted_at=pull_request.first_review_at + HOUR * place,
            )
        add(
            PRComment,
            **mine,
            author=others[0],
            github_comment_id=number,
            body="It's | a 100% 'quoted' \\ body",
            comment_type="issue",
            comment_created_at=pull_request.first_review_at,
        )

    def _after_merge(self, number: int, pull_request: PullRequest, reviewers: list[TeamMember]) -> None:
        mine = {"team": self.team, "pull_request": pull_request}
        created, merged, with_ai = pull_request.pr_created_at, pull_request.merged_at, number % 3 == 0
        add(
            Deployment,
            **mine,
            github_deployment_id=number,
            github_repo=pull_request.github_repo,
            environment="production",
            status="success",
            deployed_at=merged + HOUR,
            sha=f"{number:040}",
        )
        add(
            JiraIssue,
            team=self.team,
            jira_key=f"AC-{number}",
            jira_id=str(number),
            status="Done",
            story_points=Decimal(number % 5) + Decimal("0.5"),
            issue_created_at=created - DAY,
            resolved_at=merged,
            cycle_time_hours=hours(merged, created - DAY),
            assignee=pull_request.author,
        )
        answered = number % 4 != 0
        survey = add(
            PRSurvey,
            **mine,
            author=pull_request.author,
            author_ai_assisted=with_ai if answered else None,
            author_responded_at=merged + HOUR if answered else None,
            token=f"{self.team.slug}-{number}",
        )
        for place, reviewer in enumerate(reviewers[:2]):
            guess = (number + place) % 2 == 0
            add(
                PRSurveyReview,
                team=self.team,
                survey=survey,
                reviewer=reviewer,
                quality_rating=1 + (number + place) % 3,
                ai_guess=guess,
                guess_correct=guess == with_ai if answered else None,
                responded_at=merged + HOUR,
            )

    def _usage(self, day: datetime.date) -> None:
        for place, member in enumerate(self.members):
            shown, accepted = 100 + 7 * place, 30 + place
            rate = (Decimal(100 * accepted) / shown).quantize(Decimal("0.01"), ROUND_HALF_UP)
            add(
                AIUsageDaily,
                team=self.team,
                member=member,
                date=day,
                source="cursor" if place == 3 else "copilot",
                active_hours=Decimal("2.5"),
                suggestions_shown=shown,
                suggestions_accepted=accepted,
                acceptance_rate=rate,
            )
        daily = {"team": self.team, "date": day}
        add(CopilotSeatSnapshot, **daily, total_seats=5, active_this_cycle=3, inactive_this_cycle=2)
        shown = {"suggestions_shown": 321, "suggestions_accepted": 93}
        add(CopilotLanguageDaily, **daily, **shown, language="python")
        add(CopilotEditorDaily, **daily, **shown, editor="vscode", active_users=3)
