"""Send requests to a language model: in turn, within limits of time and size, again if it is worth it."""

import functools
import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tformance_seed import settings
from tformance_seed.errors import SeedError, TransientError
from tformance_seed.llm.endpoint import Endpoint, find_endpoint

if TYPE_CHECKING:
    import httpx

#: How many times a request is sent in all, if the server does not answer it, or if there is none; and the
#: seconds after its start in which it is sent again: well below a task's limit of time.
ATTEMPTS, ATTEMPTS_TO_CONNECT, PATIENCE = 6, 3, 120.0

#: Seconds before a request is sent again the first time, unless the server says how many; doubled each time.
FIRST_DELAY = 1.0

#: Seconds between looks whether it is a request's turn.
TURN_INTERVAL = 0.05

#: The greatest length of an answer in bytes; a summary has less than 5,000. The rest is not read.
MAX_ANSWER = 1_000_000

#: Number of requests in a row that were not answered after which the model counts as away, and seconds until
#: it is tried again.
AWAY_AFTER, AWAY_FOR = 3, 60.0

#: Statuses of an answer that say that this request is at fault (its length, its content), and statuses, with
#: those from 500 on, that may be different the next time.
REJECTED = frozenset({400, 413, 422})
PASSING = frozenset({408, 409, 425, 429})

#: What to do about other statuses.
ADVICE = {
    401: "check TFORMANCE_LLM_KEY",
    403: "check what TFORMANCE_LLM_KEY may do",
    404: "check the name of the model, and TFORMANCE_LLM_URL",
}

#: The characters of a server's message that are shown.
MESSAGE_LENGTH = 200

#: Bytes of text in a token, about, for servers that do not count.
BYTES_PER_TOKEN = 4

#: Counts of tokens above this are not believed.
MAX_TOKENS = 10_000_000

