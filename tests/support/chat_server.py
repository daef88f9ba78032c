"""A language model on loopback: it speaks OpenAI's chat API, with every fault that a test wants."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: A key that no output may show.
KEY = "sk-hush-0123456789"

#: Tokens that each answer counts.
PROMPT_TOKENS, COMPLETION_TOKENS = 90, 10

START, END = "<pull_request>\n", "\n</pull_request>"


def summary(title: str = "Change a thing for a good reason", **parts: dict[str, Any]) -> dict[str, Any]:
    """Return a valid summary; parts replace some of its values."""
    values = {
        "ai": {"is_assisted": True, "tools": ["claude"], "usage_type": "assisted", "confidence": 0.75},
        "tech": {"languages": ["python"], "frameworks": [], "categories": ["backend"]},
        "summary": {"title": title, "description": "It does so.", "type": "feature"},
        "health": {"review_friction": "low", "scope": "small", "risk_level": "low", "insights": []},
    }
    return {name: value | parts.get(name, {}) for name, value in values.items()}


class Exchange:
    """A request, and the ways to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self._handler = handler
        self.at = time.monotonic()
        self.headers = handler.headers
        self.body = body
        self.messages = json.loads(body)["messages"]
        self.model = json.loads(body)["model"]

    @property
    def facts(self) -> dict[str, Any]:
        """What is said about the pull request."""
        return json.loads(self.messages[1]["content"].removeprefix(START).removesuffix(END))

    def send(self, content: bytes, status: int = 200, **headers: str) -> None:
        """Send any answer."""
        self._handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()
        self._handler.wfile.write(content)

    def answer(self, text: str | None, **more: Any) -> None:
        """Send a model's answer."""
        usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS}
        choices = [{"index": 0, "message": {"role": "assistant", "content": text}}]
        self.send(json.dumps({"choices": choices, "usage": usage, **more}).encode())

    def summarise(self) -> None:
        """Send a valid summary with the pull request's own title."""
        self.answer(json.dumps(summary(self.facts["title"][:100] or "Nothing")))

    def hang_up(self) -> None:
        """End the connection without an answer."""
        self._handler.close_connection = True

    def trickle(self, piece: bytes, pieces: int, pause: float = 0.0) -> None:
        """Send an answer in pieces without saying how long it is."""
        self._handler.send_response(200)
        self._handler.send_header("Connection", "close")
        self._handler.end_headers()
        for _ in range(pieces):
            self._handler.wfile.write(piece)
            self._handler.wfile.flush()
            time.sleep(pause)


class ChatServer:
    """A running server.

    Attributes:
      fault: Answers a request in its own way and returns True, or returns False for a proper answer.
      requests: What came, oldest first.
    """

    def __init__(self) -> None:
        self.fault: Callable[[Exchange], bool] = lambda _exchange: False
        self.requests: list[Exchange] = []
        chat = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                exchange = Exchange(self, body)
                with chat._lock:
                    chat.requests.append(exchange)
                if self.path != "/v1/chat/completions":
                    exchange.send(b"no such path", 404)
                    return
                try:
                    if not chat.fault(exchange):
                        exchange.summarise()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_error: None  # clients that hang up are none of a test's output
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that name the server."""
        return {"TFORMANCE_LLM_URL": self.url, "TFORMANCE_LLM_KEY": KEY}

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
