"""Operations on data that was seeded: recomputing weekly metrics, verifying it, removing it."""

import datetime
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import peewee

from tformance_seed import ledger, verification
from tformance_seed.bulk import Result
from tformance_seed.bulk.peewee_internals import exists, table_name
from tformance_seed.errors import InputError, OrganisationBusyError
from tformance_seed.metrics import data_extent, refresh_weekly
from tformance_seed.settings import DEFAULT_DAYS, checked_days
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import SeedTeam, Team, WeeklyMetrics
from tformance_seed.storage.schema.create import (
    has_ledger,
    has_team_registry,
    older_ledger,
    prepare,
)
from tformance_seed.storage.transactions import lock_organisations, transaction


@dataclass
class Verified:
    """The state of one organisation.

    Attributes:
      organisation: Its slug.
      tables: Name of a table -> a dictionary with ``rows``, the number of its rows, and ``digest``, the
        digest of their content.
      digest: Digest of the content of all tables; equal digests mean equal content. Empty if the organisation
        has no team yet.
      violations: The rules that its data breaks; empty if the data is consistent.
      unfinished: Whether its last run has not finished, so that rows may be missing.
      model_summaries: Number of summaries that a language model wrote. If there are any, digests leave out
        summaries and what follows from them, since they do not follow from the inputs.
    """

    organisation: str
    tables: dict[str, verification.TableDigest]
    digest: str
    violations: list[verification.Violation] = field(default_factory=list)
    unfinished: bool = False
    model_summaries: int = 0


def find_teams(database: peewee.Database, slugs: Sequence[str]) -> dict[str, int]:
    """Return the ids, by slug, of the given teams, or if none is given, of all that belong to the package.

    Raises:
      InputError: a team does not exist, or nothing has been seeded.
    """
    if not table_names(database) >= {table_name(Team)}:
        raise InputError("the database has no tables of the application; seed it first: tformance-seed seed")
    if slugs:
        ids = ledger.teams_by_name(database)
        names = dict.fromkeys(ledger.organisation_named(database, slug) for slug in slugs)
        if missing := [name for name in names if name not in ids]:
            raise InputError(
                f"no team {missing[0]} in the database; seed it first: tformance-seed seed {missing[0]}"
            )
        return {name: ids[name] for name in names}
    if not has_team_registry(database) or not exists(database, SeedTeam.select()):
        raise _nothing_seeded()
    return {team.slug: team.team_id for team in ledger.own_teams(database) if team.input_spec is not None}


def check_ledger(database: peewee.Database) -> None:
    """Check that a database has a ledger of this version.

    Raises:
      InputError: nothing was seeded into it, or only by an older version.
    """
    if not has_team_registry(database):
        raise _nothing_seeded()
    if not has_ledger(database):
        raise older_ledger()


def _nothing_seeded() -> InputError:
    return InputError("nothing was seeded into this database yet; start with: tformance-seed seed")


def verify_teams(database: peewee.Database, slugs: Sequence[str]) -> list[Verified]:
    """Check organisations, by default all that were seeded, and compute digests of their content.

    Raises:
      InputError: a team does not exist, or nothing has been seeded.
    """
    has_answers = has_ledger(database)
    unfinished = ledger.unfinished_organisations(database) if has_answers else set()
    own = {team.slug for team in ledger.own_teams(database)} if unfinished else set()
    without_team = unfinished - own
    begun = [slug for slug in slugs or sorted(without_team) if slug in without_team]
    rest = [slug for slug in slugs if slug not in begun]
    teams = find_teams(database, rest) if rest or not begun or (own and not slugs) else {}
    reports = [Verified(slug, {}, "", unfinished=True) for slug in begun]
    for slug, team_id in teams.items():
        written = ledger.count_model_summaries(database, slug, team_id) if has_answers else 0
        content = verification.digest(database, team_id, with_summaries=not written)
        violations = verification.check(database, team_id)
        reports.append(
            Verified(slug, content.tables, content.digest, violations, slug in unfinished, written)
        )
    return reports


def find_own_teams(database: peewee.Database, slugs: Sequence[str]) -> dict[str, SeedTeam]:
    """Return the ledger's entries of the given organisations, or if none is given, of all that were seeded.

    Raises:
      InputError: a team does not exist or does not belong to the package.
    """
    chosen = find_teams(database, slugs)
    own = {team.slug: team for team in ledger.own_teams(database)} if has_team_registry(database) else {}
    if foreign := [slug for slug in chosen if slug not in own]:
        raise InputError(f"the team {foreign[0]} was not created by this package; its rows stay as they are")
    return {slug: own[slug] for slug in chosen}