Message = dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What a model answered.

    ``text`` is empty if it gave none, and None if the server rejected the request. ``requests`` counts how
    many times it was sent.
    """

    text: str | None
    requests: int
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        """The tokens of request and answer."""
        return self.prompt_tokens + self.completion_tokens


class UnansweredError(Exception):
    """A request was not answered, however often it was sent; ``requests`` says how often."""

    def __init__(self, requests: int) -> None:
        super().__init__(f"unanswered after {requests} requests")
        self.requests = requests


class LanguageModel:
    """The language models behind one endpoint, for all threads of a process.

    Parameters:
      may_send: tells whether another request may be sent now, and if so, counts it.
      stopping: set when the process is to end: nothing waits any longer then.
    """

    def __init__(self, may_send: Callable[[], bool], stopping: threading.Event) -> None:
        self._may_send = may_send
        self._stopping = stopping
        self._lock = threading.Lock()
        self._unanswered, self._away_since = 0, 0.0
        #: Tokens of the largest reply so far.
        self.largest_reply = 0

    @functools.cached_property
    def _endpoint(self) -> Endpoint:
        return find_endpoint()

    @functools.cached_property
    def _client(self) -> "httpx.Client":
        import httpx

        headers = {"Authorization": f"Bearer {self._endpoint.key}"} if self._endpoint.key else {}
        encrypted = self._endpoint.url.startswith("https:")  # otherwise certificates are loaded in vain
        return httpx.Client(headers=headers, timeout=settings.llm_timeout(), verify=encrypted)

    def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            self._client.close()

    def ask(self, model: str, messages: Sequence[Message]) -> Reply:
        """Send messages to a model and return its reply.

        Only the model and the messages are sent: many models refuse settings that others need.

        Raises:
          UnansweredError: no answer came, however often the request was sent.
          SeedError: the server refuses all requests, or has not answered for a while.
          TransientError: the process is to end.
        """
        import httpx

        body = json.dumps({"model": model, "messages": messages}).encode()
        failure, delay, deadline = "", FIRST_DELAY, time.monotonic() + PATIENCE
        for attempt in range(1, ATTEMPTS + 1):
            self._check_not_away()
            self._wait_for_turn()
            attempts = ATTEMPTS
            try:
                status, headers, content = self._post(body)
            except (httpx.HTTPError, httpx.StreamError) as error:
                failure, wait = str(error) or type(error).__name__, None
                if isinstance(error, httpx.ConnectError):
                    attempts = ATTEMPTS_TO_CONNECT
            else:
                if status == 200:
                    return self._answered(_reply(self._without_key(content), body, attempt))
                if status in REJECTED:
                    return self._answered(Reply(None, attempt))
                failure = self._describe(status, content)
                if status not in PASSING and status < 500:
                    advice = ADVICE.get(status, "check TFORMANCE_LLM_URL")
                    raise SeedError(f"the language model at {self._endpoint.name} said {failure}; {advice}")
                wait = _retry_after(headers)
            if wait is None:
                wait, delay = delay * random.uniform(0.5, 1.0), 2 * delay  # noqa: S311 - only a delay
            if attempt >= attempts or time.monotonic() + wait > deadline:
                break
            self._wait(wait)
        self._not_answered(failure)
        raise UnansweredError(attempt)

    def _wait_for_turn(self) -> None:
        while not self._may_send():
            self._wait(TURN_INTERVAL)

    def _wait(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise TransientError("this process is to end")

    def _post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request and return status, headers and body of the answer, empty if it is too long.

        Raises:
          httpx.HTTPError: no answer came, or not all of it in time.
        """
        import httpx

        deadline = time.monotonic() + settings.llm_timeout()
        headers, received = {"Content-Type": "application/json"}, bytearray()
        with self._client.stream("POST", self._endpoint.url, content=body, headers=headers) as response:
            for piece in response.iter_bytes():
                received += piece
                if len(received) > MAX_ANSWER:
                    return response.status_code, response.headers, b""
                if time.monotonic() > deadline:  # the client's time-out is for each piece
                    raise httpx.ReadTimeout("timed out")
        return response.status_code, response.headers, bytes(received)

    def _check_not_away(self) -> None:
        """Raise SeedError if the model counts as away."""
        if self._unanswered >= AWAY_AFTER and time.monotonic() - self._away_since < AWAY_FOR:
            raise SeedError(self._away)

    def _not_answered(self, failure: str) -> None:
        """Count a request that was not answered; raise SeedError if it was one too many in a row."""
        with self._lock:
            self._unanswered += 1
            self._away_since = time.monotonic()
            self._away = (
                f"the language model at {self._endpoint.name} does not answer: {failure}; what it answered "
                "before is kept, and the same command asks for the rest"
            )
            if self._unanswered >= AWAY_AFTER:
                raise SeedError(self._away)

    def _answered(self, reply: Reply) -> Reply:
        with self._lock:
            self._unanswered = 0
            self.largest_reply = max(self.largest_reply, reply.tokens)
        return reply

    def _without_key(self, content: bytes) -> str:
        return self._endpoint.without_key(content.decode(errors="replace"))

    def _describe(self, status: int, content: bytes) -> str:
        """Return what a server said with an error, in one line."""
        text = " ".join("".join(c if c.isprintable() else " " for c in self._without_key(content)).split())
        return f"HTTP {status}: {text[:MESSAGE_LENGTH]}"


def _reply(text: str, body: bytes, requests: int) -> Reply:
    """Return the reply in the body of an answer; one without text if there is none in it."""
    try:
        completion = json.loads(text)
    except (ValueError, RecursionError):
        completion = None
    content = _value_at(completion, "choices", 0, "message", "content")
    tokens = [_value_at(completion, "usage", name) for name in ("prompt_tokens", "completion_tokens")]
    if not all(isinstance(number, int) and 0 <= number <= MAX_TOKENS for number in tokens):
        tokens = [len(body) // BYTES_PER_TOKEN, len(text.encode()) // BYTES_PER_TOKEN]
    return Reply(content if isinstance(content, str) else "", requests, *tokens)


def _value_at(value: Any, *path: str | int) -> Any:
    """Return the JSON value at a path below another; None if there is none."""
    try:
        for step in path:
            value = value[step]
    except (LookupError, TypeError):
        return None
    return value


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds after which a server wants to be asked again; None if it does not say.

    The header holds seconds or a date (RFC 9110, section 10.2.3).
    """
    text = headers.get("Retry-After", "")
    try:
        seconds = float(text) if text[:1].isdigit() else parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds)
