"""Record which teams belong to the package, what they are called, and which inputs they are seeded with."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import peewee

from tformance_seed.bulk.peewee_internals import fields_by_name, insert_rows, table_name
from tformance_seed.errors import InputError, SeedError
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import APPLICATION, SeedJob, SeedTeam, Team, TeamMember
from tformance_seed.storage.schema.create import knows_teams
from tformance_seed.storage.transactions import transaction

#: The application's tables whose rows belong to a team, parents before children.
CHILDREN = tuple(model for model in APPLICATION if model is not Team)


def own_teams(database: peewee.Database) -> list[SeedTeam]:
    """Return the teams that the package created or adopted and that still exist, sorted by organisation."""
    return list(_own_teams().order_by(SeedTeam.slug).execute(database))


def own_team(database: peewee.Database, slug: str) -> SeedTeam | None:
    """Return an organisation's team; None unless the package created or adopted it and it still exists."""
    team: SeedTeam | None = _own_teams().where(SeedTeam.slug == slug).first(database)
    return team


def team_deleted(database: peewee.Database, slug: str) -> SeedError:
    """Return the error to raise if a team, or its entry here, was deleted while it was being seeded."""
    jobs = SeedJob.select().where(SeedJob.organisation == slug).order_by(SeedJob.id.desc())
    job: SeedJob | None = jobs.first(database)
    chosen = [job.plan["options"]["slug"], job.plan["organisation"]["team_slug"]] if job else []
    if _teams_by_age([slug, *filter(None, chosen)]).first(database) is None:
        return SeedError(
            f"the team {slug} was deleted while it was being seeded; "
            f"seed it again: tformance-seed seed {slug}"
        )
    return SeedError(
        f"the ledger no longer says that the team {slug} was created here; seed into it nevertheless: "
        f"tformance-seed seed {slug} --adopt"
    )


def _own_teams() -> "peewee.ModelSelect[SeedTeam]":
    same = (
        (Team.id == SeedTeam.team_id)
        & (Team.slug == SeedTeam.team_slug)
        & (Team.created_at == SeedTeam.team_created_at)
    )
    return SeedTeam.select().join(Team, on=same)


def teams_by_name(database: peewee.Database) -> dict[str, int]:
    """Return the id of each team in a database by the name that commands use for it.

    This is the slug of the organisation if the team belongs to the package, and else the slug of the team.
    """
    slugs = Team.select(Team.slug, Team.id).order_by(Team.slug)
    names = dict(slugs.tuples().execute(database))
    own = own_teams(database) if knows_teams(database) else []
    for team in own:
        names.pop(team.team_slug, None)
    return names | {team.slug: team.team_id for team in own}


def team_slugs(database: peewee.Database) -> dict[str, str]:
    """Return the slug of each team in a database by the name that commands use for it."""
    if table_name(Team) not in table_names(database):
        return {}
    slugs = {team_id: slug for slug, team_id in Team.select(Team.slug, Team.id).tuples().execute(database)}
    return {name: slugs[team_id] for name, team_id in teams_by_name(database).items() if team_id in slugs}


def organisation_named(database: peewee.Database, name: str) -> str:
    """Return the slug of the organisation that a name means: its own, or the slug of its team."""
    own = own_teams(database) if knows_teams(database) else []
    if any(team.slug == name for team in own):
        return name
    return next((team.slug for team in own if team.team_slug == name), name)


def check_ownership(
    database: peewee.Database,
    teams: Mapping[str, str],
    *,
    adopt: bool,
    clear: bool = False,
    rename: bool = False,
) -> None:
    """Check that teams may be written to and, if ``clear`` is set, that they may be cleared first.

    Parameters:
      teams: slug of an organisation -> the slug that its team gets, unless it has a team already.
      rename: whether a team that it has already gets that slug too.
    Raises:
      InputError: a team was not created by the package, and ``adopt`` is not set, or it is another
        organisation's.
    """
    # Look for teams first: one that another run commits in between is then found to belong to the package.
    existing = {team.slug: team.id for team in _teams_by_age(list(teams.values())).execute(database)}
    wanted = (SeedTeam.slug.in_(list(teams))) | (SeedTeam.team_slug.in_(list(teams.values())))
    entries = list(_own_teams().where(wanted).execute(database))
    own = {entry.slug: entry for entry in entries}
    owners = {entry.team_id: entry.slug for entry in entries}
    for slug, team_slug in teams.items():
        entry = own.get(slug)
        if clear and not adopt and entry is not None and not entry.created_here:
            raise InputError(
                f"the team {slug} was adopted, not created here: clearing removes every row added since its "
                "adoption, whoever wrote it. Add --adopt if that is what you want"
            )
        if team_slug not in existing or (entry is not None and not rename):
            continue
        owner = owners.get(existing[team_slug])
        if owner != slug and (owner is not None or not adopt or entry is not None):
            raise _foreign_team(team_slug, owner)


