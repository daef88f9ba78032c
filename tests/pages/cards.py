"""What each card of the application asks the database, and the answer that makes it worth looking at."""

from dataclasses import dataclass

#: Merged pull requests of the window, as nearly every card counts them.
MERGED = """metrics_pullrequest p WHERE p.team_id = %(team)s AND p.state = 'merged'
            AND p.author_id IS NOT NULL AND p.merged_at >= %(start)s AND p.merged_at < %(end)s"""

#: Merged pull requests of the window with what belongs to them: to be joined before the condition.
OF_MERGED = """p ON p.id = {table}.pull_request_id WHERE p.team_id = %(team)s AND p.state = 'merged'
               AND p.author_id IS NOT NULL AND p.merged_at >= %(start)s AND p.merged_at < %(end)s"""


def of_merged(table: str) -> str:
    """Return the rows of a table that belong to merged pull requests of the window, as SQL."""
    return f"{table} JOIN metrics_pullrequest {OF_MERGED.format(table=table)}"


@dataclass(frozen=True)
class Card:
    """A card: its path or name, and its question, which is about a window of some days.

    Parameters:
      question: SQL that returns one row.
      least: the least value of each column of the answer.
      in_week: the least values where the window is a week; None: the same.
      most: the greatest, where more would look wrong.
      absent: the kinds of team (scenario, clone) in which the card is empty.
      is_rare: whether the card may be empty for a week of a small team.
    """

    name: str
    question: str
    least: tuple[float, ...] = (1,)
    in_week: tuple[float, ...] | None = None
    most: tuple[float, ...] | None = None
    absent: tuple[str, ...] = ()
    is_rare: bool = False


SURVEYS = of_merged("metrics_prsurvey")
COPILOT = "metrics_aiusagedaily u WHERE u.team_id = %(team)s AND u.source = 'copilot'"
IN_WINDOW = "u.date >= %(start)s AND u.date < %(end)s"
HUMAN_REVIEWS = """metrics_prreview r WHERE r.team_id = %(team)s AND r.reviewer_id IS NOT NULL
                   AND NOT r.is_ai_review AND r.submitted_at >= %(start)s AND r.submitted_at < %(end)s"""

