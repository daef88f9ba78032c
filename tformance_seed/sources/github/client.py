"""Ask GitHub's GraphQL API, within the limits of each token, and tell good answers from all others.

The limits are those of https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits: a primary
one that is reset each hour, and secondary ones, after which a client has to pause.
"""

import datetime
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx
import msgspec
import stamina

from tformance_seed import __version__
from tformance_seed.errors import InputError, TransientError, UnavailableError
from tformance_seed.sources.github.replies import RateLimit
from tformance_seed.sources.github.tokens import Token, TokenPool
from tformance_seed.sources.request import FetchListener
from tformance_seed.urls import LOOPBACK_HOSTS, check_web_address

#: Seconds to connect, and between two pieces of an answer. GitHub itself ends a query after 10 seconds.
CONNECT_TIMEOUT, READ_TIMEOUT = 15.0, 30.0

#: Maximum number of bytes of an answer, decompressed.
MAX_ANSWER = 64 << 20

#: Number of times that a query is tried if it becomes smaller each time, and if it does not; and the longest
#: pause between two, in seconds.
ATTEMPTS, SAME_ATTEMPTS, MAX_PAUSE = 10, 5, 8.0

#: Seconds for which a limit is waited out in any case, as part of trying again.
SHORT_WAIT = 10.0

#: Seconds to wait longer than GitHub says: its clock may be behind.
MARGIN = 1.0

#: Statuses with which GitHub answers a query that took too long, and with which it or a proxy is overloaded.
TOO_SLOW, OVERLOADED = (502, 504), (500, 503)

#: Types of errors that say for good why something cannot be read.
REFUSALS = ("FORBIDDEN", "INSUFFICIENT_SCOPES", "NOT_FOUND", "SAML_FAILURE")

#: What GitHub says of a cursor that is not valid, or not any more.
CURSOR_WORDS = ("cursor", "invalid_cursor_arguments")

#: A query and its variables.
Question = tuple[str, Mapping[str, Any]]

Data = TypeVar("Data")


class UnusableAnswerError(Exception):
    """There was no good answer; the same question, or a smaller one, may get one."""


class TooHeavyError(UnusableAnswerError):
    """The question was too big: it took too long, or only a part of it was answered."""


class InvalidCursorError(UnavailableError):
    """The cursor ``after`` is not known, or not any more."""


class LimitReachedError(TransientError):
    """All tokens have spent what they may; what was fetched is in the cache."""


class Error(msgspec.Struct):
    """One of an answer's errors."""

    message: str = ""
    type: str | None = None
    path: list[Any] | None = None

    def __str__(self) -> str:
        where = f" (at {'.'.join(map(str, self.path))})" if self.path else ""
        return f"{self.message or self.type or 'an error without a message'}{where}"


class Envelope(msgspec.Struct):
    """An answer before its data are looked at."""

    data: msgspec.Raw = msgspec.Raw()
    errors: list[Error] | None = None


