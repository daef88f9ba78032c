"""GitHub: pull requests and their reviews, check runs, files, commits, comments and deployments."""

from peewee import SQL, BigIntegerField, BooleanField, CharField, IntegerField, TextField

from tformance_seed.storage.models.fields import (
    ApplicationModel,
    JSONField,
    NumericField,
    TimestampField,
    choices,
    postgresql_index,
    reference,
)
from tformance_seed.storage.models.teams import Team, TeamMember


class PullRequest(ApplicationModel):
    """A pull request, with figures derived from its reviews and commits, and signs of AI assistance."""

    github_pr_id = BigIntegerField()
    github_repo = CharField(max_length=255)
    title = TextField(default="")
    state = CharField(max_length=20, choices=choices("open", "merged", "closed"))
    pr_created_at = TimestampField(null=True, index=True)
    merged_at = TimestampField(null=True, index=True)
    first_review_at = TimestampField(null=True)
    cycle_time_hours = NumericField(10, 2, null=True)
    review_time_hours = NumericField(10, 2, null=True)
    additions = IntegerField(default=0)
    deletions = IntegerField(default=0)
    is_revert = BooleanField(default=False)
    is_hotfix = BooleanField(default=False)
    synced_at = TimestampField()
    author = reference(TeamMember, null=True)
    team = reference(Team)
    jira_key = CharField(max_length=50, default="", index=True)
    avg_fix_response_hours = NumericField(10, 2, null=True)
    commits_after_first_review = IntegerField(null=True)
    review_rounds = IntegerField(null=True)
    total_comments = IntegerField(null=True)
    ai_tools_detected = JSONField(default=list)
    body = TextField(default="")
    is_ai_assisted = BooleanField(null=True)
    assignees = JSONField(default=list)
    is_draft = BooleanField(default=False)
    labels = JSONField(default=list)
    linked_issues = JSONField(default=list)
    milestone_title = CharField(max_length=255, default="")
    ai_detection_version = CharField(max_length=10, default="")
    llm_summary = JSONField(null=True)
    llm_summary_version = CharField(max_length=10, default="")
    has_ai_commits = BooleanField(default=False)
    has_ai_review = BooleanField(default=False)
    has_ai_files = BooleanField(default=False)
    ai_confidence_score = NumericField(4, 3, null=True)
    ai_signals = JSONField(default=dict)

    class Meta:
        table_name = "metrics_pullrequest"
        indexes = (
            (("team", "github_pr_id", "github_repo"), True),
            (("author", "state"), False),
            (("github_repo", "state"), False),
            (("team", "author", "merged_at"), False),
            (("team", "pr_created_at"), False),
            (("team", "state", "merged_at"), False),
        )


postgresql_index(
    PullRequest, SQL("jira_key varchar_pattern_ops"), name="metrics_pullrequest_jira_key_23d68690_like"
)
postgresql_index(
    PullRequest,
    SQL("team_id"),
    SQL("merged_at"),
    where=SQL("((((llm_summary -> 'ai'::text) ->> 'is_assisted'::text))::boolean = true)"),
    name="pr_llm_ai_assisted_idx",
)
postgresql_index(
    PullRequest,
    SQL("((llm_summary -> 'ai'::text) -> 'tools'::text)"),
    using="GIN",
    name="pr_llm_ai_tools_gin_idx",
)
postgresql_index(PullRequest, SQL("llm_summary jsonb_path_ops"), using="GIN", name="pr_llm_summary_gin_idx")
postgresql_index(
    PullRequest,
    SQL("((llm_summary -> 'tech'::text) -> 'categories'::text)"),
    using="GIN",
    name="pr_llm_tech_categories_gin_idx",
)
postgresql_index(
    PullRequest,
    SQL("((llm_summary -> 'tech'::text) -> 'languages'::text)"),
    using="GIN",
    name="pr_llm_tech_languages_gin_idx",
)


