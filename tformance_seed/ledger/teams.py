"""Record which teams belong to the package and which inputs they are seeded with, and delete their rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import peewee

from tformance_seed.bulk.peewee_internals import fields_by_name, insert_rows, table_name
from tformance_seed.errors import InputError, SeedError
from tformance_seed.storage.models import APPLICATION, SeedTeam, Team
from tformance_seed.storage.transactions import transaction

#: The application's tables whose rows belong to a team, parents before children.
CHILDREN = tuple(model for model in APPLICATION if model is not Team)


def own_teams(database: peewee.Database) -> list[SeedTeam]:
    """Return the teams that the package created or adopted and that still exist, sorted by slug."""
    return list(_own_teams().order_by(SeedTeam.slug).execute(database))


def own_team(database: peewee.Database, slug: str) -> SeedTeam | None:
    """Return the team with a slug; None unless the package created or adopted it and it still exists."""
    team: SeedTeam | None = _own_teams().where(SeedTeam.slug == slug).first(database)
    return team


def team_deleted(slug: str) -> SeedError:
    """Return the error to raise if a team was deleted, by any program, while it was being seeded."""
    return SeedError(
        f"the team {slug} was deleted while it was being seeded; seed it again: tformance-seed seed {slug}"
    )


def _own_teams() -> "peewee.ModelSelect[SeedTeam]":
    same = (
        (Team.id == SeedTeam.team_id)
        & (Team.slug == SeedTeam.slug)
        & (Team.created_at == SeedTeam.team_created_at)
    )
    return SeedTeam.select().join(Team, on=same)


def check_ownership(
    database: peewee.Database, slugs: Sequence[str], *, adopt: bool, clear: bool = False
) -> None:
    """Check that teams may be written to and, if ``clear`` is set, that they may be cleared first.

    Raises:
      InputError: a team was not created by the package, and ``adopt`` is not set.
    """
    if adopt:
        return
    # Look for teams first: one that another run commits in between is then found to belong to the package.
    existing = [team.slug for team in _teams_by_age(slugs).execute(database)]
    own = {team.slug: team for team in _own_teams().where(SeedTeam.slug.in_(slugs)).execute(database)}
    for slug in slugs:
        if clear and slug in own and not own[slug].created_here:
            raise InputError(
                f"the team {slug} was adopted, not created here: clearing removes every row added since its "
                "adoption, whoever wrote it. Add --adopt if that is what you want"
            )
    for slug in existing:
        if slug not in own:
            raise _foreign_team(slug)


def _teams_by_age(slugs: Sequence[str]) -> "peewee.ModelSelect[Team]":
    return Team.select().where(Team.slug.in_(slugs)).order_by(Team.id)


def _foreign_team(slug: str) -> InputError:
    return InputError(
        f"a team {slug} is in the database that this package did not create; its data stays "
        "untouched. Choose another name, or add --adopt to seed into it"
    )


def acquire_team(database: peewee.Database, values: Mapping[str, Any], *, adopt: bool) -> SeedTeam:
    """Return the ledger's entry for the team to write to; create or adopt the team if necessary.

    The row of an adopted team stays as it is.

    Raises:
      InputError: the team with that slug does not belong to the package, and ``adopt`` is not set.
    """
    slug = values["slug"]
    if own := own_team(database, slug):
        return own
    teams = _teams_by_age([slug])
    with transaction(database):
        team = teams.first(database)
        if team is not None and not adopt:
            raise _foreign_team(slug)
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
            "team_created_at": team.created_at,
            "created_here": created_here,
            "max_ids_before_adoption": max_ids,
        }
        insert_rows(database, SeedTeam, [row])
    return SeedTeam(**row)


def _max_id(database: peewee.Database, model: type[peewee.Model]) -> int:
    return model.select(peewee.fn.MAX(fields_by_name(model)["id"])).scalar(database) or 0


def max_id_before_adoption(team: SeedTeam, model: type[peewee.Model]) -> int:
    """Return the greatest id in a table when the team was adopted; 0 if the package created the team."""
    return 0 if team.max_ids_before_adoption is None else team.max_ids_before_adoption[table_name(model)]


def delete_rows(database: peewee.Database, team: SeedTeam) -> dict[str, int]:
    """Delete the rows that were seeded for a team, but not the team itself.

    If the team was adopted, only rows newer than its adoption are deleted. Call it in a transaction, so that
    either all of them are deleted or none.

    Returns:
      The number of rows deleted, by table.
    """
    deleted = {}
    for model in reversed(CHILDREN):
        fields = fields_by_name(model)
        newer = fields["id"] > max_id_before_adoption(team, model)
        deleted[table_name(model)] = (
            model.delete().where(fields["team"] == team.team_id, newer).execute(database)
        )
    return deleted


def clear_team(database: peewee.Database, team: SeedTeam) -> dict[str, int]:
    """Delete what was seeded for a team, its entry in the ledger and, if the package created it, the team.

    Returns:
      The number of rows deleted, by table.
    """
    with transaction(database):
        deleted = delete_rows(database, team)
        if team.created_here:
            deleted[table_name(Team)] = Team.delete().where(Team.id == team.team_id).execute(database)
        SeedTeam.delete().where(SeedTeam.team_id == team.team_id).execute(database)
    return deleted


def start_over(database: peewee.Database, team: SeedTeam, input_spec: Mapping[str, Any]) -> None:
    """Delete the rows that were seeded with other inputs, and record the new inputs.

    Raises:
      InputError: the team was adopted, so other programs may have written to it since then.
    """
    if not team.created_here:
        raise InputError(
            f"the team {team.slug} was adopted and seeded with other inputs, which would mix with these; "
            "--adopt --clear removes every row added since its adoption, whoever wrote it"
        )
    with transaction(database):
        delete_rows(database, team)
        set_input_spec(database, team, input_spec)


def set_input_spec(database: peewee.Database, team: SeedTeam, input_spec: Mapping[str, Any]) -> None:
    """Record the inputs with which a team is seeded."""
    team.input_spec = dict(input_spec)
    update = SeedTeam.update(input_spec=team.input_spec)
    update.where(SeedTeam.team_id == team.team_id).execute(database)


def must_start_over(team: SeedTeam | None, input_spec: Mapping[str, Any]) -> bool:
    """Return whether a team's rows were seeded with other inputs, so that new rows would mix with them."""
    return team is not None and team.input_spec is not None and team.input_spec != input_spec
