"""Plan organisations from GitHub, or from its caches if the user wants no network."""

import datetime
from collections.abc import Iterator

from tformance_seed.errors import InputError
from tformance_seed.sources.github import cache_plan
from tformance_seed.sources.github.options import CACHE_OPTIONS, check, extra
from tformance_seed.sources.request import ContentRequest
from tformance_seed.sources.source_type import Planned, SourceType


def _check(request: ContentRequest) -> None:
    check(request)
    if request.offline and request.refresh:
        raise InputError("--offline and --refresh cannot be combined; choose one")


def _plan(request: ContentRequest, now: datetime.datetime) -> Iterator[Planned]:
    if request.offline:
        yield from cache_plan.plan(request, now)
        return
    with extra("github"):
        from tformance_seed.sources.github.online import plan_fetched
    yield from plan_fetched(request, now)


SOURCE_TYPE = SourceType(
    own_options={**CACHE_OPTIONS, "refresh": "", "offline": ""},
    check=_check,
    plan=_plan,
    restore=cache_plan.restore,
)