CARDS = (
    Card("/app/", "SELECT count(*) FROM metrics_pullrequest WHERE team_id = %(team)s"),
    Card(
        "partials/engineering-insights/",
        """SELECT count(DISTINCT comparison_period), count(*) FROM metrics_dailyinsight i
           WHERE team_id = %(team)s AND category = 'llm_insight' AND comparison_period IN ('7', '30', '90')
           AND date = (SELECT max(date) FROM metrics_dailyinsight WHERE team_id = i.team_id
                       AND category = 'llm_insight')""",
        (3, 3),
        most=(3, 3),
    ),
    Card(
        "cards/metrics/",
        f"""SELECT count(*), count(*) FILTER (WHERE prs >= 3) FROM
            (SELECT count(*) AS prs FROM {MERGED} GROUP BY date_trunc('week', p.merged_at)) AS weeks""",
        (4, 2),
        in_week=(1, 1),
    ),
    Card(
        "charts/ai-adoption/",
        f"""SELECT count(*) FILTER (WHERE author_ai_assisted), count(*) FILTER (WHERE NOT author_ai_assisted)
            FROM {SURVEYS}""",
        (2, 2),
    ),
    Card(
        "charts/ai-quality/",
        f"""SELECT count(*) FILTER (WHERE author_ai_assisted AND p.cycle_time_hours IS NOT NULL),
            count(*) FILTER (WHERE NOT author_ai_assisted AND p.cycle_time_hours IS NOT NULL)
            FROM {SURVEYS}""",
        (2, 2),
    ),
    Card(
        "partials/ai-impact/",
        f"""SELECT count(*) FILTER (WHERE is_ai_assisted), count(*) FILTER (WHERE NOT is_ai_assisted)
            FROM {MERGED} AND p.cycle_time_hours IS NOT NULL""",
        (2, 2),
    ),
    Card(
        "charts/ai-tools/",
        f"SELECT count(*) FROM {MERGED} AND is_ai_assisted AND jsonb_array_length(ai_tools_detected) > 0",
    ),
    Card("cards/ai-detected/", f"SELECT count(*) FROM {MERGED} AND is_ai_assisted"),
    Card(
        "cards/ai-bot-reviews/",
        """SELECT count(*) FROM metrics_prreview r WHERE r.team_id = %(team)s AND r.is_ai_review
           AND r.submitted_at >= %(start)s AND r.submitted_at < %(end)s""",
        absent=("scenario", "clone"),
        is_rare=True,
    ),
    Card("cards/copilot/", f"SELECT count(*) FROM {COPILOT} AND {IN_WINDOW}", (10,), in_week=(3,)),
    Card(
        "charts/copilot-trend/",
        f"SELECT count(DISTINCT u.date) FROM {COPILOT} AND {IN_WINDOW}",
        (10,),
        in_week=(3,),
    ),
    Card("tables/copilot-members/", f"SELECT count(DISTINCT u.member_id) FROM {COPILOT} AND {IN_WINDOW}"),
    Card(
        "cards/copilot-seats/",
        """SELECT 100.0 * active_this_cycle / total_seats,
           total_seats - active_this_cycle - inactive_this_cycle FROM metrics_copilotseatsnapshot
           WHERE team_id = %(team)s ORDER BY date DESC LIMIT 1""",
        (50, 0),
        most=(80, 0),
    ),
    Card(
        "cards/copilot-languages/",
        """SELECT count(DISTINCT language), sum(lines_accepted) FROM metrics_copilotlanguagedaily
           WHERE team_id = %(team)s""",
        (2, 100),
    ),
    Card(
        "cards/copilot-editors/",
        """SELECT count(*), count(*) FILTER (WHERE suggestions_shown > 0 AND active_users = 0)
           FROM metrics_copiloteditordaily WHERE team_id = %(team)s""",
        (20, 0),
        most=(10**6, 0),
    ),
    Card(
        "cards/copilot-delivery/",
        """SELECT count(*) FILTER (WHERE user_of), count(*) FILTER (WHERE NOT user_of) FROM (
           SELECT coalesce(m.copilot_last_activity_at >= %(start)s, false) AS user_of
           FROM metrics_pullrequest p JOIN metrics_teammember m ON m.id = p.author_id
           WHERE p.team_id = %(team)s AND p.pr_created_at >= %(start)s AND p.pr_created_at < %(end)s
           AND p.cycle_time_hours IS NOT NULL AND p.review_time_hours IS NOT NULL) AS prs""",
        (10, 10),
        absent=("clone",),
        is_rare=True,
    ),
    Card(
        "cards/copilot-engagement/",
        f"""SELECT count(*) FILTER (WHERE user_of), count(*) FILTER (WHERE NOT user_of) FROM (
            SELECT p.author_id IN (SELECT u.member_id FROM {COPILOT} AND {IN_WINDOW}) AS user_of
            FROM {MERGED}) AS prs""",
        (10, 10),
        absent=("clone",),
        is_rare=True,
    ),
    Card(
        "champions",
        f"""SELECT count(*) FROM (SELECT u.member_id FROM {COPILOT} AND {IN_WINDOW} GROUP BY u.member_id
            HAVING count(DISTINCT u.date) >= 5
            AND sum(u.suggestions_accepted) >= 0.2 * sum(u.suggestions_shown)) AS users
            WHERE 3 <= (SELECT count(*) FROM {MERGED} AND p.author_id = users.member_id)""",
        is_rare=True,
    ),
    Card(
        "cards/team-health/",
        f"SELECT count(*) * 7.0 / (%(end)s::date - %(start)s::date) FROM {MERGED}",
        (5,),  # green
        in_week=(3,),  # yellow
    ),
    Card(
        "bottleneck warning",
        """SELECT count(*), max(waiting) FROM (SELECT count(*) AS waiting FROM (
             SELECT DISTINCT ON (r.pull_request_id, r.reviewer_id) r.reviewer_id, r.state
             FROM metrics_prreview r JOIN metrics_pullrequest p ON p.id = r.pull_request_id
             WHERE p.team_id = %(team)s AND p.state = 'open' AND NOT p.is_draft AND r.reviewer_id IS NOT NULL
             ORDER BY r.pull_request_id, r.reviewer_id, r.submitted_at DESC) AS latest
           WHERE state <> 'approved' GROUP BY reviewer_id) AS reviewers""",
        (2, 1),
        absent=("clone",),
    ),
    Card(
        "partials/needs-attention/",
        f"""SELECT count(*) FILTER (WHERE is_revert OR is_hotfix),
            count(*) FILTER (WHERE cycle_time_hours > 2 * (SELECT avg(p.cycle_time_hours) FROM {MERGED})),
            count(*) FILTER (WHERE additions + deletions > 500) FROM {MERGED}""",
        (1, 1, 1),
        absent=("clone",),
        is_rare=True,
    ),
    Card("cards/iteration-metrics/", f"SELECT avg(review_rounds) FROM {MERGED}", (0.001,), is_rare=True),
    Card("charts/review-distribution/", f"SELECT count(DISTINCT r.reviewer_id) FROM {HUMAN_REVIEWS}", (3,)),
    Card(
        "tables/reviewer-workload/",
        f"""SELECT max(reviews) - min(reviews) FROM
            (SELECT count(*) AS reviews FROM {HUMAN_REVIEWS} GROUP BY r.reviewer_id) AS each""",
    ),
    Card(
        "tables/reviewer-correlations/",
        "SELECT count(*) FROM metrics_reviewercorrelation WHERE team_id = %(team)s",
    ),
    Card(
        "tables/leaderboard/",
        """SELECT count(*), count(DISTINCT reviewer_id) FROM metrics_prsurveyreview WHERE team_id = %(team)s
           AND guess_correct IS NOT NULL AND responded_at >= %(start)s AND responded_at < %(end)s""",
        (5, 2),
        in_week=(3, 2),
    ),
    Card(
        "cards/survey-channels/",
        f"""SELECT count(DISTINCT author_response_source),
            count(*) FILTER (WHERE author_response_source = 'auto') FROM {SURVEYS}""",
        (3, 0),
    ),
    Card(
        "cards/survey-ai-detection/",
        f"""SELECT count(*) FILTER (WHERE author_response_source = 'auto'),
            count(*) FILTER (WHERE author_response_source <> 'auto' AND author_ai_assisted),
            count(*) FILTER (WHERE NOT author_ai_assisted),
            count(*) FILTER (WHERE author_responded_at IS NULL) FROM {SURVEYS}""",
        (0, 1, 1, 0),
    ),
    Card(
        "cards/survey-response-time/",
        f"""SELECT avg(extract(epoch FROM author_responded_at - p.merged_at) / 3600) FROM {SURVEYS}
            AND author_response_source <> 'auto'""",
        (1,),
        most=(48,),
    ),
    Card("charts/jira-linkage/", f"SELECT count(*) FROM {MERGED} AND jira_key <> ''"),
    Card("tables/unlinked-prs/", f"SELECT count(*) FROM {MERGED} AND jira_key = ''", is_rare=True),
    Card(
        "charts/sp-correlation/",
        f"""SELECT count(DISTINCT j.story_points) FROM metrics_jiraissue j
            JOIN (SELECT p.jira_key FROM {MERGED}) AS merged USING (jira_key)
            WHERE j.team_id = %(team)s AND j.story_points IS NOT NULL""",
        (3,),
        absent=("clone",),
    ),
    Card(
        "charts/velocity-trend/",
        """SELECT count(DISTINCT date_trunc('week', resolved_at)) FROM metrics_jiraissue
           WHERE team_id = %(team)s AND resolved_at >= %(start)s AND resolved_at < %(end)s""",
        (4,),
        in_week=(1,),
    ),
    Card(
        "cards/file-categories/",
        f"SELECT count(DISTINCT file_category) FROM {of_merged('metrics_prfile')}",
        (3,),
        absent=("clone",),
    ),
    Card(
        "charts/tech-breakdown/",
        f"""SELECT count(*) FROM {MERGED} AND jsonb_array_length(llm_summary #> '{{tech,categories}}') > 0""",
    ),
    Card(
        "charts/pr-type-breakdown/",
        f"SELECT count(DISTINCT llm_summary #>> '{{summary,type}}') FROM {MERGED}",
        (2,),
    ),
    Card(
        "cards/cicd-pass-rate/",
        f"""SELECT 100.0 * count(*) FILTER (WHERE conclusion = 'success') / count(*)
            FROM {of_merged("metrics_prcheckrun")} AND metrics_prcheckrun.status = 'completed'""",
        (75,),
        most=(99,),
    ),
    Card(
        "cards/deployments/",
        """SELECT count(*) FILTER (WHERE environment = 'production'),
           100.0 * count(*) FILTER (WHERE status = 'success') / count(*) FROM metrics_deployment
           WHERE team_id = %(team)s AND deployed_at >= %(start)s AND deployed_at < %(end)s""",
        (2, 70),
    ),
    Card("api/benchmarks/", f"SELECT count(*) FROM {MERGED} AND cycle_time_hours IS NOT NULL"),
    Card(
        "/app/pull-requests/",
        """SELECT count(*) FROM metrics_pullrequest WHERE team_id = %(team)s AND state = 'open'
           AND NOT is_draft AND pr_created_at >= %(start)s AND pr_created_at < %(end)s""",
        absent=("clone",),
        is_rare=True,
    ),
)
