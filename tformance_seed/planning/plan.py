"""Turn a request into a plan for each organisation, and restore a plan from its record in the ledger."""

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import peewee

from tformance_seed import ledger
from tformance_seed.canonical_json import json_text
from tformance_seed.catalog.organisations import Organisation
from tformance_seed.catalog.profile import Profile
from tformance_seed.catalog.scenarios import find_scenario
from tformance_seed.errors import InputError, SeedError
from tformance_seed.planning.access import Grant
from tformance_seed.planning.request import Options, Request
from tformance_seed.sources.records import Source
from tformance_seed.sources.registry import source_type
from tformance_seed.sources.request import last_whole_day
from tformance_seed.storage.models import SeedTeam

#: The options that the tasks of a run read.
RECORDED_OPTIONS = ("chunk_size", "adopt", "clear", "slug", "summaries", "max_tokens")


@dataclass(frozen=True)
class Plan:
    """The plan for one organisation of a request, ready to be seeded."""

    profile: Profile
    source: Source
    options: Options = field(default_factory=Options)
    grant: Grant = field(default_factory=Grant)

    @property
    def slug(self) -> str:
        """The organisation's slug."""
        return self.profile.organisation.slug

    @property
    def team_slug(self) -> str:
        """The slug that a new team of the organisation gets in the application."""
        organisation = self.profile.organisation
        return self.options.slug or organisation.team_slug or organisation.slug

    def input_spec(self) -> dict[str, Any]:
        """Return every input except the window: if any of them differs, so does the content."""
        profile, source = self.profile, self.source
        organisation = dataclasses.asdict(profile.organisation)
        del organisation["team_slug"]  # what a team is called does not change what is in it
        values = {
            "source": source.name,
            "seed": profile.seed,
            "organisation": organisation,
            "adoption": profile.adoption if profile.adoption_given else None,
            "version": ledger.DATA_VERSION,
            **source.inputs,
        }
        if profile.shift_weeks:
            values["shift_weeks"] = profile.shift_weeks
        if profile.scenario is not None:  # a scenario begins on the window's first day
            values |= {"scenario": profile.scenario.name, "since": profile.since.isoformat()}
        spec: dict[str, Any] = json.loads(json_text(values))  # as the ledger returns it
        return spec

    def must_start_over(self, database: peewee.Database, team: SeedTeam) -> bool:
        """Return whether a team's rows are of other inputs, or of a history that was rewritten.

        Raises:
          SeedError: the source could not be read.
        """
        if team.input_spec is None or team.source_state is None:
            return ledger.must_start_over(team, self.input_spec())
        return ledger.must_start_over(team, self.input_spec()) or not self.source.continues(
            team.source_state, ledger.written_members(database, team)
        )

    def fingerprint(self) -> str:
        """Return a digest of all inputs: jobs with the same digest produce the same content."""
        profile = self.profile
        return ledger.fingerprint(
            self.input_spec(),
            str(profile.since),
            str(profile.until),
            self.source.fingerprint,
            self.options.model,
        )

    def record(self) -> dict[str, Any]:
        """Return the JSON values, without secrets, from which ``restore`` recreates this plan elsewhere."""
        profile, options = self.profile, self.options
        return {
            "version": ledger.version(),
            "organisation": dataclasses.asdict(profile.organisation),
            "seed": profile.seed,
            "since": profile.since.isoformat(),
            "until": profile.until.isoformat(),
            "members": profile.members,
            "prs": profile.prs,
            "adoption": profile.adoption,
            "adoption_given": profile.adoption_given,
            "scenario": profile.scenario and profile.scenario.name,
            "shift_weeks": profile.shift_weeks,
            "known_until": profile.known_until and profile.known_until.isoformat(),
            "source": self.source.name,
            "source_record": self.source.record,
            "options": {name: getattr(options, name) for name in RECORDED_OPTIONS},
            "grant": dataclasses.asdict(self.grant),
        }


def make_plans(request: Request, now: datetime.datetime) -> list[Plan]:
    """Return a plan for each organisation in a request.

    Parameters:
      now: the current time, after which no window may end. If the request does not give the last day of the
        window, it depends on it, too.

    Raises:
      InputError: an organisation is unknown, a window or number is impossible, options do not go together,
        or a catalogue or a repository cannot be read.
    """
    request.check()
    plans = []
    for profile, source in source_type(request.source_name).plan(request, now):
        if profile.end > np.datetime64(now.replace(tzinfo=None)):
            option = "--until" if request.shift_to is None else "--shift-to"
            raise InputError(
                f"the window would end on {profile.until}, not over yet in UTC; nothing is dated later "
                f"than now: choose {option} {last_whole_day(now)} or earlier"
            )
        plans.append(Plan(profile, source, request.options))
    _check_teams(plans)
    return plans


def _check_teams(plans: Sequence[Plan]) -> None:
    """Raise InputError if two organisations would have the same team."""
    organisations: dict[str, str] = {}
    for plan in plans:
        if (other := organisations.setdefault(plan.team_slug, plan.slug)) != plan.slug:
            raise InputError(
                f"the organisations {other} and {plan.slug} have the same team, {plan.team_slug}; "
                "give one of them another team_slug in the catalogue"
            )


def profile_of(record: Mapping[str, Any]) -> Profile:
    """Return the profile in a record that ``Plan.record`` returned."""
    organisation = record["organisation"]
    tuples = {name: tuple(organisation[name]) for name in ("repos", "languages")}
    return Profile(
        organisation=Organisation(**{**organisation, **tuples}),
        seed=record["seed"],
        since=datetime.date.fromisoformat(record["since"]),
        until=datetime.date.fromisoformat(record["until"]),
        members=record["members"],
        prs=record["prs"],
        adoption=record["adoption"],
        adoption_given=record["adoption_given"],
        scenario=find_scenario(record["scenario"]) if record["scenario"] else None,
        shift_weeks=record["shift_weeks"],
        known_until=datetime.datetime.fromisoformat(record["known_until"]) if record["known_until"] else None,
    )


def restore(record: Mapping[str, Any], fingerprint: str) -> Plan:
    """Return the plan from a record that ``Plan.record`` returned.

    Parameters:
      fingerprint: the fingerprint of the recorded plan.

    Raises:
      SeedError: a source's inputs cannot be read here, or have changed since then, so that the content would
        be different.
    """
    profile = profile_of(record)
    source = source_type(record["source"]).restore(profile, record["source_record"])
    grant: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in record["grant"].items()
    }
    plan = Plan(profile, source, Options(**record["options"]), Grant(**grant))
    if plan.fingerprint() != fingerprint:
        raise SeedError(
            f"{plan.slug}: its inputs are no longer what they were when the run began (another version of "
            "tformance_seed, or a repository that moved on); seed it again"
        )
    return plan
