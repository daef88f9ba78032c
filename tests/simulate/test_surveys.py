import numpy as np
import pytest

from tests.support.batches import make_batch, make_members, make_profile, simulate
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW

COUNT = 6000


def survey(profile, count=COUNT, members=None, **choice):
    members = members or make_members(max(profile.members, 3), profile)
    rows = make_batch(profile, members, np.arange(1, count + 1), **choice)
    return rows, simulate(rows, members, profile)


@pytest.fixture(scope="module")
def simulated():
    return survey(make_profile())


def test_surveys_are_of_what_members_merged(simulated):
    prs, surveys = simulated[1]["PullRequest"], simulated[1]["PRSurvey"]
    merged = (prs["state"] == b"merged") & (prs["author"] >= 0)
    assert merged[surveys["pull_request"]].all()
    assert (surveys["author"] == prs["author"][surveys["pull_request"]]).all()
    assert (surveys["created_at"] == prs["merged_at"][surveys["pull_request"]]).all()
    three_days = prs["merged_at"] < make_profile().end - np.timedelta64(3, "D")  # time for every answer
    assert set(np.flatnonzero(merged & three_days)) <= set(surveys["pull_request"].tolist())


def test_authors_answer_by_how_they_work():
    profile = make_profile()
    members = make_members(8, profile)
    rows = make_batch(profile, members, np.arange(1, COUNT + 1))
    rows.pull_requests["has_ai_commits"][:] = False
    surveys = simulate(rows, members, profile)["PRSurvey"]
    found = rows.pull_requests["ai_kind"][surveys["pull_request"]]
    answered = ~np.isnat(surveys["author_responded_at"])
    for column in ("author_ai_assisted", "ai_modification_effort", "author_response_source"):
        assert surveys[column].mask.tolist() == (~answered).tolist()
    with_ai = np.asarray(surveys["author_ai_assisted"])
    na = np.asarray(surveys["ai_modification_effort"]) == b"na"
    assert na[answered].tolist() == (~with_ai[answered]).tolist()
    delay = (surveys["author_responded_at"] - surveys["created_at"])[answered].astype(int) / 3600
    assert delay.min() >= 1
    assert delay.max() < 48
    uses_ai = members.adoption_threshold[surveys["author"]] < profile.adoption
    assert answered[uses_ai].mean() == pytest.approx(0.6, abs=0.03)
    assert not with_ai[answered & ~uses_ai].any()
    # Most use leaves no trace; what a tool wrote is admitted, by most; what a tool reviewed is another thing.
    said = [with_ai[answered & uses_ai & (found == kind)].mean() for kind in (AI_NONE, AI_CODE, AI_REVIEW)]
    assert said == pytest.approx([0.75, 0.93, 0.75], abs=0.05)


def test_a_commit_that_a_tool_signed_answers_at_the_merge():
    profile = make_profile(survey_response_rate=0.0)
    members = make_members(8, profile)
    rows = make_batch(profile, members, np.arange(1, 401), kind=AI_CODE)
    signed = rows.pull_requests["has_ai_commits"] = rows.pull_requests["number"] % 3 == 0
    surveys = simulate(rows, members, profile)["PRSurvey"]
    answered = ~np.isnat(surveys["author_responded_at"])
    assert answered.tolist() == signed[surveys["pull_request"]].tolist()
    assert set(surveys["author_response_source"][answered].tolist()) == {b"auto"}
    assert surveys["author_ai_assisted"][answered].all()
    assert (surveys["author_responded_at"] == surveys["created_at"])[answered].all()
    assert surveys["ai_modification_effort"].mask.all()


def test_everybody_answers_in_a_scenario():
    profile = make_profile("baseline")
    surveys = survey(profile, count=400, days=56)[1]["PRSurvey"]
    assert not surveys["author_ai_assisted"].mask.any()
    delay = (surveys["author_responded_at"] - surveys["created_at"]).astype(int) / 3600
    assert delay.max() < 24


def test_guesses_and_their_truth_agree(simulated):
    surveys, answers = (simulated[1][name] for name in ("PRSurvey", "PRSurveyReview"))
    truth = surveys["author_ai_assisted"][answers["survey"]]
    assert answers["guess_correct"].mask.tolist() == truth.mask.tolist()
    assert ((answers["ai_guess"] == truth) == answers["guess_correct"]).all()
    assert 0.60 < answers["guess_correct"].mean() < 0.75


