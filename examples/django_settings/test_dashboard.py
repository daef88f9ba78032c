from metrics.models import PullRequest, Team


def test_the_seeded_team_is_there():
    assert Team.objects.get(slug="polar-demo").pullrequest_set.count() == 40


def test_every_merged_pull_request_has_a_cycle_time():
    assert not PullRequest.objects.filter(state="merged", cycle_time_hours=None).exists()


def test_a_test_may_change_rows():
    PullRequest.objects.update(state="closed")
    assert PullRequest.objects.filter(state="closed").count() == 40


def test_no_test_sees_what_another_changed():
    assert PullRequest.objects.filter(state="merged").exists()
