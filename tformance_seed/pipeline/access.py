"""Write what lets people open a team in the application: a membership, feature flags, integrations."""

from collections.abc import Mapping
from typing import Any

import peewee

from tformance_seed import ledger
from tformance_seed.bulk import Result
from tformance_seed.bulk.peewee_internals import table_name
from tformance_seed.pipeline.job_context import JobContext, Results
from tformance_seed.storage.models import (
    FlagTeam,
    IntegrationCredential,
    JiraIntegration,
    Membership,
    SeedTeam,
    Team,
)


def grant_access(context: JobContext, results: Results) -> None:
    """Write a team's rows outside the tables that are seeded, in the transaction that acquires the team.

    Rows that are there already stay as they are. An adopted team gets none: it has people of its own.
    """
    grant, team = context.plan.grant, context.team
    if grant.complete_onboarding:
        _complete_onboarding(context, results)
    if not team.created_here:
        return
    stamps = dict.fromkeys(("created_at", "updated_at"), team.team_created_at)
    of_team = {"team": team.team_id}

    def insert(model: type[peewee.Model], key: Mapping[str, Any], values: Mapping[str, Any]) -> int:
        row_id, inserted = ledger.insert_once(context.database, model, key, values, team_id=team.team_id)
        table = table_name(model)
        results[table] = results.get(table, Result()) + Result(int(inserted), int(not inserted))
        return row_id

    if grant.user_id is not None:
        insert(Membership, {**of_team, "user": grant.user_id}, {**stamps, "role": "admin"})
    for flag_id in grant.flag_ids:
        insert(FlagTeam, {**of_team, "flag": flag_id}, {})
    if "jira" in grant.integrations:
        credential = insert(IntegrationCredential, {**of_team, "provider": "jira"}, stamps)
        insert(JiraIntegration, {"credential": credential}, {**stamps, **_jira_site(team)})


def _jira_site(team: SeedTeam) -> dict[str, Any]:
    """Return a site that does not exist, so that no call reaches anybody."""
    return {
        "team": team.team_id,
        "cloud_id": f"{team.slug}.example.com",
        "site_name": team.slug,
        "site_url": f"https://{team.slug}.example.com",
        "sync_status": "complete",
    }


def _complete_onboarding(context: JobContext, results: Results) -> None:
    completed = Team.update(
        onboarding_complete=True,
        onboarding_pipeline_status="complete",
        onboarding_pipeline_completed_at=peewee.fn.COALESCE(
            Team.onboarding_pipeline_completed_at, context.team.team_created_at
        ),
    ).where(
        Team.id == context.team.team_id,
        (Team.onboarding_complete == False) | (Team.onboarding_pipeline_status != "complete"),  # noqa: E712
    )
    written = completed.execute(context.database)
    name = table_name(Team)
    results[name] = results.get(name, Result()) + Result(written, 1 - written)
