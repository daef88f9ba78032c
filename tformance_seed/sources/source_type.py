"""The interface of a source's package to planning."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tformance_seed.catalog.profile import Profile
from tformance_seed.sources.records import Source
from tformance_seed.sources.request import ContentRequest

#: What a source plans for one organisation.
Planned = tuple[Profile, Source]


@dataclass(frozen=True)
class SourceType:
    """A kind of source, which turns requests into profiles and sources.

    Parameters:
      own_options: fields of a request that do not go together with sources which do not list them, each
        with the reason; empty where the option's name explains it.
      implied_by: the one of these that chooses this source where the user names none.
      check: raises InputError if a request for this source lacks an option or contradicts itself.
      plan: a profile and a source for each organisation of a checked request, which may leave the last day
        of the window open; the second argument is today. Raises InputError.
      restore: recreates a source from its profile and ``Source.record``, on any machine. Raises
        SeedError if its inputs cannot be read there.
    """

    own_options: Mapping[str, str]
    check: Callable[[ContentRequest], None]
    plan: Callable[[ContentRequest, datetime.date], Iterator[Planned]]
    restore: Callable[[Profile, Mapping[str, Any]], Source]
    implied_by: str | None = None