class Client:
    """A connection to GitHub.

    Parameters:
      url: the address of the GraphQL API.
      tokens: the tokens to ask with.
      listener: is told of waits.
      patient: whether to wait when the limits of all tokens are reached.
      timeout: maximum number of seconds between two pieces of an answer.
    """

    def __init__(
        self,
        url: str,
        tokens: TokenPool,
        listener: FetchListener,
        *,
        patient: bool,
        timeout: float = READ_TIMEOUT,
    ) -> None:
        self._url, self._tokens, self._listener, self._patient = url, tokens, listener, patient
        local = check_web_address("TFORMANCE_GITHUB_URL", url) in LOOPBACK_HOSTS
        self._http = httpx.Client(
            headers={"User-Agent": f"tformance_seed/{__version__}", "Accept": "application/json"},
            timeout=httpx.Timeout(timeout, connect=CONNECT_TIMEOUT),
            trust_env=not local,  # a proxy cannot reach this machine
        )
        if not (log := logging.getLogger("stamina")).handlers:  # it would print a line at each attempt
            log.addHandler(logging.NullHandler())
        self.requests = 0  #: number of requests sent
        self._cost = 1  #: what the last query cost, in the units of the primary limit

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def ask(
        self,
        question: Callable[[], Question],
        read: Callable[[msgspec.Raw], Data],
        too_heavy: Callable[[], None] = lambda: None,
    ) -> Data:
        """Ask until there is a good answer, and return its data.

        Parameters:
          question: returns what to ask, for each attempt.
          read: takes the data of a complete answer, and raises msgspec's errors if they are of another form.
          too_heavy: is called after an attempt that was too much for GitHub, to ask for less the next time.

        Raises:
          InputError: what is asked for does not exist or may not be read, or no token is accepted.
          InvalidCursorError: the cursor among the variables is not valid any more.
          LimitReachedError: the tokens may ask no more for now.
          UnavailableError: there was no good answer in several attempts.
        """
        try:
            for attempt in stamina.retry_context(
                on=UnusableAnswerError, attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=MAX_PAUSE
            ):
                with attempt:
                    try:
                        return self._ask_once(*question(), read)
                    except UnusableAnswerError as error:
                        if isinstance(error, TooHeavyError):
                            too_heavy()
                        elif attempt.num == SAME_ATTEMPTS:
                            raise self._unavailable(error) from None
                        self._listener.show(self._tokens.mask(f"GitHub: {error}; trying again"))
                        raise
        except UnusableAnswerError as error:
            raise self._unavailable(error) from None
        raise AssertionError("attempts end with an answer or an error")

    def _unavailable(self, error: UnusableAnswerError) -> UnavailableError:
        return UnavailableError(self._tokens.mask(f"GitHub at {self._host}: {error}"))

    @property
    def _host(self) -> str:
        return httpx.URL(self._url).host

    def _ask_once(
        self, query: str, variables: Mapping[str, Any], read: Callable[[msgspec.Raw], Data]
    ) -> Data:
        """Ask once, with whatever token may ask, and return the data of a good answer."""
        while True:
            token = self._wait_for_token()
            status, headers, body = self._post(token, query, variables)
            if status == 401:
                self._refuse(token)
            elif not (limited := self._note_limits(token, status, headers, body)):
                break
            else:
                self._listener.show(f"{token.name} has reached a limit of GitHub's: {limited}")
        if status in TOO_SLOW:
            raise TooHeavyError(f"the query took too long (status {status})")
        if status in OVERLOADED:
            raise UnusableAnswerError(f"status {status}")
        if status != 200:
            raise InputError(
                self._tokens.mask(f"GitHub at {self._host}: status {status}: {_message(body) or 'no reason'}")
            )
        data = self._complete_data(_envelope(body), variables)
        try:
            return read(data)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise UnusableAnswerError(f"an answer of another form than documented: {error}") from None

    def _complete_data(self, envelope: Envelope, variables: Mapping[str, Any]) -> msgspec.Raw:
        """Return the data of an answer that is complete; a part of an answer is none."""
        for error in envelope.errors or []:
            text = f"{error.type} {error.message}".lower()
            shown = self._tokens.mask(f"GitHub at {self._host}: {error}")
            if variables.get("after") and any(word in text for word in CURSOR_WORDS):
                raise InvalidCursorError(shown)
            if error.type in REFUSALS:
                raise InputError(shown)
        if envelope.errors:
            raise TooHeavyError(f"not answered in full: {envelope.errors[0]}")
        if bytes(envelope.data) in (b"", b"null"):
            raise TooHeavyError("an answer without data")
        return envelope.data

    def _post(
        self, token: Token, query: str, variables: Mapping[str, Any]
    ) -> tuple[int, httpx.Headers, bytes]:
        """Send a query; return the answer's status, headers and body."""
        self.requests += 1
        try:
            with self._http.stream(
                "POST",
                self._url,
                content=msgspec.json.encode({"query": query, "variables": variables}),
                headers={"Authorization": f"bearer {token.secret}", "Content-Type": "application/json"},
            ) as answer:
                body = bytearray()
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > MAX_ANSWER:
                        raise TooHeavyError(f"an answer of more than {MAX_ANSWER >> 20} MiB")
                return answer.status_code, answer.headers, bytes(body)
        except (httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError) as error:
            raise TooHeavyError(f"no answer: {_reason(error)}") from None
        except httpx.HTTPError as error:
            raise UnusableAnswerError(f"cannot be reached: {_reason(error)}") from None

    def _note_limits(self, token: Token, status: int, headers: httpx.Headers, body: bytes) -> str:
        """Note what an answer says about limits; return which was met, empty if none was."""
        now = time.time()
        remaining, resets_at = (
            _number(headers, "x-ratelimit-remaining"),
            _number(headers, "x-ratelimit-reset"),
        )
        retry_after = _number(headers, "retry-after")
        if remaining is not None and resets_at is not None:
            token.remaining, token.resets_at = int(remaining), resets_at
        if status == 200:
            errors = _envelope(body).errors or []
            limited = any(error.type == "RATE_LIMITED" for error in errors)
            secondary = any("secondary rate limit" in error.message.lower() for error in errors)
        else:
            words = _message(body).lower()
            secondary = status in (403, 429) and ("secondary" in words or "abuse" in words)
            limited = status == 429 or (
                status == 403 and ("rate limit" in words or remaining == 0 or retry_after is not None)
            )
        if not (limited or secondary):
            if status == 200:
                token.times_blocked = 0
                self._note_cost(token, body)
            return ""
        if not secondary and retry_after is None and remaining == 0 and resets_at is not None:
            token.meet_primary_limit(resets_at + MARGIN)
            return "primary"
        token.meet_secondary_limit(now, retry_after)
        return "secondary"

    def _note_cost(self, token: Token, body: bytes) -> None:
        """Note what a query cost, and what that leaves, if the answer says so."""
        try:
            rate = msgspec.json.decode(body, type=_Rated).data.rate_limit
        except (msgspec.ValidationError, msgspec.DecodeError, AttributeError):
            return
        if rate is not None:
            self._cost = max(1, rate.cost)
            token.remaining, token.resets_at = rate.remaining, rate.reset_at.timestamp()

    def _wait_for_token(self) -> Token:
        """Return a token that may be used now.

        Raises:
          LimitReachedError: there is none, and waiting for one takes longer than the user wants.
        """
        now = time.time()
        token = self._tokens.best(self._cost, now)
        free_at = token.free_at(self._cost, now)
        if free_at <= now:
            return token
        when = datetime.datetime.fromtimestamp(free_at + 1, datetime.UTC)
        shown = f"{when:%H:%M:%S} UTC (in {_duration(free_at - now)})"
        if free_at - now > SHORT_WAIT:
            if not self._patient:
                raise LimitReachedError(
                    f"GitHub's rate limit is reached; what was fetched is in the cache: go on with the same "
                    f"command after {shown}, or let it wait with --wait"
                )
            self._listener.say(f"GitHub's rate limit is reached; waiting until {shown}")
        while (left := free_at - time.time()) > 0:
            self._listener.show(f"waiting for GitHub's rate limit, {_duration(left)} left")
            time.sleep(min(left, 1.0))
        token.remaining = max(token.remaining, self._cost)
        return token

    def _refuse(self, token: Token) -> None:
        """Use a token no more that GitHub does not accept."""
        if not self._tokens.remove(token):
            raise InputError(f"GitHub at {self._host} does not accept {token.name} (status 401)")
        self._listener.say(f"GitHub does not accept {token.name} (status 401); going on with the others")


class _RateOfData(msgspec.Struct, rename="camel"):
    rate_limit: RateLimit | None = None


class _Rated(msgspec.Struct):
    data: _RateOfData


def _envelope(body: bytes) -> Envelope:
    """Return an answer with status 200."""
    try:
        return msgspec.json.decode(body, type=Envelope)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise UnusableAnswerError(f"an answer that is not what GraphQL answers: {error}") from None


def _message(body: bytes) -> str:
    """Return the message in the body of an answer that is an error."""
    try:
        return msgspec.json.decode(body, type=Error).message[:500]
    except (msgspec.ValidationError, msgspec.DecodeError):
        return ""


def _number(headers: httpx.Headers, name: str) -> float | None:
    """Return a header that is a number of at least 0; None if there is none."""
    text = headers.get(name, "")
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _duration(seconds: float) -> str:
    """Return a duration such as 23 min."""
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{max(1, round(seconds))} s"


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
