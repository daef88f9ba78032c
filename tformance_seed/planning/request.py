"""A user's request, and the checks that its options are valid and go together."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tformance_seed.catalog.organisations import MAX_MEMBERS, MAX_PRS, SLUG
from tformance_seed.catalog.scales import find_scale
from tformance_seed.catalog.scenarios import find_scenario
from tformance_seed.errors import InputError
from tformance_seed.planning.access import Access
from tformance_seed.settings import GENERATED, checked_days
from tformance_seed.sources.registry import DEFAULT_SOURCE, SOURCES, source_type
from tformance_seed.sources.request import ContentRequest

#: The maximum length of the name of a language model, and its form.
MAX_MODEL = 100
MODEL = re.compile(rf"[!-~]{{1,{MAX_MODEL}}}")

#: Field of a request -> the name of its option, if that is different.
OPTION_NAMES = {"repositories": "repo"}


@dataclass(frozen=True)
class Options:
    """Options for how to write. None of them changes the content, except ``summaries`` the summaries.

    ``slug`` is the slug of the team in the application (None: the organisation's own choice). ``summaries``
    says who writes summaries of pull requests: a language model's name, or ``GENERATED``. ``max_tokens`` is
    how many tokens all of a run's requests to it may spend.
    """

    chunk_size: int | None = None
    adopt: bool = False
    clear: bool = False
    slug: str | None = None
    wait: bool = False
    access: Access = field(default_factory=Access)
    summaries: str = GENERATED
    max_tokens: int | None = None

    @property
    def model(self) -> str | None:
        """The name of the language model that writes summaries; None if they are generated."""
        return None if self.summaries == GENERATED else self.summaries

    def check(self) -> None:
        """Raise InputError if a value is impossible, or options cannot be combined."""
        if self.chunk_size is not None and self.chunk_size < 1:
            raise InputError(f"--chunk-size {self.chunk_size}: expected at least 1")
        if not MODEL.fullmatch(self.summaries):
            raise InputError(
                f"--summaries {self.summaries[:MAX_MODEL]}: expected {GENERATED} or the name of a language "
                f"model, of at most {MAX_MODEL} characters without spaces"
            )
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InputError(f"--max-tokens {self.max_tokens}: expected at least 1")
        if self.max_tokens is not None and self.model is None:
            raise InputError("--max-tokens works only with --summaries MODEL; generated ones need no tokens")
        self.access.check()


@dataclass(frozen=True)
class Request(ContentRequest):
    """A user's request: the content to seed, and the options for writing it."""

    options: Options = field(default_factory=Options)

    def parameters(self) -> dict[str, Any]:
        """Return the request as JSON values for the ledger: without paths, and with few of its options."""
        days = {"until": self.until, "shift_to": self.shift_to}
        names = (
            "everything",
            "source",
            "days",
            "members",
            "prs",
            "adoption",
            "scenario",
            "scale",
            "seed",
            "emails",
            "members_from",
        )
        return {
            "organisations": list(self.organisations),
            **{name: day and day.isoformat() for name, day in days.items()},
            **{name: getattr(self, name) for name in names},
            "summaries": self.options.summaries,
            "max_tokens": self.options.max_tokens,
        }

    @property
    def source_name(self) -> str:
        """The source that the user named, else the one that an option implies, else the default."""
        if self.source is not None:
            return self.source
        implied = (name for name in SOURCES if self._is_given(source_type(name).implied_by))
        return next(implied, DEFAULT_SOURCE)

    def check(self) -> None:
        """Raise InputError if a value is out of range, or options cannot be combined."""
        checked_days(self.days)
        for name, (is_valid, expected) in _EXPECTED.items():
            value = getattr(self, name)
            if value is not None and not is_valid(value):
                shown = f"{value:g}" if isinstance(value, float) else value
                raise InputError(f"{_option(name)} {shown}: {expected}")
        self.options.check()
        self._check_slug()
        if self.scenario is not None:
            find_scenario(self.scenario)
        if self.scale is not None:
            find_scale(self.scale)
        if self.everything and self.organisations:
            raise InputError("--all and named organisations cannot be combined; choose one")
        source_type(self.source_name).check(self)
        self._check_own_options()
        for name in ("days", "prs", "adoption") if self.scenario else ():
            if getattr(self, name) is not None:
                raise InputError(f"--{name} and --scenario cannot be combined: a scenario sets its own")
        for name in ("members", "prs", "adoption", "scenario") if self.scale else ():
            if getattr(self, name) is not None:
                raise InputError(f"--{name} and --scale cannot be combined: a scale sets its own")

    def _check_slug(self) -> None:
        """Raise InputError if the slug of the team is not one, or several teams would get it."""
        slug = self.options.slug
        if slug is not None and not SLUG.fullmatch(slug):
            raise InputError(f"--slug {slug}: expected a-z, 0-9, - and _, at most 50 characters")
        if slug is not None and (self.everything or len(set(self.organisations)) > 1):
            raise InputError(f"--slug {slug}: it is the slug of one team; seed one organisation with it")

    def _check_own_options(self) -> None:
        """Raise InputError if an option does not belong to the request's source."""
        types = {name: source_type(name) for name in SOURCES}
        foreign = {
            option: reason
            for other in types.values()
            for option, reason in other.own_options.items()
            if option not in types[self.source_name].own_options
        }
        for option, reason in foreign.items():
            if self._is_given(option):
                owners = " or ".join(name for name, each in types.items() if option in each.own_options)
                because = f": {reason}" if reason else ""
                raise InputError(f"{_option(option)} works only with --source {owners}{because}")

    def _is_given(self, option: str | None) -> bool:
        """Return whether the user set an option."""
        value = None if option is None else getattr(self, option)
        return value is not None and value is not False and value not in ((), [])  # 0 counts as set


#: Field -> (whether a value is valid, the expectation to show if it is not).
_EXPECTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "members": (lambda count: 1 <= count <= MAX_MEMBERS, f"expected 1 to {MAX_MEMBERS}"),
    "prs": (lambda count: 0 <= count <= MAX_PRS, f"expected 0 to {MAX_PRS}"),
    "adoption": (lambda rate: 0 <= rate <= 1, "expected a rate from 0 to 1"),
}


def _option(field_name: str) -> str:
    return f"--{OPTION_NAMES.get(field_name, field_name.replace('_', '-'))}"