def recompute_weekly(
    database: peewee.Database, slugs: Sequence[str], days: int | None, until: datetime.date | None
) -> dict[str, Result]:
    """Recompute organisations' weekly metrics in a window, by default over all of their data.

    Returns:
      The numbers of rows written and unchanged, by organisation.
    Raises:
      InputError: a team does not exist or does not belong to the package, or the window is impossible.
      OrganisationBusyError: a run is seeding one of the organisations.
    """
    results = {}
    for slug, team in find_own_teams(database, slugs).items():
        team_id = team.team_id
        window = data_extent(database, team_id) if days is None and until is None else _window(days, until)
        with transaction(database):
            lock_organisations(database, [slug])
            ledger.check_idle(database, slug)
            max_id = ledger.max_id_before_adoption(team, WeeklyMetrics)
            results[slug] = (
                Result(*refresh_weekly(database, team_id, *window, max_id)) if window else Result()
            )
    return results


def _window(days: int | None, until: datetime.date | None) -> tuple[datetime.date, datetime.date]:
    last = until or ledger.now().date()
    try:
        return last - datetime.timedelta(days=(checked_days(days) or DEFAULT_DAYS) - 1), last
    except OverflowError:
        raise InputError(f"impossible window: {days} days up to {last}") from None


def preview_clear(
    database: peewee.Database, slugs: Sequence[str], including: Sequence[str] = (), *, adopt: bool
) -> dict[str, ledger.Removal]:
    """Return what clearing organisations would remove, without those of which there is nothing.

    Parameters:
      including: tables, by name or everyday name, whose rows are removed although other programs wrote them.
      adopt: whether adopted teams may be cleared.
    Raises:
      InputError: a team does not belong to the package, or it was adopted and ``adopt`` is not set, or there
        is no table of a name in ``including``.
    """
    previews = {}
    for slug in dict.fromkeys(ledger.organisation_named(database, slug) for slug in slugs):
        entry = _clearable_team(database, slug, adopt=adopt)
        if entry is not None:
            previews[slug] = ledger.plan_removal(database, entry, including)
    return previews


def _clearable_team(database: peewee.Database, slug: str, *, adopt: bool) -> SeedTeam | None:
    """Return the entry of a team that may be cleared; None if there is no such team.

    Raises:
      InputError: see ``preview_clear``.
    """
    if not table_names(database) >= {table_name(Team)}:
        return None
    entry = ledger.own_team(database, slug) if has_team_registry(database) else None
    if entry is None:
        if slug in ledger.teams_by_name(database):
            raise InputError(f"the team {slug} was not created by this package; nothing of it is removed")
        return None
    if not entry.created_here and not adopt:
        raise InputError(
            f"the team {slug} was adopted, not created here; --adopt removes what was seeded since"
        )
    return entry


def clear_teams(
    database: peewee.Database, slugs: Sequence[str], including: Sequence[str] = (), *, wait: bool
) -> dict[str, ledger.Removal]:
    """Remove what was seeded for organisations; those of which there is nothing are left out.

    Rows of other programs that hang on a team stay, and the team with them. What language models answered
    about it is forgotten.

    Parameters:
      including: see ``preview_clear``.
      wait: if another run is seeding an organisation, wait for it to end.
    Raises:
      InputError: there is no table of a name in ``including``.
      OrganisationBusyError: another run is seeding an organisation, and ``wait`` is not set.
    """
    removed = {}
    for slug in dict.fromkeys(ledger.organisation_named(database, slug) for slug in slugs):
        while True:
            try:
                removal = _clear(database, slug, including)
                break
            except OrganisationBusyError:
                if not wait:
                    raise
            time.sleep(ledger.BUSY_POLL_INTERVAL)
        if removal is not None:
            removed[slug] = removal
    return removed


def _clear(database: peewee.Database, slug: str, including: Sequence[str]) -> ledger.Removal | None:
    """Clear one organisation; return what was removed, or None if the package has no such team."""
    if not has_team_registry(database):
        return None
    if not has_ledger(database):  # an older version's, without a table of this one
        prepare(database)
    with transaction(database):
        lock_organisations(database, [slug])
        ledger.check_idle(database, slug)
        ledger.supersede(database, slug)
        ledger.forget_answers(database, slug)
        entry = ledger.own_team(database, slug)
        return None if entry is None else ledger.clear_team(database, entry, including)