class PRReview(ApplicationModel):
    """A review of a pull request."""

    state = CharField(max_length=20, choices=choices("approved", "changes_requested", "commented"))
    submitted_at = TimestampField(null=True)
    reviewer = reference(TeamMember, null=True)
    team = reference(Team)
    pull_request = reference(PullRequest)
    github_review_id = BigIntegerField(null=True)
    ai_reviewer_type = CharField(max_length=50, default="")
    body = TextField(default="")
    is_ai_review = BooleanField(default=False)

    class Meta:
        table_name = "metrics_prreview"
        indexes = (
            (("pull_request", "submitted_at"), False),
            (("reviewer", "state"), False),
            (("team", "submitted_at"), False),
        )


PRReview.add_index(
    PRReview.team, PRReview.github_review_id, unique=True, where=PRReview.github_review_id.is_null(False)
)


class PRCheckRun(ApplicationModel):
    """A check run (CI) for a pull request."""

    github_check_run_id = BigIntegerField()
    name = CharField(max_length=255)
    status = CharField(max_length=20, choices=choices("queued", "in_progress", "completed"))
    conclusion = CharField(
        max_length=20,
        null=True,
        choices=choices(
            "success", "failure", "skipped", "cancelled", "timed_out", "action_required", "neutral", "stale"
        ),
    )
    started_at = TimestampField(null=True)
    completed_at = TimestampField(null=True)
    duration_seconds = IntegerField(null=True)
    pull_request = reference(PullRequest)
    team = reference(Team)

    class Meta:
        table_name = "metrics_prcheckrun"
        indexes = (
            (("team", "github_check_run_id"), True),
            (("pull_request", "name"), False),
        )


class PRFile(ApplicationModel):
    """A file that a pull request changes."""

    filename = CharField(max_length=500)
    status = CharField(max_length=20, choices=choices("added", "modified", "removed", "renamed"))
    additions = IntegerField(default=0)
    deletions = IntegerField(default=0)
    changes = IntegerField(default=0)
    file_category = CharField(
        max_length=50, choices=choices("frontend", "backend", "javascript", "test", "docs", "config", "other")
    )
    pull_request = reference(PullRequest)
    team = reference(Team)

    class Meta:
        table_name = "metrics_prfile"
        indexes = (
            (("team", "pull_request", "filename"), True),
            (("pull_request", "file_category"), False),
        )


class Commit(ApplicationModel):
    """A commit, in a pull request or directly on a branch."""

    github_sha = CharField(max_length=40)
    github_repo = CharField(max_length=255)
    message = TextField(default="")
    additions = IntegerField(default=0)
    deletions = IntegerField(default=0)
    committed_at = TimestampField(null=True)
    author = reference(TeamMember, null=True, index=False)
    team = reference(Team)
    pull_request = reference(PullRequest, null=True)
    ai_co_authors = JSONField(default=list)
    is_ai_assisted = BooleanField(default=False)

    class Meta:
        table_name = "metrics_commit"
        indexes = (
            (("team", "github_sha"), True),
            (("author", "committed_at"), False),
        )


class PRComment(ApplicationModel):
    """A comment on a pull request."""

    github_comment_id = BigIntegerField()
    body = TextField()
    comment_type = CharField(max_length=20, choices=choices("issue", "review"))
    path = CharField(max_length=500, null=True)
    line = IntegerField(null=True)
    in_reply_to_id = BigIntegerField(null=True)
    comment_created_at = TimestampField()
    comment_updated_at = TimestampField(null=True)
    author = reference(TeamMember, null=True)
    pull_request = reference(PullRequest)
    team = reference(Team)

    class Meta:
        table_name = "metrics_prcomment"
        indexes = (
            (("team", "github_comment_id"), True),
            (("author", "comment_type"), False),
            (("pull_request", "comment_created_at"), False),
        )


class Deployment(ApplicationModel):
    """A deployment of a repository."""

    github_deployment_id = BigIntegerField()
    github_repo = CharField(max_length=255)
    environment = CharField(max_length=100, choices=choices("production", "staging"))
    status = CharField(max_length=20, choices=choices("success", "failure", "pending", "error"), index=True)
    deployed_at = TimestampField(index=True)
    sha = CharField(max_length=40)
    creator = reference(TeamMember, null=True)
    pull_request = reference(PullRequest, null=True)
    team = reference(Team)

    class Meta:
        table_name = "metrics_deployment"
        indexes = (
            (("team", "github_deployment_id"), True),
            (("creator", "status"), False),
            (("github_repo", "environment"), False),
        )
