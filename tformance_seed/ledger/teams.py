"""Which teams are the package's own, what they are seeded with, and how their rows go."""

from collections.abc import Mapping, Sequence
from typing import Any

import peewee

from tformance_seed.errors import InputError
from tformance_seed.storage.models import APPLICATION, SeedTeam, Team
from tformance_seed.storage.transactions import transaction


def own_teams() -> list[SeedTeam]:
    """The teams that the package made or adopted and that are still there, by slug."""
    return list(_own_teams().order_by(SeedTeam.slug))


def own_team(slug: str) -> SeedTeam | None:
    """The team of that slug, if the package made or adopted it."""
    return _own_teams().where(SeedTeam.slug == slug).first()


def _own_teams() -> peewee.ModelSelect:
    same = (
        (Team.id == SeedTeam.team_id)
        & (Team.slug == SeedTeam.slug)
        & (Team.created_at == SeedTeam.team_created_at)
    )
    return SeedTeam.select().join(Team, on=same)


def check_ownership(slugs: Sequence[str], *, adopt: bool, clear: bool = False) -> None:
    """See that teams may be written to, and where ``clear`` is set, cleared first.

    Raises:
      InputError: there is one that the package did not make, and it is not to be adopted.
    """
    if adopt:
        return
    own = {team.slug: team for team in _own_teams().where(SeedTeam.slug.in_(slugs))}
    for slug in slugs:
        if clear and slug in own and not own[slug].made:
            raise InputError(
                f"the team {slug} was adopted, not made here: clearing removes every row that came since, "
                "whoever wrote it. Add --adopt if that is what you want"
            )
    _check_free([slug for slug in slugs if slug not in own])


def _check_free(slugs: Sequence[str]) -> None:
    taken = Team.select(Team.slug).where(Team.slug.in_(slugs)).order_by(Team.id).first()
    if taken is not None:
        raise InputError(
            f"a team {taken.slug} is in the database that this package did not make; its data stays "
            "untouched. Take another name, or add --adopt to seed into it"
        )


def take_team(values: Mapping[str, Any], *, adopt: bool) -> SeedTeam:
    """The team to write to: the package's own, a new one, or an adopted one, entered in the ledger.

    An adopted team's row stays as it is.

    Raises:
      InputError: there is one that the package did not make, and it is not to be adopted.
    """
    slug = values["slug"]
    if own := own_team(slug):
        return own
    if not adopt:
        _check_free([slug])
    with transaction(SeedTeam._meta.database):
        team = Team.get_or_none(Team.slug == slug)
        stale = SeedTeam.slug == slug
        SeedTeam.delete().where(stale if team is None else stale | (SeedTeam.team_id == team.id)).execute()
        if team is None:
            team = Team.create(**values)
            return SeedTeam.create(team_id=team.id, slug=slug, team_created_at=team.created_at, made=True)
        marks = {
            model._meta.table_name: model.select(peewee.fn.MAX(model.id)).scalar() or 0
            for model in APPLICATION
            if model is not Team
        }
        return SeedTeam.create(
            team_id=team.id, slug=slug, team_created_at=team.created_at, made=False, watermarks=marks
        )


def watermark(team: SeedTeam, model: type[peewee.Model]) -> int:
    """The greatest id of a table's rows that were there before the team was the package's to write to."""
    return 0 if team.watermarks is None else team.watermarks[model._meta.table_name]


def delete_rows(team: SeedTeam) -> dict[str, int]:
    """Delete what was seeded for a team; of an adopted one, only rows newer than its adoption.

    The team's own row stays. All or nothing with the caller's transaction. Returns rows by table.
    """
    deleted = {}
    for model in reversed(APPLICATION):
        if model is Team:
            continue
        table = model._meta.table_name
        mine = (model.team == team.team_id) & (model.id > watermark(team, model))
        deleted[table] = model.delete().where(mine).execute()
    return deleted


def clear_team(team: SeedTeam) -> dict[str, int]:
    """Delete what was seeded for a team, the team itself if it was made here, and its entry in the ledger."""
    with transaction(SeedTeam._meta.database):
        deleted = delete_rows(team)
        if team.made:
            deleted[Team._meta.table_name] = Team.delete().where(Team.id == team.team_id).execute()
        team.delete_instance()
    return deleted


def start_over(team: SeedTeam, recipe: Mapping[str, Any]) -> None:
    """Delete what was seeded with other inputs and enter the new ones.

    Raises:
      InputError: the team was adopted, so others may have written to it since.
    """
    if not team.made:
        raise InputError(
            f"the team {team.slug} was adopted and seeded with other inputs, which would mix with these; "
            "--adopt --clear removes every row that came since the adoption, whoever wrote it"
        )
    with transaction(SeedTeam._meta.database):
        delete_rows(team)
        set_recipe(team, recipe)


def set_recipe(team: SeedTeam, recipe: Mapping[str, Any]) -> None:
    """Enter the inputs that a team is seeded with."""
    SeedTeam.update(recipe=dict(recipe)).where(SeedTeam.team_id == team.team_id).execute()
    team.recipe = dict(recipe)


def starts_over(team: SeedTeam | None, new: Mapping[str, Any]) -> bool:
    """Whether a team holds rows of other inputs, which would mix with these."""
    return team is not None and team.recipe is not None and team.recipe != new
