from tformance_seed.storage.models import PullRequest, TeamMember


def test_every_pull_request_is_there(database):
    assert PullRequest.select().count(database) == 40


def test_a_test_may_change_rows(database):
    TeamMember.update(display_name="Somebody Else").execute(database)
    assert TeamMember.select(TeamMember.display_name).distinct().count(database) == 1


def test_no_test_sees_what_another_changed(database):
    assert TeamMember.select(TeamMember.display_name).distinct().count(database) > 1
