"""Take URLs of databases and brokers apart, and show them without their secrets."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from tformance_seed.errors import InputError

#: Schemes of URLs that name a file or folder, and schemes of URLs that name a server.
PATH_SCHEMES = ("sqlite", "embedded")
SERVER_SCHEMES = ("postgresql", "postgres", "redis", "rediss", "amqp", "amqps")

#: How a password must be written in a URL.
ENCODING_HINT = "with % @ / ? # in a password written as %25 %40 %2F %3F %23"

#: A character that separates nothing: a separator must be encoded; NUL and lone surrogates cannot be sent.
_CHARACTER = r"(?:[^%@:/?#&=,\[\]\s\x00-\x1f\x7f\ud800-\udfff]|%(?!00)[0-9A-Fa-f]{2})"
_SECRET = rf"(?:{_CHARACTER}|[&=,\[\]])"
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|{_CHARACTER}*)(?::[0-9]{{1,5}})?"
_OPTION = rf"{_CHARACTER}+=(?:{_CHARACTER}|[:/,\[\]])*"

#: The only form in which a server's URL is accepted. It cannot be read in two ways: there is one ``@`` at
#: most, before what separates other parts, so nothing that stands after it is a piece of a password.
_SERVER = re.compile(
    rf"(?P<scheme>{'|'.join(SERVER_SCHEMES)})://"
    rf"(?:(?P<user>{_SECRET}*)(?::(?P<password>(?:{_SECRET}|:)*))?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)"
    rf"(?:/(?P<path>(?:{_CHARACTER}|/)*))?"
    rf"(?:\?(?P<options>(?:{_OPTION}(?:&{_OPTION})*)?))?"
)

#: A file's or folder's URL; whatever follows a ``?`` or ``#`` is no part of the path.
_PATH = re.compile(rf"(?P<scheme>{'|'.join(PATH_SCHEMES)}):///(?P<path>[^?#]*)(?P<rest>.*)", re.DOTALL)

#: A web address without secrets in it, and the hosts that are this machine.
_WEB = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?P<port>:[0-9]{1,5})?(?:/[\w./~-]*)?"
)
LOOPBACK_HOSTS = ("127.0.0.1", "[::1]", "localhost")

#: Secrets that are shorter than this are not searched for in messages, where they would be found in any word.
_SHORTEST_SECRET = 4


@dataclass(frozen=True)
class ServerUrl:
    """The URL of a server, taken apart.

    Attributes:
      hosts: Host and port, or several with commas between them; "" for the default.
      path: The name of a database or a virtual host; None if it has none.
      secrets: The password, and the values of options that are passwords, as they are written and decoded.
    """

    scheme: str
    user: str
    hosts: str
    path: str | None
    secrets: frozenset[str]


def parse_server_url(url: str) -> ServerUrl | None:
    """Take a server's URL apart; return None if it is malformed, so its parts cannot be told for sure."""
    match = _SERVER.fullmatch(url)
    if match is None:
        return None
    raw = dict(option.split("=", 1) for option in (match["options"] or "").split("&") if option)
    written = {match["password"] or "", *(value for name, value in raw.items() if "pass" in name)}
    return ServerUrl(
        scheme=match["scheme"],
        user=match["user"] or "",
        hosts=match["hosts"],
        path=match["path"],
        secrets=frozenset((written | {unquote(secret) for secret in written}) - {""}),
    )


def without_secrets(url: str) -> str:
    """Return a URL to show in messages: without password and options, whatever characters they hold.

    Only a well-formed URL is shown; of any other one no more than its scheme, since nobody can tell where its
    password begins and ends. A user's name is shown for PostgreSQL only: Redis may be given a password alone.
    """
    if path := _PATH.fullmatch(url):
        return f"{path['scheme']}:///{path['path']}".encode(errors="backslashreplace").decode()
    parsed = parse_server_url(url)
    if parsed is None:
        scheme = url.partition(":")[0]
        return f"{scheme}://..." if scheme in (*PATH_SCHEMES, *SERVER_SCHEMES) else "URL"
    user = f"{parsed.user}@" if parsed.user and parsed.scheme.startswith("postgres") else ""
    path_part = "" if parsed.path is None else f"/{parsed.path}"
    return f"{parsed.scheme}://{user}{parsed.hosts}{path_part}"


def has_secrets(url: str) -> bool:
    """Return whether a URL must not be shown as it is: it has a password, or may have one."""
    parsed = parse_server_url(url)
    return bool(parsed.secrets) if parsed else _PATH.fullmatch(url) is None and "://" in url


def mask(text: str, url: str) -> str:
    """Return a message without the secrets of a well-formed URL; names that are in it for all to see stay."""
    parsed = parse_server_url(url)
    if parsed is None:
        return text
    public = {parsed.scheme, parsed.user, parsed.hosts, parsed.path}
    return without(text, parsed.secrets - public)


def without(text: str, secrets: Iterable[str]) -> str:
    """Return a message without secrets that something else may have put into it."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text


def check_web_address(name: str, url: str) -> str:
    """Return the host of a web address to which secrets are sent.

    Parameters:
      name: what to call the address in messages.

    Raises:
      InputError: it is malformed, contains a user or password, or is not encrypted.
    """
    match = _WEB.fullmatch(url)
    if match is None:
        raise InputError(
            f"{name}: the URL is malformed; expected for example https://github.example.com/api/graphql, "
            "without user and password"
        )
    if match["scheme"] == "http" and match["host"] not in LOOPBACK_HOSTS:
        raise InputError(f"{name}: expected https://, since secrets are sent to {match['host']}")
    return match["host"]


def malformed(kind: str, url: str, example: str) -> InputError:
    """Return the error to raise for a URL that cannot be taken apart.

    Parameters:
      kind: what the URL is of, such as "database".
    """
    return InputError(
        f"{kind} {without_secrets(url)}: the URL is malformed; expected for example {example}, "
        f"{ENCODING_HINT}"
    )
