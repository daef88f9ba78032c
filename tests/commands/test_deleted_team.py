"""A team that is deleted, by whatever program, while it is being seeded."""

import pytest

from tests.support.databases import connect
from tests.support.seeds import ORGANISATION, content, seed
from tests.support.servers import wait_until
from tformance_seed import ledger
from tformance_seed.commands import seed as seeding
from tformance_seed.pipeline import stages
from tformance_seed.storage.models import APPLICATION, SeedTask, SeedTeam, Team
from tformance_seed.storage.transactions import lock_organisations, transaction

MESSAGE = (
    f"the team {ORGANISATION} was deleted while it was being seeded; "
    f"seed it again: tformance-seed seed {ORGANISATION}"
)


def delete_team(database):
    """As the application deletes one: with all that refers to it; the ledger knows nothing of it."""
    team = SeedTeam.get()
    with transaction(database):
        lock_organisations(database, [ORGANISATION])  # no task may write to it meanwhile
        for model in reversed(APPLICATION[1:]):
            model.delete().where(model.team == team.team_id).execute()
        Team.delete().where(Team.id == team.team_id).execute()


def delete_before(monkeypatch, database, stage, *, forget):
    """Delete the team before a stage's first task; ``forget``: what the process has not looked up yet."""
    perform, deleted = stages.perform, []

    def delete_and_perform(context, task):
        if task.key.stage == stage and not deleted:
            delete_team(database)
            deleted.append(task)
        if deleted:
            for name in forget:
                context.__dict__.pop(name, None)
        return perform(context, task)

    monkeypatch.setattr(stages, "perform", delete_and_perform)


@pytest.mark.parametrize("forget", [(), ("team", "member_ids"), ("member_ids",)], ids="+".join)
@pytest.mark.parametrize("stage", ["pull_requests", "weekly", "copilot_and_insights"])
def test_a_team_deleted_between_two_tasks_is_one_clear_error(database, monkeypatch, stage, forget):
    with monkeypatch.context() as patched:
        delete_before(patched, database, stage, forget=forget)
        assert seed(database).failures == {ORGANISATION: MESSAGE}
    tasks = SeedTask.select().where(SeedTask.state != ledger.DONE)
    assert {task.attempts for task in tasks if task.state == ledger.FAILED} == {1}
    assert seed(database).failures == {}
    assert content(database).tables["teams_team"]["rows"] == 1


def test_a_team_deleted_between_two_tasks_of_a_worker_is_one_clear_error(
    workers, begin, opened, executor, postgresql_url
):
    first = workers("--processes", "1", "--queues", "sync")
    run = begin(ORGANISATION)
    wait_until(lambda: SeedTask.get(SeedTask.stage == "team").state == ledger.DONE, 60)
    first.stop()
    delete_team(opened)
    workers("--processes", "1")
    status = wait_until(lambda: (status := ledger.run_status(opened, run)).is_finished and status, 60)
    outcome = seeding.collect_outcome(opened, run, status)
    assert outcome.failures == {ORGANISATION: MESSAGE}
    assert seed(connect(postgresql_url)).failures == {}
