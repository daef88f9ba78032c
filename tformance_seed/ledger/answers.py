"""What language models answered when they were asked for summaries, so that nothing is asked twice."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.peewee_internals import insert_rows
from tformance_seed.ledger.jobs import CLAIMED, RUNNING, now
from tformance_seed.ledger.tasks import StaleTaskError, Task, same_claim
from tformance_seed.llm.summarise import FINAL, INVALID, OVER_BUDGET, REJECTED, UNANSWERED, VALID, Answer
from tformance_seed.storage.models import PullRequest, SeedJob, SeedRun, SeedSummary, SeedTask
from tformance_seed.storage.transactions import transaction


@dataclass(frozen=True)
class Subject:
    """A pull request to summarise, and a digest of what is asked about it, and of which model."""

    organisation: str
    repository: str
    number: int
    request: str


@dataclass(frozen=True)
class SummaryCosts:
    """What a run asked a language model about one organisation, and what came of it.

    Attributes:
      model: The model's name.
      requests: Number of requests sent.
      prompt_tokens: Tokens in them.
      completion_tokens: Tokens in the answers.
      written: Number of summaries that the model wrote.
      invalid: Number of summaries generated because two answers were not valid.
      rejected: Number of summaries generated because the server did not accept the request.
      unanswered: Number of summaries generated because no answer came.
      over_budget: Number of summaries generated because no more tokens may be spent.
    """

    model: str
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    written: int = 0
    invalid: int = 0
    rejected: int = 0
    unanswered: int = 0
    over_budget: int = 0


def final_answers(
    database: peewee.Database, subjects: Collection[Subject]
) -> dict[Subject, Mapping[str, Any] | None]:
    """Return what is known to come of asking about pull requests; None if it is no valid summary."""
    by_request = {subject.request: subject for subject in subjects}
    rows = SeedSummary.select(
        SeedSummary.organisation,
        SeedSummary.repository,
        SeedSummary.number,
        SeedSummary.request,
        SeedSummary.summary,
    ).where(SeedSummary.request.in_(list(by_request)), SeedSummary.outcome.in_(FINAL))
    found = {Subject(*subject): summary for *subject, summary in rows.tuples().execute(database)}
    return {subject: found[subject] for subject in subjects if subject in found}


def save_answer(database: peewee.Database, task: Task, subject: Subject, model: str, answer: Answer) -> None:
    """Keep what came of asking about a pull request, in place of what came of asking before."""
    key = {"organisation": subject.organisation, "repository": subject.repository, "number": subject.number}
    same = [getattr(SeedSummary, name) == value for name, value in key.items()]
    values = {"request": subject.request, "model": model, "run": task.key.run, **vars(answer)}
    with transaction(database):
        SeedSummary.delete().where(*same).execute(database)
        insert_rows(database, SeedSummary, [key | values])


def renew_claim(database: peewee.Database, task: Task) -> None:
    """Record that a task is still being worked on.

    Raises:
      StaleTaskError: another worker has claimed it meanwhile, or its job is no longer running.
    """
    running = SeedJob.select(SeedJob.id).where(SeedJob.id == task.key.job, SeedJob.state == RUNNING)
    renewed = SeedTask.update(claimed_at=now()).where(
        same_claim(task), SeedTask.state == CLAIMED, SeedTask.job.in_(running)
    )
    if not renewed.execute(database):
        raise StaleTaskError


def reserve_tokens(database: peewee.Database, run: str, tokens: int, most: int) -> bool:
    """Count tokens as spent by a run, unless it would have spent more than ``most``, or all of them already.

    Returns:
      Whether they were counted.
    """
    left = (SeedRun.tokens < most) & (SeedRun.tokens + tokens <= most)
    reserved: int = (
        SeedRun.update(tokens=SeedRun.tokens + tokens).where(SeedRun.name == run, left).execute(database)
    )
    return reserved > 0


def count_tokens(database: peewee.Database, run: str, tokens: int) -> None:
    """Add to the tokens that a run has spent; the number is negative if more were reserved than spent."""
    SeedRun.update(tokens=SeedRun.tokens + tokens).where(SeedRun.name == run).execute(database)


def summary_costs(database: peewee.Database, run: str) -> dict[str, SummaryCosts]:
    """Return what a run asked language models, by organisation."""
    spent = (SeedSummary.requests, SeedSummary.prompt_tokens, SeedSummary.completion_tokens)
    outcomes = (VALID, INVALID, REJECTED, UNANSWERED, OVER_BUDGET)
    sums = [fn.SUM(number) for number in spent]
    counts = [fn.COUNT(SeedSummary.id).filter(SeedSummary.outcome == outcome) for outcome in outcomes]
    rows = (
        SeedSummary.select(SeedSummary.organisation, SeedSummary.model, *sums, *counts)
        .where(SeedSummary.run == run)
        .group_by(SeedSummary.organisation, SeedSummary.model)
    )
    return {
        slug: SummaryCosts(model, *map(int, figures))
        for slug, model, *figures in rows.tuples().execute(database)
    }


def count_model_summaries(database: peewee.Database, slug: str, team_id: int) -> int:
    """Return how many summaries of a team are those that a language model wrote."""
    same = (
        (PullRequest.github_repo == SeedSummary.repository)
        & (PullRequest.github_pr_id == SeedSummary.number)
        & (PullRequest.llm_summary == SeedSummary.summary)
    )
    written = SeedSummary.select(fn.COUNT(SeedSummary.id)).join(PullRequest, on=same)
    query = written.where(SeedSummary.organisation == slug, PullRequest.team == team_id)
    count: int = query.scalar(database)
    return count


def forget_answers(database: peewee.Database, slug: str) -> None:
    """Delete what language models answered about an organisation."""
    SeedSummary.delete().where(SeedSummary.organisation == slug).execute(database)
