"""Bring the caches of organisations up to date with GitHub, and plan from these."""

import datetime
from collections.abc import Iterator
from contextlib import closing

from tformance_seed.catalog.organisations import Organisation
from tformance_seed.errors import InputError
from tformance_seed.settings import github_url
from tformance_seed.sources.github.client import Client
from tformance_seed.sources.github.fetch import Fetcher, find_repositories, look_up_repositories
from tformance_seed.sources.github.histories import History, of_cache
from tformance_seed.sources.github.organisations import folder, organisations, plan_organisation
from tformance_seed.sources.github.tokens import find_tokens
from tformance_seed.sources.people import LEAD_WEEKS
from tformance_seed.sources.records import RECENT_WEEKS
from tformance_seed.sources.request import ContentRequest, last_whole_day
from tformance_seed.sources.source_type import Planned


def plan_fetched(request: ContentRequest, now: datetime.datetime) -> Iterator[Planned]:
    """Yield the plan of each organisation, whose caches are up to date then.

    Raises the errors of ``Client.ask``, and InputError: there is no token, or nothing to seed.
    """
    url = github_url()
    tokens = find_tokens(url, request.listener.say)
    with closing(Client(url, tokens, request.listener, patient=request.patient)) as client:
        fetcher = Fetcher(client, folder(request), url, request.listener, refresh=request.refresh)
        for organisation in organisations(request):
            histories = _fetch(request, organisation, client, fetcher, now)
            yield plan_organisation(request, organisation, histories, now)


def _fetch(
    request: ContentRequest,
    organisation: Organisation,
    client: Client,
    fetcher: Fetcher,
    now: datetime.datetime,
) -> list[History]:
    """Return what is known of an organisation once its caches are up to date.

    What goes back further than the window shows who was active when it begins.
    """
    until = request.until or last_whole_day(now)
    window = request.profile(organisation, 0, until)
    begin = window.since - datetime.timedelta(weeks=RECENT_WEEKS + LEAD_WEEKS)
    since = datetime.datetime.combine(begin, datetime.time(), datetime.UTC)
    if organisation.repos:
        found = look_up_repositories(client, organisation.repos)
    else:
        found = find_repositories(client, organisation.slug)
    if not found:
        raise InputError(f"{organisation.slug}: it has no repository on GitHub that this token may read")
    return [of_cache(fetcher.update(repository, since, now)) for repository in found]
