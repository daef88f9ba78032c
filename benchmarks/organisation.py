"""Compares seeding one whole organisation with the old seeder's way: a row at a time with Django's ORM."""

import statistics
import time
from typing import Any

from django.db import connection, models
from rich.console import Console

from benchmarks import rows
from benchmarks.django_models import define_models
from benchmarks.measures import Measure, Ratio
from benchmarks.server import Server, execute
from tformance_seed.bulk import unique_key
from tformance_seed.storage.models import APPLICATION, PRSurveyReview, PullRequest, Team, TeamMember

#: The organisation: a year of a company of medium size.
MEMBERS, PULL_REQUESTS, DAYS = 60, 3_000, 365

#: Pull requests that the slow way writes with all rows that refer to them, and rows of each other table; its
#: time for all rows is extrapolated.
SAMPLE, ROWS = 150, 300

#: Runs of ours, a second each; the median counts.
RUNS = 3

#: Tables whose rows stay for the slow way.
KEPT = (Team, TeamMember)


def measure(server: Server, console: Console) -> tuple[list[Measure], list[Ratio]]:
    """Measure both ways, and their ratio."""
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
    """Seed the organisation; return the URL of its database, and the seconds that it took."""
    url = server.with_tables()
    began = time.perf_counter()
    rows.organisation(url, members=MEMBERS, prs=PULL_REQUESTS, days=DAYS, adoption=0.5)
    return url, time.perf_counter() - began


def _row_at_a_time(url: str, counts: dict[str, int]) -> float:
    """Write a sample of each table again by ``update_or_create``; return seconds extrapolated to all rows."""
    django = define_models(url)
    written = [model for model in APPLICATION if model not in KEPT]
    # The samples are read whole first, then all rows are removed, then the samples are written one by one.
    requests = list(django["PullRequest"].objects.order_by("id").values_list("id", flat=True)[:SAMPLE])
    samples = {model: _sample(model, django[model.__name__], requests) for model in written}
    execute(url, f"TRUNCATE {', '.join(model._meta.table_name for model in written)}")
    total = 0.0
    for model, sample in samples.items():
        objects = django[model.__name__].objects
        began = time.perf_counter()
        for match, values in sample:
            objects.update_or_create(**match, defaults=values)
        total += (time.perf_counter() - began) * counts[model.__name__] / len(sample)
    connection.close()
    return total


def _sample(model: Any, django: type[models.Model], requests: list[int]) -> list[tuple[dict, dict]]:
    """Return rows of a table, each as the values of its key and its other values."""
    found = django.objects.order_by("id")
    if model is PullRequest:
        found = found.filter(id__in=requests)
    elif model is PRSurveyReview:
        found = found.filter(survey__pull_request__in=requests)
    elif "pull_request" in model._meta.fields:
        found = found.filter(pull_request__in=requests)
    else:
        found = found[:ROWS]
    key = {field.column_name for field in unique_key(model).fields}
    return [
        (
            {name: value for name, value in row.items() if name in key},
            {name: value for name, value in row.items() if name not in key},
        )
        for row in found.values()
    ]
