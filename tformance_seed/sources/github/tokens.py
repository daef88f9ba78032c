"""The tokens with which GitHub is asked: where they come from, and what each may still spend."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

from tformance_seed import settings
from tformance_seed.errors import InputError
from tformance_seed.urls import check_web_address, without

#: What a token consists of; anything else would not fit into a header.
TOKEN = re.compile(r"[\x21-\x7e]{1,400}")

#: What a token may spend in an hour as long as GitHub has not said otherwise.
USUAL_LIMIT = 5_000

#: Seconds for which ``gh`` may take.
GH_TIMEOUT = 20

#: Seconds to wait at a secondary limit if GitHub says nothing, doubled each time that it is met again.
SECONDARY_WAIT, MAX_SECONDARY_WAIT = 60.0, 1800.0

#: What to do where no token is known.
NONE_FOUND = (
    "GitHub's GraphQL API needs a token: set GITHUB_SEEDING_TOKENS (several, with commas between them) or "
    "GITHUB_TOKEN, or log in with: gh auth login"
)


@dataclass
class Token:
    """One token; times are in seconds since 1970."""

    secret: str = field(repr=False)
    name: str
    remaining: int = USUAL_LIMIT
    resets_at: float = 0.0
    blocked_until: float = 0.0
    times_blocked: int = 0

    def free_at(self, cost: int, now: float) -> float:
        """Return when the token can be used for a query of this cost; at the latest now, if at once."""
        until = self.blocked_until
        if self.remaining < cost and self.resets_at > now:
            until = max(until, self.resets_at)
        return max(until, now)

    def meet_primary_limit(self, resets_at: float) -> None:
        """Note that nothing is left until a time."""
        self.remaining, self.resets_at = 0, resets_at
        self.blocked_until = resets_at

    def meet_secondary_limit(self, now: float, retry_after: float | None) -> None:
        """Note that GitHub wants a pause, as long as it says or, if it does not, longer each time."""
        growing = min(SECONDARY_WAIT * 2**self.times_blocked, MAX_SECONDARY_WAIT)
        self.blocked_until = now + (growing if retry_after is None else retry_after)
        self.times_blocked += 1


class TokenPool:
    """The tokens that can be used; the one that has most left is next.

    Parameters:
      secrets: the tokens.
      origin: where they come from, for messages.
    """

    def __init__(self, secrets: list[str], origin: str) -> None:
        many = len(secrets) > 1
        self.tokens = [
            Token(secret, f"token {number} of {origin}" if many else f"the token of {origin}")
            for number, secret in enumerate(secrets, start=1)
        ]
        self._secrets = list(secrets)

    def best(self, cost: int, now: float) -> Token:
        """Return the token that can be used first, and of those that can be used now, which has most left."""
        return min(self.tokens, key=lambda token: (token.free_at(cost, now), -token.remaining))

    def remove(self, token: Token) -> bool:
        """Use a token no more; return whether another is left."""
        self.tokens.remove(token)
        return bool(self.tokens)

    def mask(self, text: str) -> str:
        """Return a text, on one line, without any of the tokens."""
        return " ".join(without(text, self._secrets).split())


def find_tokens(url: str, say: Callable[[str], None]) -> TokenPool:
    """Return the tokens in the environment, else that of GitHub's own program.

    Parameters:
      url: the API's address.
      say: is told, in one line, that the program's token is used.

    Raises:
      InputError: there is no token, or one of them is malformed.
    """
    origin, secrets = settings.github_tokens()
    if not secrets:
        origin = "`gh auth token`"
        secrets = _tokens_of_gh(check_web_address("TFORMANCE_GITHUB_URL", url))
        say(f"the token for GitHub is the one that {origin} prints")
    for number, secret in enumerate(secrets, start=1):
        if not TOKEN.fullmatch(secret):
            raise InputError(f"{origin}: token {number} is malformed: it contains characters that none has")
    return TokenPool(list(dict.fromkeys(secrets)), origin)


def _tokens_of_gh(host: str) -> list[str]:
    """Return the token of GitHub's program, in a list.

    Raises:
      InputError: it is not installed, or not logged in.
    """
    program = shutil.which("gh")
    if program is None:
        raise InputError(NONE_FOUND)
    command = [program, "auth", "token", "--hostname", host.removeprefix("api.")]
    try:
        answer = subprocess.run(  # noqa: S603 (a list of arguments, no shell)
            command, capture_output=True, text=True, timeout=GH_TIMEOUT, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        raise InputError(NONE_FOUND) from error
    token = answer.stdout.strip()
    if answer.returncode or not token:
        raise InputError(NONE_FOUND)
    return [token]
