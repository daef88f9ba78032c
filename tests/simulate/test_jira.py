import numpy as np
import pytest

from tests.support.batches import make_batch, make_members, make_profile
from tformance_seed.simulate.jira import issues, simulate_keys
from tformance_seed.storage.models.jira import JiraIssue

COUNT = 4000


def facts(count=COUNT, **columns):
    number = np.arange(count)
    created = np.datetime64("2025-06-02T10:00:00", "s") + number.astype("timedelta64[h]")
    return {
        "jira_key": np.array([b"ACME-%d" % row for row in number.tolist()]),
        "first_created": created,
        "last_ended": created + np.timedelta64(30, "h"),
        "lines": number % 1000,
        "title": np.full(count, b"Something about invoices"),
        "labels": np.full(count, b"[]"),
        "assignee": number % 5,
        "state": np.full(count, b"merged"),
    } | columns


def texts(*values):
    return np.array([value.encode() for value in values])


def test_issues_have_every_field():
    simulated = issues(facts(), make_profile())
    assert set(simulated) == set(JiraIssue._meta.fields) - {"id", "team"}
    assert len(np.unique(simulated["jira_id"])) == COUNT


def test_points_follow_the_lines():
    lines = np.array([0, 49, 50, 149, 150, 399, 400, 799, 800, 90_000])
    simulated = issues(facts(10, lines=lines), make_profile())
    assert simulated["story_points"].tolist() == [1, 1, 2, 2, 3, 3, 5, 5, 8, 8]


def test_sprints_are_two_weeks_from_the_first_monday_of_2024():
    ended = np.array(
        ["2024-01-01T00:00", "2024-01-14T23:59:59", "2024-01-15", "2025-12-01", "2023-05-01"],
        dtype="datetime64[s]",
    )
    simulated = issues(facts(5, last_ended=ended, first_created=ended), make_profile())
    assert simulated["sprint_id"].tolist() == [b"1", b"1", b"2", b"51", b""]
    assert simulated["sprint_name"].tolist() == [b"Sprint 1", b"Sprint 1", b"Sprint 2", b"Sprint 51", b""]


def test_status_follows_the_pull_requests():
    state = np.array([b"merged", b"closed", b"open"])[np.arange(COUNT) % 3]
    simulated = issues(facts(state=state), make_profile())
    assert set(simulated["status"][state == b"merged"].tolist()) == {b"Done"}
    assert set(simulated["status"][state == b"closed"].tolist()) == {b"Won't Do"}
    assert set(simulated["status"][state == b"open"].tolist()) == {b"In Progress", b"In Review"}
    resolved = state != b"open"
    assert (simulated["resolved_at"] == facts()["last_ended"])[resolved].all()
    assert np.isnat(simulated["resolved_at"][~resolved]).all()
    assert np.isnan(simulated["cycle_time_hours"][~resolved]).all()
    hours = (simulated["resolved_at"] - simulated["issue_created_at"])[resolved].astype(int) / 3600
    assert simulated["cycle_time_hours"][resolved] == pytest.approx(hours, abs=0.00501)
    assert (simulated["issue_created_at"] < facts()["first_created"]).all()


def test_types_are_drawn_where_nothing_states_them():
    simulated = issues(facts(), make_profile())
    shares = [
        (simulated["issue_type"] == kind).mean() for kind in (b"Story", b"Task", b"Bug", b"Improvement")
    ]
    assert shares == pytest.approx([0.5, 0.25, 0.2, 0.05], abs=0.03)


@pytest.mark.parametrize(
    ("title", "labels", "kind"),
    [
        ("fix(api): invoices", "[]", b"Bug"),
        ("ACME-0: Fix invoices", "[]", b"Bug"),
        ("feat: invoices", "[]", b"Story"),
        ("chore(deps): bump things", "[]", b"Task"),
        ("perf: faster invoices", "[]", b"Improvement"),
        ("Invoices", '["bug"]', b"Bug"),
        ("Invoices", '["area/api","documentation"]', b"Task"),
    ],
)
def test_title_and_labels_state_the_type(title, labels, kind):
    simulated = issues(facts(1, title=texts(title), labels=texts(labels)), make_profile())
    assert simulated["issue_type"].tolist() == [kind]


@pytest.mark.parametrize(
    ("title", "summary"),
    [
        ("ACME-0: Send invoices", "Send invoices"),
        ("[ACME-0] Send invoices", "Send invoices"),
        ("feat(billing): send invoices (ACME-0)", "Send invoices"),
        ("fix: ACME-0 send  invoices", "Send invoices"),
        ("Note: keep this: intact", "Keep this: intact"),
        ("ACME-0", "ACME-0"),
    ],
)
def test_summaries_leave_the_key_out(title, summary):
    simulated = issues(facts(1, title=texts(title)), make_profile())
    assert simulated["summary"].tolist() == [summary.encode()]


def test_descriptions_do_not_send_the_reader_to_the_ticket():
    descriptions = issues(facts(), make_profile())["description"]
    assert len(set(descriptions.tolist())) > 3
    assert not any(b"ticket" in text for text in descriptions.tolist())


def test_an_issue_does_not_depend_on_the_others():
    together, alone = issues(facts(), make_profile()), issues(facts(5), make_profile())
    for name, column in alone.items():
        assert column.tolist() == together[name][:5].tolist(), name


def test_no_issues_make_no_rows():
    assert {
        len(column) for column in issues(facts(0, title=texts()[:0].astype("S1")), make_profile()).values()
    } == {0}


def keyed(profile, repository, numbers, **columns):
    prs = make_batch(
        profile, make_members(5, profile), np.array(numbers), repository=repository
    ).pull_requests
    return simulate_keys({**prs, "is_bot": np.zeros(len(numbers), dtype=bool), **columns}, profile).tolist()


def test_one_repository_numbers_from_a_thousand():
    assert keyed(make_profile(repos=("acme/api",)), b"acme/api", [1, 2]) == [b"ACME-1001", b"ACME-1002"]


def test_several_repositories_count_their_issues_together():
    profile = make_profile(repos=("acme/api", "acme/web"))
    assert keyed(profile, b"acme/api", [1, 2, 3, 4]) == [
        b"ACME-1002",
        b"ACME-1004",
        b"ACME-1006",
        b"ACME-1008",
    ]
    # The second repository has half as many pull requests in the same time.
    assert keyed(profile, b"acme/web", [1, 2]) == [b"ACME-1005", b"ACME-1009"]


def test_an_unlisted_repository_has_its_own_project():
    assert keyed(make_profile(), b"other/data-pipeline.js", [8]) == [b"DATAPIPELI-1008"]
    assert keyed(make_profile(), b"other/7", [7]) == [b"PROJ-1007"]


def test_keys_in_titles_stay_and_bots_have_none():
    profile = make_profile(repos=("acme/api",))
    given = np.array([b"OPS-5", b"", b""])
    keys = keyed(profile, b"acme/api", [1, 2, 3], jira_key=given, is_bot=np.array([False, True, False]))
    assert keys == [b"OPS-5", b"", b"ACME-1003"]
