"""Have a language model summarise pull requests; the ledger keeps every answer as soon as it is there."""

from collections.abc import Mapping, Sequence
from typing import Any

from tformance_seed import ledger, metrics
from tformance_seed.ledger import Subject, Task
from tformance_seed.llm.language_model import Message, Reply
from tformance_seed.llm.prompt import request_digest
from tformance_seed.llm.summarise import OverBudgetError, summarise
from tformance_seed.metrics import PullRequestFacts, Window
from tformance_seed.pipeline.job_context import JobContext


def ask_for_summaries(context: JobContext, task: Task, first: int, stop: int, window: Window) -> None:
    """Ask the job's language model, if it has one, for the summaries of pull requests in a range of ids.

    What was asked before in the same words is not asked again. It takes place outside any transaction.

    Raises:
      StaleTaskError: another worker does the task meanwhile, or its job was cancelled.
      SeedError: the model cannot be reached, or refuses all requests.
    """
    model = context.options.model
    if model is None:
        return
    subjects = _subjects(context, model, first, stop, window)
    answered = ledger.final_answers(context.database, list(subjects))
    for subject, pull_request in subjects.items():
        if subject in answered:
            continue
        ledger.renew_claim(context.database, task)

        def ask(messages: Sequence[Message]) -> Reply:
            return _ask_within_budget(context, task.key.run, model, messages)

        answer = summarise(ask, pull_request.facts)
        ledger.save_answer(context.database, task, subject, model, answer)


def model_summaries(
    context: JobContext, first: int, stop: int, window: Window
) -> dict[int, Mapping[str, Any]]:
    """Return the summaries that a job's language model wrote of pull requests in a range of ids, by id."""
    model = context.options.model
    if model is None:
        return {}
    subjects = _subjects(context, model, first, stop, window)
    answered = ledger.final_answers(context.database, list(subjects))
    return {subjects[subject].id: summary for subject, summary in answered.items() if summary is not None}


def _subjects(
    context: JobContext, model: str, first: int, stop: int, window: Window
) -> dict[Subject, PullRequestFacts]:
    found = metrics.pull_request_facts(context.database, context.team.team_id, first, stop, window)
    return {
        Subject(context.plan.slug, each.repository, each.number, request_digest(model, each.facts)): each
        for each in found
    }


def _ask_within_budget(context: JobContext, run: str, model: str, messages: Sequence[Message]) -> Reply:
    """Send messages to the model.

    The request counts with the tokens of the largest reply so far until its own are known, so that requests
    that are under way at the same time do not spend more than they may together.

    Raises:
      OverBudgetError: it might spend more tokens than are left.
    """
    most = context.options.max_tokens
    if most is None:
        return context.language_model.ask(model, messages)
    reserved, spent = context.language_model.largest_reply, 0
    if not ledger.reserve_tokens(context.database, run, reserved, most):
        raise OverBudgetError
    try:
        reply = context.language_model.ask(model, messages)
        spent = reply.tokens
        return reply
    finally:
        ledger.count_tokens(context.database, run, spent - reserved)
