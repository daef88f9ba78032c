"""The interface between a source's package and planning."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tformance_seed.catalog.profile import Profile
from tformance_seed.sources.records import Source
from tformance_seed.sources.request import ContentRequest

#: The result of planning one organisation.
Planned = tuple[Profile, Source]


@dataclass(frozen=True)
class SourceType:
    """A kind of source, which turns requests into profiles and sources.

    Parameters:
      own_options: fields of a request that cannot be combined with sources that do not list them -> the
        reason; empty if the option's name explains it.
      implied_by: the option among ``own_options`` that selects this source if the user does not name one.
      check: raises InputError if a request for this source lacks an option or contradicts itself.
      plan: yields a profile and a source for each organisation in a checked request, which may leave the
        last day of the window open. The second argument is the current time. Raises InputError.
      restore: recreates a source from its profile and ``Source.record``, on any machine. Raises SeedError
        if its inputs cannot be read there.
    """

    own_options: Mapping[str, str]
    check: Callable[[ContentRequest], None]
    plan: Callable[[ContentRequest, datetime.datetime], Iterator[Planned]]
    restore: Callable[[Profile, Mapping[str, Any]], Source]
    implied_by: str | None = None