def test_reviewers_answer_once_within_three_days(simulated):
    surveys, answers, reviews = (simulated[1][name] for name in ("PRSurvey", "PRSurveyReview", "PRReview"))
    pull_request = surveys["pull_request"][answers["survey"]]
    pairs = list(zip(pull_request.tolist(), answers["reviewer"].tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    asked = {
        pair
        for pair in zip(reviews["pull_request"].tolist(), reviews["reviewer"].tolist(), strict=True)
        if pair[1] >= 0 and pair[0] in set(surveys["pull_request"].tolist())
    }
    assert set(pairs) <= asked
    assert len(pairs) / len(asked) == pytest.approx(0.7, abs=0.02)
    delay = (answers["responded_at"] - surveys["created_at"][answers["survey"]]).astype(int) / 3600
    assert delay.min() >= 1
    assert delay.max() < 72
    shares = np.bincount(answers["quality_rating"])[1:] / len(pairs)
    assert shares == pytest.approx([0.15, 0.35, 0.5], abs=0.02)


def test_a_survey_waits_until_its_author_has_answered():
    profile = make_profile()
    _, tables = survey(profile, days=3)
    prs, surveys = tables["PullRequest"], tables["PRSurvey"]
    merged = (prs["state"] == b"merged") & (prs["author"] >= 0)
    assert 0 < len(surveys["author"]) < merged.sum()
    assert not (surveys["author_responded_at"] >= profile.end).any()
    assert (tables["PRSurveyReview"]["responded_at"] < profile.end).all()


def test_tokens_are_64_hexadecimal_digits(simulated):
    tokens = simulated[1]["PRSurvey"]["token"].tolist()
    assert all(len(token) == 64 and int(token, 16) >= 0 for token in tokens)


def test_tokens_differ_between_organisations():
    tables = [survey(make_profile(slug=slug), count=200)[1]["PRSurvey"]["token"] for slug in ("a", "b")]
    assert not set(tables[0].tolist()) & set(tables[1].tolist())


def test_a_scenario_sets_the_mean_quality_of_each_week():
    profile = make_profile("review-bottleneck")
    _, tables = survey(profile, count=12_000, days=56)
    answers = tables["PRSurveyReview"]
    merged = tables["PRSurvey"]["created_at"][answers["survey"]]
    progress = profile.progress(merged)
    for step, want in enumerate(np.linspace(2.8, 2.2, 8)):
        rated = answers["quality_rating"][np.isclose(progress, step / 7)]
        assert rated.mean() == pytest.approx(want, abs=0.06)


def test_the_detective_game_depends_on_the_kind_of_author():
    profile = make_profile("detective-game")
    members = make_members(6, profile)
    members.adoption_threshold = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    _, tables = survey(profile, count=12_000, members=members, days=56)
    answers, surveys = tables["PRSurveyReview"], tables["PRSurvey"]
    author = surveys["author"][answers["survey"]]
    right = [answers["guess_correct"][author == member].mean() for member in range(6)]
    users, others = sorted(right[:3]), sorted(right[3:])
    assert users[0] < 0.47
    assert users[2] > 0.68  # stealthy and obvious
    assert others[0] < 0.52
    assert others[2] > 0.63  # people who write like AI, and the plainly human


@pytest.mark.parametrize("name", ["ai-success", "review-bottleneck"])
def test_quality_follows_its_scenario_in_eight_weeks_of_a_small_team(name):
    moved = 0
    for seed in range(40):
        profile = make_profile(name, seed=seed)
        _, tables = survey(profile, count=160, days=56)
        answers = tables["PRSurveyReview"]
        late = profile.progress(tables["PRSurvey"]["created_at"][answers["survey"]]) > 0.5
        rise = np.diff([answers["quality_rating"][half].mean() for half in (~late, late)])[0]
        moved += rise * (profile.scenario.quality.end - profile.scenario.quality.start) > 0
    assert moved >= 36


def test_guesses_are_near_their_bands_in_eight_weeks_of_a_small_team():
    beside, authors = 0, 0
    for seed in range(1, 9):
        profile = make_profile("detective-game", seed=seed)
        members = make_members(6, profile)
        members.adoption_threshold = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
        _, tables = survey(profile, count=200, members=members, days=56, repository=b"acme/api")
        answers = tables["PRSurveyReview"]
        author = tables["PRSurvey"]["author"][answers["survey"]]
        for member in range(6):
            right = answers["guess_correct"][author == member]
            if len(right) >= 20:
                bands = [(0.30, 0.45), (0.70, 0.85)] if member < 3 else [(0.35, 0.50), (0.65, 0.80)]
                beside += all(not low - 0.07 <= right.mean() <= high + 0.07 for low, high in bands)
                authors += 1
    assert authors > 20
    assert beside <= 0.1 * authors


def test_a_response_rate_of_zero_gives_no_answers():
    _, tables = survey(make_profile(survey_response_rate=0.0), count=300, kind=AI_NONE)
    assert tables["PRSurvey"]["author_ai_assisted"].mask.all()
    assert np.isnat(tables["PRSurvey"]["author_responded_at"]).all()
