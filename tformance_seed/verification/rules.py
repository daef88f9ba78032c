"""Define the rules that a team's data must obey, each by conditions that no row may meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import peewee
from peewee import fn

from tformance_seed.bulk import is_distinct
from tformance_seed.sources.detection.logins import LOGINS
from tformance_seed.storage.models import (
    AIUsageDaily,
    Commit,
    CopilotEditorDaily,
    CopilotLanguageDaily,
    CopilotSeatSnapshot,
    DailyInsight,
    Deployment,
    JiraIssue,
    PRCheckRun,
    PRComment,
    PRFile,
    PRReview,
    PRSurvey,
    PRSurveyReview,
    PullRequest,
    ReviewerCorrelation,
    Team,
    TeamMember,
    WeeklyMetrics,
)
from tformance_seed.verification import conditions, derived, row_checks
from tformance_seed.verification.conditions import Condition, Model
from tformance_seed.verification.recomputation import (
    has_wrong_insight,
    has_wrong_pair,
    has_wrong_weekly_metrics,
)
from tformance_seed.verification.row_checks import RowCheck


@dataclass(frozen=True)
class Rule:
    """A rule that a team's data must obey.

    Parameters:
      meaning: the rule as a sentence.
      broken: table -> the condition that a row meets if it breaks the rule.
      row_checks: table -> the function that finds the rows that break it, where no condition can say it.
      joins: references to follow, so that the condition can use columns of parents.
      counted: the model to which the condition applies instead of the table, whose rows may be missing.
    """

    meaning: str
    broken: Mapping[Model, Condition] = field(default_factory=dict)
    row_checks: Mapping[Model, RowCheck] = field(default_factory=dict)
    joins: tuple[peewee.ForeignKeyField, ...] = ()
    counted: Model | None = None


#: Name -> rule.
RULES: dict[str, Rule] = {
    "choices": Rule("every value is among the choices of its column", conditions.has_illegal_choice()),
    "lengths": Rule("no text is longer than its column", conditions.has_too_long_text()),
    "json": Rule("every JSON column holds JSON", conditions.has_invalid_json()),
    "own_team": Rule("every row refers only to rows of its own team", conditions.refers_to_another_team()),
    "pull_request_unique": Rule(
        "repository and number identify exactly one pull request", {PullRequest: conditions.is_duplicate}
    ),
    "review_after_creation": Rule(
        "no pull request is reviewed before it is created",
        {PullRequest: PullRequest.first_review_at < PullRequest.pr_created_at},
    ),
    "merge_after_review": Rule(
        "no pull request is merged before its first review",
        {PullRequest: PullRequest.merged_at < PullRequest.first_review_at},
    ),
    "merge_after_creation": Rule(
        "no pull request is merged before it is created",
        {PullRequest: PullRequest.merged_at < PullRequest.pr_created_at},
    ),
    "merged_when": Rule(
        "a pull request has a merge time if and only if it is merged",
        {PullRequest: (PullRequest.state == "merged") != PullRequest.merged_at.is_null(False)},
    ),
    "cycle_hours": Rule(
        "the cycle time is the time from creation to merge",
        {
            PullRequest: conditions.hours_differ(
                PullRequest.cycle_time_hours, PullRequest.merged_at, PullRequest.pr_created_at
            )
        },
    ),
    "review_hours": Rule(
        "the review time is the time from creation to the first review",
        {
            PullRequest: conditions.hours_differ(
                PullRequest.review_time_hours, PullRequest.first_review_at, PullRequest.pr_created_at
            )
        },
    ),
    "first_review": Rule(
        "the first review is the earliest review",
        {
            PullRequest: lambda database, _: is_distinct(
                database,
                PullRequest.first_review_at,
                conditions.aggregate_of_children(PRReview.pull_request, fn.MIN(PRReview.submitted_at)),
            )
        },
    ),
    "rounds_counted": Rule(
        "the number of review rounds is the number of reviews that request changes and that a commit follows",
        {PullRequest: derived.rounds_differ},
    ),
    "fix_hours": Rule(
        "the fix response time is the mean time from those reviews to the first commit after each",
        {PullRequest: derived.fix_hours_differ},
    ),
    "commits_counted": Rule(
        "the number of commits after the first review is the number of later commits",
        {PullRequest: derived.commits_differ},
    ),
    "comments_counted": Rule(
        "the comment count is the number of comments and of reviews with a text",
        {PullRequest: derived.comments_differ},
    ),
    "title_flags": Rule(
        "a pull request is a revert or a hotfix if and only if its title contains the word",
        {PullRequest: derived.flags_differ},
    ),
    "jira_key": Rule(
        "the Jira key is the first one in the title, if there is one",
        row_checks={PullRequest: row_checks.other_jira_keys},
    ),
    "ai_tools": Rule(
        "a pull request is AI-assisted if and only if its title, its body or its bot names an AI tool",
        row_checks={PullRequest: row_checks.undetected_tools},
    ),
    "ai_signs": Rule(
        "a pull request has AI commits and AI reviews if and only if there are some",
        {PullRequest: derived.signs_differ},
    ),
    "ai_files": Rule(
        "a pull request has AI files if and only if one of its files configures an AI tool",
        row_checks={PullRequest: row_checks.undetected_ai_files},
    ),
    "ai_signals": Rule(
        "the AI signals and the confidence follow from the summary, the tools found and the signs of AI",
        row_checks={PullRequest: row_checks.wrong_signals},
    ),
    "summary_format": Rule(
        "every summary is in the application's format",
        row_checks={PullRequest: row_checks.invalid_summaries},
    ),
    "file_category": Rule(
        "the category of a file follows from its path",
        row_checks={PRFile: row_checks.other_file_categories},
    ),
    "lines_counted": Rule(
        "the lines added and deleted are the sums over the files",
        {
            PullRequest: (PullRequest.additions != conditions.sum_of_files(PRFile.additions))
            | (PullRequest.deletions != conditions.sum_of_files(PRFile.deletions))
        },
    ),
    "changes_add_up": Rule(
        "the changes of a file are the sum of its additions and deletions",
        {PRFile: PRFile.changes != PRFile.additions + PRFile.deletions},
    ),
    "review_by_other": Rule(
        "no author reviews their own pull request",
        {PRReview: PRReview.reviewer == PullRequest.author},
        joins=(PRReview.pull_request,),
    ),
    "ai_reviewer": Rule(
        "an AI review has the type of a reviewer that the application knows, and no other review has one",
        {
            PRReview: (PRReview.is_ai_review != (PRReview.ai_reviewer_type != ""))
            | PRReview.ai_reviewer_type.not_in(["", *LOGINS])
        },
    ),
    "decided_by_member": Rule(
        "only members approve or request changes; others comment",
        {PRReview: PRReview.reviewer.is_null() & (PRReview.state != "commented")},
    ),
    "commit_before_merge": Rule(
        "no commit of a pull request is later than its merge",
        {Commit: Commit.committed_at > PullRequest.merged_at},
        joins=(Commit.pull_request,),
    ),
    "commit_repository": Rule(
        "a commit is in the repository of its pull request",
        {Commit: Commit.github_repo != PullRequest.github_repo},
        joins=(Commit.pull_request,),
    ),
    "commit_tools": Rule(
        "a commit is AI-assisted by the tools that its message names as co-authors",
        row_checks={Commit: row_checks.undetected_co_authors},
    ),
    "comment_after_creation": Rule(
        "no comment is earlier than its pull request",
        {PRComment: PRComment.comment_created_at < PullRequest.pr_created_at},
        joins=(PRComment.pull_request,),
    ),
    "check_duration": Rule(
        "a check run's duration is the time from its start to its end",
        {
            PRCheckRun: conditions.duration_differs(
                PRCheckRun.duration_seconds,
                PRCheckRun.completed_at,
                PRCheckRun.started_at,
                unit=1,
                tolerance=conditions.SECONDS_TOLERANCE,
            )
        },
    ),
    "deployed_after_merge": Rule(
        "only merged pull requests are deployed, and not before their merge",
        {Deployment: PullRequest.merged_at.is_null() | (Deployment.deployed_at < PullRequest.merged_at)},
        joins=(Deployment.pull_request,),
    ),
    "jira_issue_known": Rule(
        "the Jira key of a merged pull request is the key of an existing issue, if the team has issues",
        {PullRequest: conditions.has_unknown_issue},
    ),
    "jira_hours": Rule(
        "the cycle time of an issue is the time from its creation to its resolution",
        {
            JiraIssue: conditions.hours_differ(
                JiraIssue.cycle_time_hours, JiraIssue.resolved_at, JiraIssue.issue_created_at
            )
        },
    ),
    "jira_resolved": Rule(
        "an issue has a resolution time if and only if it is resolved",
        {JiraIssue: JiraIssue.status.in_(conditions.RESOLVED) == JiraIssue.resolved_at.is_null()},
    ),
    "survey_of_merged": Rule(
        "surveys are about merged pull requests",
        {PRSurvey: PullRequest.state != "merged"},
        joins=(PRSurvey.pull_request,),
    ),
    "survey_of_author": Rule(
        "a survey asks the author of the pull request",
        {PRSurvey: lambda database, _: is_distinct(database, PRSurvey.author, PullRequest.author)},
        joins=(PRSurvey.pull_request,),
    ),
    "answer_when": Rule(
        "an author's answer and its time are both set or both NULL",
        {PRSurvey: PRSurvey.author_ai_assisted.is_null() != PRSurvey.author_responded_at.is_null()},
    ),
    "answer_after_merge": Rule(
        "no author answers a survey before the merge",
        {PRSurvey: PRSurvey.author_responded_at < PullRequest.merged_at},
        joins=(PRSurvey.pull_request,),
    ),
    "automatic_answer": Rule(
        "an automatic answer says that AI helped",
        {PRSurvey: (PRSurvey.author_response_source == "auto") & ~PRSurvey.author_ai_assisted},
    ),
    "answer_has_usage": Rule(
        "an author who reports that AI helped has recorded usage of AI tools, if the team records it",
        {PRSurvey: conditions.has_no_recorded_usage},
    ),
    "guess_right": Rule(
        "a guess is correct if and only if the author's answer is the same, and neither if there is none",
        {
            PRSurveyReview: lambda database, _: is_distinct(
                database, PRSurveyReview.guess_correct, PRSurveyReview.ai_guess == PRSurvey.author_ai_assisted
            )
        },
        joins=(PRSurveyReview.survey,),
    ),
    "guess_after_merge": Rule(
        "no reviewer answers a survey before the merge",
        {PRSurveyReview: PRSurveyReview.responded_at < PullRequest.merged_at},
        joins=(PRSurveyReview.survey, PRSurvey.pull_request),
    ),
    "surveyed_reviewed": Rule(
        "a survey asks only those who reviewed the pull request",
        {PRSurveyReview: conditions.has_not_reviewed()},
        joins=(PRSurveyReview.survey,),
    ),
    "accepted_were_shown": Rule(
        "no more suggestions are accepted than are shown",
        {
            model: model.suggestions_accepted > model.suggestions_shown
            for model in (AIUsageDaily, CopilotLanguageDaily, CopilotEditorDaily)
        },
    ),
    "acceptance_rate": Rule(
        "the acceptance rate is the share of suggestions accepted",
        {
            AIUsageDaily: conditions.rate_differs(
                AIUsageDaily.acceptance_rate,
                AIUsageDaily.suggestions_accepted,
                AIUsageDaily.suggestions_shown,
            )
        },
    ),
    "usage_on_weekdays": Rule(
        "AI tools are used only from Monday to Friday", {AIUsageDaily: conditions.is_on_weekend}
    ),
    "seats_add_up": Rule(
        "active and inactive Copilot seats add up to the total",
        {
            CopilotSeatSnapshot: CopilotSeatSnapshot.total_seats
            != CopilotSeatSnapshot.active_this_cycle + CopilotSeatSnapshot.inactive_this_cycle
        },
    ),
    "copilot_days": Rule(
        "the Copilot figures of a day are the sums of the members' usage", conditions.copilot_days_differ()
    ),
    "seats_in_use": Rule(
        "no more members use Copilot on a day than have an active seat",
        {CopilotSeatSnapshot: conditions.has_too_few_seats},
    ),
    "copilot_activity": Rule(
        "a member's last activity is on a day on which they used Copilot",
        {TeamMember: conditions.has_no_such_activity},
    ),
    "copilot_connected": Rule(
        "the Copilot of a team is connected only if there are figures of it",
        {Team: conditions.is_wrongly_connected},
    ),
    "weekly_metrics": Rule(
        "weekly metrics equal their recomputation",
        {WeeklyMetrics: has_wrong_weekly_metrics},
        counted=TeamMember,
    ),
    "reviewer_pairs": Rule(
        "reviewer pairs equal their recomputation", {ReviewerCorrelation: has_wrong_pair}, counted=TeamMember
    ),
    "insights": Rule(
        "the insights of the last day equal their recomputation",
        {DailyInsight: has_wrong_insight},
        counted=Team,
    ),
}
