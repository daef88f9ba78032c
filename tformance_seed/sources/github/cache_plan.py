"""Plan organisations from caches alone, this package's or those of the application's former seeder."""

import datetime
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tformance_seed.catalog.profile import Profile
from tformance_seed.sources.github.options import CACHE_OPTIONS, check, extra
from tformance_seed.sources.request import ContentRequest
from tformance_seed.sources.source_type import Planned, SourceType

if TYPE_CHECKING:
    from tformance_seed.sources.github.source import GitHubSource


def plan(request: ContentRequest, now: datetime.datetime) -> Iterator[Planned]:
    """Yield the plan of each organisation from its caches."""
    with extra("cache"):
        from tformance_seed.sources.github.organisations import plan_cached
    yield from plan_cached(request, now)


def restore(profile: Profile, record: Mapping[str, Any]) -> "GitHubSource":
    """Return the source from its record; the caches must be readable here."""
    with extra("cache"):
        from tformance_seed.sources.github.source import restored
    return restored(profile, record)


SOURCE_TYPE = SourceType(own_options=CACHE_OPTIONS, check=check, plan=plan, restore=restore)
