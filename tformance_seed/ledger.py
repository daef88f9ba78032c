"""The ledger: what was run, how far it got, and which teams are the package's own."""

import datetime
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import peewee

from tformance_seed.database import transaction
from tformance_seed.errors import InputError
from tformance_seed.models import APPLICATION, SeedChunk, SeedJob, SeedRun, SeedTeam, Team
from tformance_seed.models.fields import json_text
from tformance_seed.upsert import Result

#: The version of what is generated: raised when the same inputs give other rows than before.
DATA_VERSION = 1

RUNNING, FINISHED, FAILED = "running", "finished", "failed"


def now() -> datetime.datetime:
    """The present, for the ledger alone: no content depends on it."""
    return datetime.datetime.now(datetime.UTC)


def start_run(parameters: Mapping[str, Any]) -> SeedRun:
    """Record a run under a new name."""
    moment = now()
    name = f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    return SeedRun.create(name=name, state=RUNNING, parameters=dict(parameters), started_at=moment)


def finish_run(run: SeedRun, reason: str = "") -> None:
    """Record how a run ended: well, or for what reason not."""
    run.state, run.reason, run.finished_at = FAILED if reason else FINISHED, reason, now()
    run.save()


def own_teams() -> list[SeedTeam]:
    """The teams that the package made or adopted and that are still there, by slug."""
    same = (
        (Team.id == SeedTeam.team_id)
        & (Team.slug == SeedTeam.slug)
        & (Team.created_at == SeedTeam.team_created_at)
    )
    return list(SeedTeam.select().join(Team, on=same).order_by(SeedTeam.slug))


def own_team(slug: str) -> SeedTeam | None:
    """The team of that slug, if the package made or adopted it."""
    return next((team for team in own_teams() if team.slug == slug), None)


def unfinished(slug: str) -> bool:
    """Whether the last run on an organisation has not come to its end."""
    last = SeedJob.select().where(SeedJob.organisation == slug).order_by(SeedJob.id.desc()).first()
    return last is not None and last.state != FINISHED


def check_ownership(slug: str, *, adopt: bool, clear: bool = False) -> None:
    """See that a team may be written to, and where ``clear`` is set, cleared first.

    Raises:
      InputError: there is one that the package did not make, and it is not to be adopted.
    """
    if adopt:
        return
    own = own_team(slug)
    if own is not None and not own.made and clear:
        raise InputError(
            f"the team {slug} was adopted, not made here: clearing removes every row that came since, "
            "whoever wrote it. Add --adopt if that is what you want"
        )
    if own is None and Team.select().where(Team.slug == slug).exists():
        raise InputError(
            f"a team {slug} is in the database that this package did not make; its data stays untouched. "
            "Take another name, or add --adopt to seed into it"
        )


def take_team(values: Mapping[str, Any], *, adopt: bool) -> SeedTeam:
    """The team to write to: the package's own, a new one, or an adopted one, entered in the ledger.

    An adopted team's row stays as it is.
    """
    slug = values["slug"]
    check_ownership(slug, adopt=adopt)
    if own := own_team(slug):
        return own
    with transaction(SeedTeam._meta.database):
        team = Team.get_or_none(Team.slug == slug)
        stale = SeedTeam.slug == slug
        SeedTeam.delete().where(stale if team is None else stale | (SeedTeam.team_id == team.id)).execute()
        _forget_jobs(slug)
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
    """Delete what was seeded for a team, the team itself if it was made here, and its ledger."""
    with transaction(SeedTeam._meta.database):
        deleted = delete_rows(team)
        if team.made:
            deleted[Team._meta.table_name] = Team.delete().where(Team.id == team.team_id).execute()
        _forget_jobs(team.slug)
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
        _forget_jobs(team.slug)
        set_recipe(team, recipe)


def set_recipe(team: SeedTeam, recipe: Mapping[str, Any]) -> None:
    """Enter the inputs that a team is seeded with."""
    SeedTeam.update(recipe=dict(recipe)).where(SeedTeam.team_id == team.team_id).execute()
    team.recipe = dict(recipe)


def _forget_jobs(slug: str) -> None:
    jobs = SeedJob.select(SeedJob.id).where(SeedJob.organisation == slug)
    SeedChunk.delete().where(SeedChunk.job.in_(jobs)).execute()
    SeedJob.delete().where(SeedJob.organisation == slug).execute()


def identity(*inputs: Any) -> str:
    """A digest of inputs: jobs with the same one produce the same content."""
    return hashlib.blake2b(json_text([DATA_VERSION, *inputs]).encode(), digest_size=16).hexdigest()


@dataclass
class Job:
    """One organisation's work in hand."""

    row: SeedJob
    resumed: bool

    def done(self, stage: str) -> list[tuple[int, int]]:
        """Finished ranges of a stage, in order."""
        chunks = (
            SeedChunk.select(SeedChunk.start, SeedChunk.stop)
            .where(SeedChunk.job == self.row.id, SeedChunk.stage == stage)
            .order_by(SeedChunk.start)
        )
        return list(chunks.tuples())

    def record(self, stage: str, start: int, stop: int, results: Mapping[str, Result]) -> None:
        """Enter a finished chunk; called inside the transaction that writes its rows."""
        tables = {name: [r.written, r.unchanged, round(r.seconds, 4)] for name, r in results.items()}
        SeedChunk.create(job=self.row.id, stage=stage, start=start, stop=stop, tables=tables)

    def finish(self) -> None:
        """Enter that all is done, so that the next run on the organisation begins anew."""
        SeedJob.update(state=FINISHED).where(SeedJob.id == self.row.id).execute()
        SeedTeam.update(seeded_at=now()).where(SeedTeam.slug == self.row.organisation).execute()


def open_job(run: SeedRun, organisation: str, job_identity: str, since: Any, until: Any) -> Job:
    """Start a job, or go on with the organisation's last one where it is the same and did not finish."""
    last = SeedJob.select().where(SeedJob.organisation == organisation).order_by(SeedJob.id.desc()).first()
    if last is not None and last.identity == job_identity and last.state != FINISHED:
        SeedJob.update(run=run).where(SeedJob.id == last.id).execute()
        return Job(last, resumed=True)
    row = SeedJob.create(
        run=run, organisation=organisation, identity=job_identity, state=RUNNING, since=since, until=until
    )
    return Job(row, resumed=False)
