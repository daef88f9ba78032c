"""The registry of the page's charts: one entry per chart, with its texts, query, table and drawing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import altair as alt

from tformance_seed.report import drawings
from tformance_seed.report.daily.ai import adoption, seats, usage
from tformance_seed.report.daily.counts import Query
from tformance_seed.report.daily.outcomes import deployments, issues, survey_reviews, surveys
from tformance_seed.report.daily.work import first_reviews, pull_requests, reviews, tools
from tformance_seed.report.pivot import Content, Pivot
from tformance_seed.report.pivots import ai, outcomes, work

#: Part of a table on disk -> its colour.
SIZE_COLOURS = {"Heap": "var(--tool-1)", "Indexes": "var(--without-ai)"}

#: Groups of charts: the page's headings.
WORK, WITH_TOOLS, DELIVERY, PEOPLE = (
    "Pull requests and reviews",
    "AI tools",
    "Deployments",
    "Surveys and issues",
)


@dataclass(frozen=True)
class Chart:
    """A chart of the page, and the table behind it.

    Parameters:
      name: the chart's id on the page.
      counted: what the chart counts, in the plural, for the line that says that there is none of it.
      query: counts what the chart shows; None if that does not depend on the chosen organisation and period.
        Charts with the same query share its series.
      pivot: creates the table behind the chart from the content of the page.
      drawing: draws the rows of the table.
      group: the heading below which the chart stands with others; none if it shows the whole database.
    """

    name: str
    title: str
    caption: str
    counted: str
    query: Query | None
    pivot: Callable[[Content], Pivot]
    drawing: Callable[[Pivot], alt.LayerChart]
    group: str

    def packed(self, content: Content) -> dict[str, Any]:
        """Return the chart as JSON values: its series, its table, and its Vega-Lite specification."""
        pivot = self.pivot(content)
        chart = self.drawing(pivot).properties(description=f"{self.title}. {self.caption}")
        series = None if self.query is None else self.query.__name__
        return {
            "series": series,
            "counted": self.counted,
            "table": pivot.packed(),
            "spec": chart.to_dict(validate=False),  # half of the time; the tests validate every chart
        }


def _table_sizes(content: Content) -> Pivot:
    tables = content.report.tables
    return Pivot(
        columns={"Table": "text", "Rows": "count", "Heap": "size", "Indexes": "size", "Total": "size"},
        rows={
            "Table": [table.table for table in tables],
            "Rows": [table.rows for table in tables],
            "Heap": [table.heap_bytes for table in tables],
            "Indexes": [table.index_bytes for table in tables],
            "Total": [table.total_bytes for table in tables],
        },
        colours=SIZE_COLOURS,
    )


#: All charts, in page order. Charts with a query show the chosen organisation and period; the others show the
#: whole database.
CHARTS = (
    Chart(
        name="pull-requests",
        title="Pull requests by week",
        caption="Merged pull requests, in the week of their merge.",
        counted="merged pull requests",
        query=pull_requests,
        pivot=work.merged_by_week,
        drawing=drawings.stacked_by_week,
        group=WORK,
    ),
    Chart(
        name="ai-share",
        title="AI share by week",
        caption="Share of each week's merged pull requests in which AI was found.",
        counted="merged pull requests",
        query=pull_requests,
        pivot=work.ai_share_by_week,
        drawing=drawings.lines_by_week,
        group=WORK,
    ),
    Chart(
        name="cycle-time-by-week",
        title="Cycle time by week",
        caption="Median from creation to merge, in the week of the merge.",
        counted="merged pull requests",
        query=pull_requests,
        pivot=work.cycle_time_by_week,
        drawing=drawings.lines_by_week,
        group=WORK,
    ),
    Chart(
        name="review-time-by-week",
        title="Time to first review by week",
        caption="Median from creation to the first review, in the week of the merge.",
        counted="merged pull requests with a review",
        query=first_reviews,
        pivot=work.review_time_by_week,
        drawing=drawings.lines_by_week,
        group=WORK,
    ),
    Chart(
        name="cycle-time",
        title="Cycle time",
        caption="Share of each side by the time from creation to merge. Each step doubles it.",
        counted="merged pull requests",
        query=pull_requests,
        pivot=work.cycle_times,
        drawing=drawings.distributions_of_durations,
        group=WORK,
    ),
    Chart(
        name="review-time",
        title="Time to first review",
        caption="Share of each side by the time from creation to the first review.",
        counted="merged pull requests with a review",
        query=first_reviews,
        pivot=work.review_times,
        drawing=drawings.distributions_of_durations,
        group=WORK,
    ),
    Chart(
        name="reviewers",
        title="Busiest reviewers",
        caption="Reviews given.",
        counted="reviews",
        query=reviews,
        pivot=work.busiest_reviewers,
        drawing=drawings.ranking,
        group=WORK,
    ),
    Chart(
        name="adoption",
        title="AI adoption by week",
        caption="Share of members with a pull request, a review or a tool in the week who used one.",
        counted="records of AI usage",
        query=adoption,
        pivot=ai.adoption_by_week,
        drawing=drawings.lines_by_week,
        group=WITH_TOOLS,
    ),
    Chart(
        name="tools",
        title="AI tools over time",
        caption="Merged pull requests in which each tool was found, by week.",
        counted="merged pull requests with AI",
        query=tools,
        pivot=work.tools_by_week,
        drawing=drawings.stacked_by_week,
        group=WITH_TOOLS,
    ),
    Chart(
        name="usage",
        title="AI usage by weekday",
        caption="Days on which a member used a tool, all weeks together.",
        counted="days of AI usage",
        query=usage,
        pivot=ai.usage_by_weekday,
        drawing=drawings.stacked_by_weekday,
        group=WITH_TOOLS,
    ),
    Chart(
        name="seats",
        title="Copilot seats",
        caption="On the last day of each week that has a record.",
        counted="records of Copilot seats",
        query=seats,
        pivot=ai.seats_by_week,
        drawing=drawings.stacked_by_week,
        group=WITH_TOOLS,
    ),
    Chart(
        name="deployments",
        title="Deployment frequency",
        caption="Deployments to production by week.",
        counted="deployments to production",
        query=deployments,
        pivot=outcomes.deployments_by_week,
        drawing=drawings.stacked_by_week,
        group=DELIVERY,
    ),
    Chart(
        name="lead-time",
        title="Lead time for changes",
        caption="Median from a pull request's first commit to its deployment.",
        counted="successful deployments to production",
        query=deployments,
        pivot=outcomes.lead_time_by_week,
        drawing=drawings.lines_by_week,
        group=DELIVERY,
    ),
    Chart(
        name="failures",
        title="Change failure rate",
        caption="Share of deployments to production that failed.",
        counted="deployments to production",
        query=deployments,
        pivot=outcomes.failures_by_week,
        drawing=drawings.lines_by_week,
        group=DELIVERY,
    ),
    Chart(
        name="restoration",
        title="Time to restore service",
        caption="Median from a failed deployment to the repository's next success.",
        counted="failed deployments that a success followed",
        query=deployments,
        pivot=outcomes.restoration_by_week,
        drawing=drawings.lines_by_week,
        group=DELIVERY,
    ),
    Chart(
        name="answers",
        title="Survey answers",
        caption="What authors said of their merged pull requests, in the week of the merge.",
        counted="surveys of merged pull requests",
        query=surveys,
        pivot=outcomes.answers_by_week,
        drawing=drawings.stacked_by_week,
        group=PEOPLE,
    ),
    Chart(
        name="quality",
        title="Quality by week",
        caption="Mean rating by reviewers, from 1 to 3, by what the author said.",
        counted="ratings by reviewers",
        query=survey_reviews,
        pivot=outcomes.quality_by_week,
        drawing=drawings.lines_by_week,
        group=PEOPLE,
    ),
    Chart(
        name="guesses",
        title="Guesses right",
        caption="Share of reviewers who guessed whether AI had been used.",
        counted="guesses by reviewers",
        query=survey_reviews,
        pivot=outcomes.guesses_by_week,
        drawing=drawings.lines_by_week,
        group=PEOPLE,
    ),
    Chart(
        name="issues",
        title="Jira issues by week",
        caption="Resolved issues.",
        counted="resolved Jira issues",
        query=issues,
        pivot=outcomes.issues_by_week,
        drawing=drawings.stacked_by_week,
        group=PEOPLE,
    ),
    Chart(
        name="points",
        title="Story points by week",
        caption="Of resolved Jira issues.",
        counted="resolved Jira issues",
        query=issues,
        pivot=outcomes.points_by_week,
        drawing=drawings.stacked_by_week,
        group=PEOPLE,
    ),
    Chart(
        name="issue-time",
        title="Jira cycle time by week",
        caption="Median from an issue's creation to its resolution.",
        counted="resolved Jira issues",
        query=issues,
        pivot=outcomes.issue_time_by_week,
        drawing=drawings.lines_by_week,
        group=PEOPLE,
    ),
    Chart(
        name="tables",
        title="Table sizes",
        caption="On disk, indexes included.",
        counted="tables",
        query=None,
        pivot=_table_sizes,
        drawing=drawings.sizes_of_tables,
        group="",
    ),
)
