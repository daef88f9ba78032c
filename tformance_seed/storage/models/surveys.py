"""Surveys: the answers of authors and reviewers about a pull request."""

from peewee import SQL, BigIntegerField, BooleanField, CharField, IntegerField

from tformance_seed.storage.models.fields import (
    ApplicationModel,
    TimestampField,
    choices,
    postgresql_index,
    reference,
)
from tformance_seed.storage.models.github import PullRequest
from tformance_seed.storage.models.teams import Team, TeamMember


class PRSurvey(ApplicationModel):
    """The survey about a pull request, with its author's answers."""

    author_ai_assisted = BooleanField(null=True)
    author_responded_at = TimestampField(null=True)
    author = reference(TeamMember, null=True)
    pull_request = reference(PullRequest, unique=True)
    team = reference(Team)
    github_comment_id = BigIntegerField(null=True)
    token = CharField(max_length=64, unique=True, null=True)
    token_expires_at = TimestampField(null=True, index=True)
    ai_modification_effort = CharField(
        max_length=20, null=True, choices=choices("none", "minor", "moderate", "major", "na")
    )
    author_response_source = CharField(
        max_length=10, null=True, choices=choices("github", "slack", "web", "auto")
    )

    class Meta:
        table_name = "metrics_prsurvey"
        indexes = (
            (("author", "author_ai_assisted"), False),
            (("team", "created_at"), False),
        )


postgresql_index(PRSurvey, SQL("token varchar_pattern_ops"), name="metrics_prsurvey_token_5e179ea6_like")


class PRSurveyReview(ApplicationModel):
    """A reviewer's answers to the survey about a pull request."""

    quality_rating = IntegerField(null=True, choices=choices(1, 2, 3), index=True)
    ai_guess = BooleanField(null=True)
    guess_correct = BooleanField(null=True)
    responded_at = TimestampField(null=True)
    reviewer = reference(TeamMember, null=True)
    survey = reference(PRSurvey)
    team = reference(Team)
    response_source = CharField(max_length=10, null=True, choices=choices("github", "slack", "web", "auto"))
    feedback_clarity = IntegerField(null=True, choices=choices(1, 2, 3, 4, 5))
    review_burden = IntegerField(null=True, choices=choices(1, 2, 3, 4, 5))

    class Meta:
        table_name = "metrics_prsurveyreview"
        indexes = (
            (("survey", "reviewer"), True),
            (("reviewer", "responded_at"), False),
            (("survey", "responded_at"), False),
            (("team", "responded_at"), False),
        )
