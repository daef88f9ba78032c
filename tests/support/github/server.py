"""The server: it answers real GraphQL, within limits, and with whatever faults a test wants."""

import base64
import functools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import graphql

from tests.support.github.world import Row, World

SCHEMA = Path(__file__).with_name("schema.graphql")

#: A type and a message of GitHub's, as it writes them.
RATE_LIMITED = {"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}
TIMED_OUT = {
    "message": "Something went wrong while executing your query. This may be the result of a timeout, or it "
    "could be a GitHub bug. Please include `AAAA:1` when reporting this issue."
}


@dataclass
class Answer:
    """An answer to send; ``delay`` in seconds before it."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0

    @property
    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Request:
    """A request that was received."""

    operation: str
    variables: dict[str, Any]
    token: str


Fault = Callable[[Request], Answer | None]


@dataclass
class Allowance:
    """What a token may spend."""

    remaining: int = 5_000
    resets_at: float = field(default_factory=lambda: time.time() + 3_600)


class GitHub:
    """A server on a port of its own.

    ``faults`` are asked for an answer one after the other, one for each request; ``rule`` is asked each time.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.requests: list[Request] = []
        self.faults: list[Fault | Answer] = []
        self.rule: Fault = lambda _request: None
        self.tokens: dict[str, Allowance] = {"token-one": Allowance()}
        self.expired_cursors: set[str] = set()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/graphql"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a command asks this server."""
        return {"TFORMANCE_GITHUB_URL": self.url, "GITHUB_SEEDING_TOKENS": ",".join(self.tokens)}

    def operations(self, name: str) -> list[Request]:
        return [request for request in self.requests if request.operation == name]

    @contextmanager
    def running(self) -> Iterator["GitHub"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def answer(self, token: str, body: Row) -> Answer:
        """Answer a request."""
        with self._lock:
            document = _parse(body["query"])
            (operation, *_) = document.definitions
            request = Request(operation.name.value, body.get("variables") or {}, token)
            self.requests.append(request)
            fault = self.faults.pop(0) if self.faults else None
            failing = fault(request) if callable(fault) else fault
            failing = failing or self.rule(request)
            if failing is not None:
                return failing
            allowance = self.tokens.get(token)
            if allowance is None:
                return Answer(401, {"message": "Bad credentials"})
            if allowance.remaining <= 0 and allowance.resets_at <= time.time():
                allowance.remaining, allowance.resets_at = 5_000, time.time() + 3_600
            if allowance.remaining <= 0:
                return Answer(200, {"errors": [RATE_LIMITED]}, _limits(allowance))
            allowance.remaining -= 1
            result = graphql.execute(
                _schema(),
                document,
                context_value=(self, allowance),
                variable_values=request.variables,
            )
            return Answer(200, self._formatted(result), _limits(allowance))

    @staticmethod
    def _formatted(result: graphql.ExecutionResult) -> Row:
        answer: Row = {"data": result.data}
        if result.errors:
            answer["errors"] = [
                {**error.formatted, "type": (error.extensions or {}).get("type")} for error in result.errors
            ]
        return answer


def _limits(allowance: Allowance) -> dict[str, str]:
    return {
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": str(allowance.remaining),
        "x-ratelimit-reset": str(int(allowance.resets_at)),
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, github: GitHub, *arguments: Any) -> None:
        self._github = github
        super().__init__(*arguments)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        token = self.headers.get("Authorization", "").removeprefix("bearer ")
        answer = self._github.answer(token, body)
        time.sleep(answer.delay)
        payload = answer.payload
        try:
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)
        except OSError:
            self.close_connection = True  # the client waits no longer

    def log_message(self, *_arguments: Any) -> None:
        pass


@functools.lru_cache(maxsize=256)
def _parse(query: str) -> graphql.DocumentNode:
    document = graphql.parse(query)
    errors = graphql.validate(_schema(), document)
    assert not errors, errors
    return document


@functools.cache
def _schema() -> graphql.GraphQLSchema:
    schema = graphql.build_schema(SCHEMA.read_text())
    for name, kind in schema.type_map.items():
        if not isinstance(kind, graphql.GraphQLObjectType) or name.startswith("__"):
            continue
        for field_name, found in kind.fields.items():
            if str(found.type).rstrip("!").endswith("Connection"):
                found.resolve = functools.partial(_page, field_name)
    query = schema.query_type.fields
    query["node"].resolve = lambda _root, info, **names: info.context[0].world.nodes.get(names["id"])
    query["repository"].resolve = _repository
    query["repositoryOwner"].resolve = lambda _root, info, login: next(
        (owner for name, owner in info.context[0].world.owners.items() if name.lower() == login.lower()),
        None,
    )
    query["rateLimit"].resolve = lambda _root, info, **_arguments: {
        "cost": 1,
        "limit": 5_000,
        "remaining": info.context[1].remaining,
        "resetAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(info.context[1].resets_at)),
    }
    return schema


def _repository(
    _root: None, info: graphql.GraphQLResolveInfo, owner: str, name: str, **_arguments: Any
) -> Row:
    found = {key.lower(): value for key, value in info.context[0].world.repositories.items()}
    if f"{owner}/{name}".lower() not in found:
        raise graphql.GraphQLError(
            f"Could not resolve to a Repository with the name '{owner}/{name}'.",
            extensions={"type": "NOT_FOUND"},
        )
    return found[f"{owner}/{name}".lower()]


def _page(
    name: str,
    source: Row,
    info: graphql.GraphQLResolveInfo,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
    **_arguments: Any,
) -> Row | None:
    """A page of a list; the cursors of pull requests say when they changed, as GitHub's do."""
    items = source[name]
    if items is None:
        return None
    if last is not None:
        return {"nodes": items[-last:], "pageInfo": {"hasNextPage": False}}
    if name == "pullRequests":
        items = sorted(items, key=_order)
        places = [_cursor(item) for item in items]
    else:
        places = [base64.b64encode(f"cursor:{place}".encode()).decode() for place in range(len(items))]
    start = 0
    if after is not None:
        if after in info.context[0].expired_cursors or not after.startswith("Y3Vyc29y"):
            raise graphql.GraphQLError(
                f"`{after}` does not appear to be a valid cursor.",
                extensions={"type": "INVALID_CURSOR_ARGUMENTS"},
            )
        if name == "pullRequests":
            start = sum(_order(item) <= _after(after) for item in items)
        else:
            start = places.index(after) + 1
    assert first is not None
    assert 1 <= first <= 100
    some = items[start : start + first]
    end = places[start + len(some) - 1] if some else after
    return {"nodes": some, "pageInfo": {"hasNextPage": start + len(some) < len(items), "endCursor": end}}


def _order(pull_request: Row) -> tuple[list[int], int]:
    """The order of those that changed last first."""
    return [-ord(character) for character in pull_request["updatedAt"]], -pull_request["number"]


def _cursor(pull_request: Row) -> str:
    return base64.b64encode(
        f"cursor:v2:{pull_request['updatedAt']}|{pull_request['number']}".encode()
    ).decode()


def _after(cursor: str) -> tuple[list[int], int]:
    changed, number = base64.b64decode(cursor).decode().removeprefix("cursor:v2:").split("|")
    return _order({"updatedAt": changed, "number": int(number)})
