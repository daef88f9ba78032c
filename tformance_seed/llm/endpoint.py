"""Where language models are reached: the URL and the key in the environment, checked before they are used."""

import importlib.util
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tformance_seed import settings
from tformance_seed.errors import InputError

#: The path of the chat API below the URL that the user sets.
PATH = "/chat/completions"

#: An example of a URL, for messages.
EXAMPLE = "https://api.openai.com/v1"

#: Keys that are shorter than this are not searched for in texts, where they would be found in any word.
SHORTEST_KEY = 4


@dataclass(frozen=True)
class Endpoint:
    """The address that requests go to, and the key that they carry, which is shown nowhere."""

    url: str
    key: str = field(repr=False)

    def without_key(self, text: str) -> str:
        """Return a text of the server's without the key, which it may have repeated."""
        return text.replace(self.key, "***") if len(self.key) >= SHORTEST_KEY else text

    @property
    def name(self) -> str:
        """The host and port, for messages."""
        return urlsplit(self.url).netloc


def find_endpoint() -> Endpoint:
    """Return the endpoint that ``TFORMANCE_LLM_URL`` and ``TFORMANCE_LLM_KEY`` say.

    Raises:
      InputError: there is none, it is malformed, or the library that sends requests is not installed. The
        message shows neither of the two.
    """
    if importlib.util.find_spec("httpx") is None:
        raise InputError("summaries by a language model need an extra: pip install 'tformance_seed[llm]'")
    url, key = settings.llm_url(), settings.llm_key()
    if url is None:
        raise InputError(
            f"summaries by a language model need its address: set TFORMANCE_LLM_URL, such as {EXAMPLE}, and "
            "TFORMANCE_LLM_KEY if it wants a key"
        )
    if not _is_well_formed(url):
        raise InputError(
            f"TFORMANCE_LLM_URL is malformed; expected for example {EXAMPLE}, without a key, which belongs "
            "in TFORMANCE_LLM_KEY"
        )
    if not (key.isascii() and key.isprintable()):
        raise InputError("TFORMANCE_LLM_KEY has characters that cannot be sent; is there a line break in it?")
    base = url.rstrip("/")
    return Endpoint(base if base.endswith(PATH) else base + PATH, key)


def check_settings() -> None:
    """Raise InputError if a language model cannot be asked with the environment's variables."""
    find_endpoint()
    settings.llm_rate()
    settings.llm_timeout()


def _is_well_formed(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return (
        has_host
        and parts.scheme in ("http", "https")
        and not (parts.query or parts.fragment or "@" in parts.netloc)
        and url.isascii()
        and url.isprintable()
        and " " not in url
    )
