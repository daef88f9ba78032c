"""Peewee models for the application's tables and for the run ledger."""

import peewee

from tformance_seed.storage.models.access import (
    Flag,
    FlagTeam,
    IntegrationCredential,
    JiraIntegration,
    Membership,
    User,
)
from tformance_seed.storage.models.aggregates import DailyInsight, ReviewerCorrelation, WeeklyMetrics
from tformance_seed.storage.models.fields import ApplicationModel
from tformance_seed.storage.models.github import (
    Commit,
    Deployment,
    PRCheckRun,
    PRComment,
    PRFile,
    PRReview,
    PullRequest,
)
from tformance_seed.storage.models.jira import JiraIssue
from tformance_seed.storage.models.ledger import SeedAccess, SeedJob, SeedRun, SeedSummary, SeedTask, SeedTeam
from tformance_seed.storage.models.surveys import PRSurvey, PRSurveyReview
from tformance_seed.storage.models.teams import Team, TeamMember
from tformance_seed.storage.models.usage import (
    AIUsageDaily,
    CopilotEditorDaily,
    CopilotLanguageDaily,
    CopilotSeatSnapshot,
)

#: The application's tables, parents before children.
APPLICATION: tuple[type[ApplicationModel], ...] = (
    Team,
    TeamMember,
    PullRequest,
    PRReview,
    PRCheckRun,
    PRFile,
    Commit,
    PRComment,
    JiraIssue,
    PRSurvey,
    PRSurveyReview,
    Deployment,
    AIUsageDaily,
    WeeklyMetrics,
    ReviewerCorrelation,
    DailyInsight,
    CopilotSeatSnapshot,
    CopilotLanguageDaily,
    CopilotEditorDaily,
)

#: The application's tables in which a few rows are written if they exist, parents before children.
ACCESS: tuple[type[peewee.Model], ...] = (
    User,
    Membership,
    Flag,
    FlagTeam,
    IntegrationCredential,
    JiraIntegration,
)

#: The package's own tables.
LEDGER: tuple[type[peewee.Model], ...] = (SeedRun, SeedTeam, SeedAccess, SeedSummary, SeedJob, SeedTask)

__all__ = [
    "ACCESS",
    "APPLICATION",
    "LEDGER",
    "AIUsageDaily",
    "ApplicationModel",
    "Commit",
    "CopilotEditorDaily",
    "CopilotLanguageDaily",
    "CopilotSeatSnapshot",
    "DailyInsight",
    "Deployment",
    "Flag",
    "FlagTeam",
    "IntegrationCredential",
    "JiraIntegration",
    "JiraIssue",
    "Membership",
    "PRCheckRun",
    "PRComment",
    "PRFile",
    "PRReview",
    "PRSurvey",
    "PRSurveyReview",
    "PullRequest",
    "ReviewerCorrelation",
    "SeedAccess",
    "SeedJob",
    "SeedRun",
    "SeedSummary",
    "SeedTask",
    "SeedTeam",
    "Team",
    "TeamMember",
    "User",
    "WeeklyMetrics",
]
