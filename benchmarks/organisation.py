"""One organisation, everything: ours against the old seeder's way, a row at a time with Django's ORM."""

import statistics
import time
from typing import Any

from django.db import connection, models, transaction
from rich.console import Console

from benchmarks import rows
from benchmarks.django_models import made
from benchmarks.measures import Measure, Ratio
from benchmarks.server import Server, execute
from tformance_seed import database as databases
from tformance_seed.models import APPLICATION
from tformance_seed.schema import create_missing
from tformance_seed.upsert import unique_key

#: The organisation: a year of a middling company.
MEMBERS, PULL_REQUESTS, DAYS = 60, 3_000, 365

#: Pull requests, and days of AI usage, that the slow way writes; its time for all is extrapolated.
SAMPLE = 60

#: Runs of ours, of which the median counts: each takes about a second.
RUNS = 3

#: What hangs on a pull request, in the order in which it can be written.
CHILDREN = ("Commit", "PRFile", "PRReview", "PRCheckRun", "PRComment", "Deployment", "PRSurvey")


def measure(server: Server, console: Console) -> tuple[list[Measure], list[Ratio]]:
    """Seconds of both, and their ratio."""
    console.print("organisation: ours")
    *others, (url, _) = runs = [_ours(server) for _ in range(RUNS)]
    for other, _ in others:
        server.drop(other)
    ours = statistics.median(seconds for _, seconds in runs)
    table = "metrics_pullrequest"
    counts = {
        model.__name__: execute(url, f"SELECT count(*) FROM {model._meta.table_name}")[0][0]
        for model in APPLICATION
    }
    console.print("organisation: a row at a time")
    theirs = _row_at_a_time(url, counts)
    server.drop(url)
    in_all = sum(counts.values())
    measures = [
        Measure("one organisation", "ours", "fresh", in_all, ours),
        Measure("one organisation", "Django, a row at a time", "fresh", in_all, theirs, extrapolated=True),
    ]
    return measures, [
        Ratio(
            f"whole organisation ({table}: {PULL_REQUESTS:,}): as fast as a row at a time", 150, theirs / ours
        )
    ]


def _ours(server: Server) -> tuple[str, float]:
    """Seed the organisation: the URL of the database that holds it, and the seconds that it took."""
    url = server.new_database()
    create_missing(databases.connect(url))  # the other way finds its tables made, too
    began = time.perf_counter()
    rows.organisation(url, members=MEMBERS, prs=PULL_REQUESTS, days=DAYS, adoption=0.5)
    return url, time.perf_counter() - began


def _row_at_a_time(url: str, counts: dict[str, int]) -> float:
    """Write the same rows anew, a sample of them, each by ``update_or_create``; extrapolated to all."""
    django = made(url)
    by_name = {model.__name__: model for model in APPLICATION}
    # The sample is read whole first, then its rows are removed, then they are written one by one.
    sample = list(django["PullRequest"].objects.order_by("id")[:SAMPLE])
    ids = [row.pk for row in sample]
    children = {name: list(django[name].objects.filter(pull_request__in=ids)) for name in CHILDREN}
    answers = list(
        django["PRSurveyReview"].objects.filter(survey__in=[row.pk for row in children["PRSurvey"]])
    )
    usage = list(django["AIUsageDaily"].objects.order_by("id")[: 10 * SAMPLE])
    weekly = list(django["WeeklyMetrics"].objects.order_by("id")[: 2 * SAMPLE])
    groups = {
        "PullRequest": sample,
        **children,
        "PRSurveyReview": answers,
        "AIUsageDaily": usage,
        "WeeklyMetrics": weekly,
    }
    execute(url, "TRUNCATE metrics_pullrequest, metrics_aiusagedaily, metrics_weeklymetrics CASCADE")
    began, total = time.perf_counter(), 0.0
    for name, group in groups.items():
        began = time.perf_counter()
        for row in group:
            _write(django[name], by_name[name], row)
        if group:
            total += (time.perf_counter() - began) * counts[name] / len(group)
    connection.close()
    return total


def _write(model: type[models.Model], peewee_model: Any, row: models.Model) -> None:
    key = [field.name for field in unique_key(peewee_model).fields]
    attributes = {field.name: field.attname for field in model._meta.fields}
    match = {attributes[name]: getattr(row, attributes[name]) for name in key}
    values = {
        attname: getattr(row, attname)
        for name, attname in attributes.items()
        if name not in key and name != "id"
    }
    values["id"] = row.pk
    with transaction.atomic():
        model.objects.update_or_create(**match, defaults=values)
