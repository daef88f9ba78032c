"""The options of the sources that read GitHub or caches, checked before anything else is imported."""

from collections.abc import Iterator
from contextlib import contextmanager

from tformance_seed.catalog.organisations import SLUG
from tformance_seed.errors import InputError
from tformance_seed.sources.request import ContentRequest

#: Kinds of people, and those who are members if the user does not say.
AUTHORS, REVIEWERS, ALL = "authors", "reviewers", "all"
DEFAULT_MEMBERS_FROM = f"{AUTHORS},{REVIEWERS}"

#: Options of every source that reads caches -> why others have none of them.
CACHE_OPTIONS = {
    "members_from": "",
    "cache_dir": "",
    "emails": "generated addresses are nobody's",
    "shift_to": "generated windows end when --until says",
}

#: The libraries of the extra.
LIBRARIES = ("httpx", "msgspec", "stamina")


def check(request: ContentRequest) -> None:
    """Raise InputError if a request names no organisation, or a kind of people that there is not."""
    if request.everything or not request.organisations:
        raise InputError(f"--source {request.source} needs the names of organisations on GitHub")
    for organisation in request.organisations:
        if not SLUG.fullmatch(organisation.lower()):
            raise InputError(f"{organisation}: no organisation on GitHub can have this name")
    members_from(request)


def members_from(request: ContentRequest) -> list[str]:
    """Return the kinds of people who are members.

    Raises:
      InputError: one of them is none.
    """
    text = DEFAULT_MEMBERS_FROM if request.members_from is None else request.members_from
    kinds = {kind.strip() for kind in text.split(",")}
    if not kinds <= {AUTHORS, REVIEWERS, ALL}:
        raise InputError(
            f"--members-from {text}: expected {AUTHORS}, {REVIEWERS}, both with a comma, or {ALL}"
        )
    return sorted(kinds)


@contextmanager
def extra(source: str) -> Iterator[None]:
    """Convert the error about a library that is not installed to InputError."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in LIBRARIES:
            raise
        raise InputError(f"--source {source} needs an extra: pip install 'tformance_seed[github]'") from error
