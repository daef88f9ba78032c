"""Ask for the summary of one pull request: once more if the answer is not valid, and then no more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tformance_seed.llm.language_model import Message, Reply, UnansweredError
from tformance_seed.llm.prompt import InvalidAnswerError, correction, messages, parse_answer

#: What came of asking: a valid summary; two invalid answers; the server did not accept the request; it did
#: not answer; the tokens that may be spent would not do.
VALID, INVALID, REJECTED, UNANSWERED, OVER_BUDGET = (
    "valid",
    "invalid",
    "rejected",
    "unanswered",
    "over_budget",
)

#: What came of asking and will come of it again, so that the same is not asked again.
FINAL = (VALID, INVALID)

#: How many valid or invalid answers are waited for.
ASKS = 2


class OverBudgetError(Exception):
    """A request may not be sent, since it would spend too many tokens."""


@dataclass
class Answer:
    """What came of asking for a summary, and what it cost; there is a summary only if it is ``VALID``."""

    outcome: str = INVALID
    summary: Mapping[str, Any] | None = None
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


def summarise(ask: Callable[[Sequence[Message]], Reply], facts: Mapping[str, Any]) -> Answer:
    """Ask for the summary of a pull request.

    Parameters:
      ask: sends messages to a model; may raise UnansweredError and OverBudgetError.
      facts: what is known about the pull request, as JSON values.
    """
    answer, conversation = Answer(), messages(facts)
    for _ in range(ASKS):
        try:
            reply = ask(conversation)
        except UnansweredError as error:
            answer.requests += error.requests
            answer.outcome = UNANSWERED
            return answer
        except OverBudgetError:
            answer.outcome = OVER_BUDGET
            return answer
        answer.requests += reply.requests
        answer.prompt_tokens += reply.prompt_tokens
        answer.completion_tokens += reply.completion_tokens
        if reply.text is None:
            answer.outcome = REJECTED
            return answer
        try:
            answer.summary = parse_answer(reply.text)
        except InvalidAnswerError as problem:
            conversation = [*conversation, *correction(reply.text, str(problem))]
        else:
            answer.outcome = VALID
            return answer
    return answer