def _teams_by_age(slugs: Sequence[str]) -> "peewee.ModelSelect[Team]":
    return Team.select().where(Team.slug.in_(slugs)).order_by(Team.id)


def _foreign_team(slug: str, owner: str | None) -> InputError:
    if owner is not None:
        return InputError(f"the team {slug} belongs to the organisation {owner}; choose another --slug")
    return InputError(
        f"a team {slug} is in the database that this package did not create; its data stays "
        "untouched. Choose another name with --slug, or add --adopt to seed into it"
    )


def acquire_team(
    database: peewee.Database, slug: str, values: Mapping[str, Any], *, adopt: bool, rename: bool = False
) -> SeedTeam:
    """Return the ledger's entry for the team of an organisation; create or adopt the team if necessary.

    The row of an adopted team stays as it is, and a team keeps its slug unless ``rename`` is set.

    Parameters:
      slug: the organisation's slug.
      values: the row of a new team.
    Raises:
      InputError: the team with that slug does not belong to the package, and ``adopt`` is not set, or it is
        another organisation's.
    """
    team_slug = values["slug"]
    with transaction(database):
        check_ownership(database, {slug: team_slug}, adopt=adopt, rename=rename)
        if own := own_team(database, slug):
            if rename and own.team_slug != team_slug:
                _rename(database, own, team_slug)
            return own
        teams = _teams_by_age([team_slug])
        team = teams.first(database)
        created_here = team is None
        if created_here:
            insert_rows(database, Team, [values])
            team = teams.clone().get(database)
        stale = (SeedTeam.slug == slug) | (SeedTeam.team_id == team.id)
        SeedTeam.delete().where(stale).execute(database)
        max_ids = (
            None if created_here else {table_name(model): _max_id(database, model) for model in CHILDREN}
        )
        row = {
            "team_id": team.id,
            "slug": slug,
            "team_slug": team_slug,
            "team_created_at": team.created_at,
            "created_here": created_here,
            "max_ids_before_adoption": max_ids,
            "member_ids": [],
        }
        insert_rows(database, SeedTeam, [row])
    return SeedTeam(**row)


def _rename(database: peewee.Database, team: SeedTeam, team_slug: str) -> None:
    Team.update(slug=team_slug).where(Team.id == team.team_id).execute(database)
    team.team_slug = team_slug
    SeedTeam.update(team_slug=team_slug).where(SeedTeam.team_id == team.team_id).execute(database)


def _max_id(database: peewee.Database, model: type[peewee.Model]) -> int:
    return model.select(peewee.fn.MAX(fields_by_name(model)["id"])).scalar(database) or 0


def max_id_before_adoption(team: SeedTeam, model: type[peewee.Model]) -> int:
    """Return the greatest id in a table when the team was adopted; 0 if the package created the team."""
    return 0 if team.max_ids_before_adoption is None else team.max_ids_before_adoption[table_name(model)]


def record_members(database: peewee.Database, team: SeedTeam, ids: Iterable[int]) -> None:
    """Record which members the package wrote, in addition to those of earlier runs."""
    known = {number for first, last in team.member_ids or () for number in range(first, last + 1)}
    ranges: list[list[int]] = []
    for number in sorted(known.union(ids)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    if ranges != team.member_ids:
        team.member_ids = ranges
        _update(database, team, member_ids=ranges)


def written_members(database: peewee.Database, team: SeedTeam) -> set[str]:
    """Return the ``github_id`` of each of a team's members that the package wrote."""
    members = TeamMember.select(TeamMember.id, TeamMember.github_id).where(TeamMember.team == team.team_id)
    ranges = [range(first, last + 1) for first, last in team.member_ids or ()]
    return {
        github_id
        for number, github_id in members.tuples().iterator(database)
        if any(number in written for written in ranges)
    }


def set_input_spec(database: peewee.Database, team: SeedTeam, input_spec: Mapping[str, Any] | None) -> None:
    """Record the inputs with which a team is seeded; None: nothing is seeded."""
    team.input_spec = None if input_spec is None else dict(input_spec)
    _update(database, team, input_spec=team.input_spec)


def set_source_state(database: peewee.Database, team: SeedTeam, state: Mapping[str, Any]) -> None:
    """Record the state of the source from which a team's rows are written."""
    if team.source_state != state:
        team.source_state = dict(state)
        _update(database, team, source_state=team.source_state)


def _update(database: peewee.Database, team: SeedTeam, **values: Any) -> None:
    SeedTeam.update(**values).where(SeedTeam.team_id == team.team_id).execute(database)


def must_start_over(team: SeedTeam | None, input_spec: Mapping[str, Any]) -> bool:
    """Return whether a team's rows were seeded with other inputs, so that new rows would mix with them."""
    return team is not None and team.input_spec is not None and team.input_spec != input_spec
