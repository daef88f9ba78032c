"""Two of the application's models, as far as the tests need them; yours are the application's own."""

from django.db import models


class Team(models.Model):
    name = models.CharField(max_length=100)
    slug = models.SlugField(unique=True)

    class Meta:
        db_table = "teams_team"
        managed = False


class PullRequest(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    state = models.CharField(max_length=20)
    merged_at = models.DateTimeField(null=True)
    cycle_time_hours = models.DecimalField(max_digits=10, decimal_places=2, null=True)

    class Meta:
        db_table = "metrics_pullrequest"
        managed = False
