"""Tokens and limits: whose turn it is, when to pause and when to stop, and that no token ever shows."""

import contextlib
import os
import time
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.github.test_fetching import fill
from tests.support.commands import command
from tests.support.github.fetching import Heard, fetch, known
from tests.support.github.samples import acme
from tests.support.github.server import Allowance, Answer, GitHub
from tests.support.github.world import World
from tformance_seed.errors import InputError
from tformance_seed.sources.github import client, tokens
from tformance_seed.sources.github.cache import Cache, cache_path
from tformance_seed.sources.github.client import LimitReachedError
from tformance_seed.urls import check_web_address

SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds slept, which pass at once; no others pass, however slow the machine is."""
    slept: list[float] = []
    began = time.time()
    clock = types.SimpleNamespace(sleep=slept.append, time=lambda: began + sum(slept))
    monkeypatch.setattr(client, "time", clock)
    return slept


def test_a_limit_in_the_middle_stops_cleanly_and_nothing_passes_for_complete(
    github: GitHub, world: World, tmp_path
) -> None:
    fill(world, 60)
    github.tokens["token-one"].remaining = 2
    with pytest.raises(LimitReachedError) as caught:
        fetch(github, tmp_path)
    assert "go on with the same command after" in str(caught.value)
    assert "UTC (in 60 min)" in str(caught.value)
    kept = Cache.read(cache_path(tmp_path, "acme/api"))
    assert (len(known(kept)), kept.is_complete) == (25, False)
    github.tokens["token-one"] = Allowance()
    assert len(known(fetch(github, tmp_path)["acme/api"])) == 60


def test_a_limit_is_foreseen_and_not_run_into(github: GitHub, world: World, tmp_path) -> None:
    fill(world, 60)
    github.tokens["token-one"].remaining = 2
    with pytest.raises(LimitReachedError):
        fetch(github, tmp_path)
    assert len(github.requests) == 2


def test_a_patient_user_waits_until_the_reset_and_sees_it(
    github: GitHub, world: World, tmp_path, pauses
) -> None:
    fill(world, 60)
    github.tokens["token-one"] = Allowance(2, time.time() + 300)
    github.rule = lambda _request: (pauses and _refill(github)) or None
    heard = Heard()
    assert len(known(fetch(github, tmp_path, heard=heard, patient=True)["acme/api"])) == 60
    assert 299 <= sum(pauses) <= 310
    assert "waiting until" in heard.said[0]
    assert any("left" in text for text in heard.shown)


def _refill(github: GitHub) -> None:
    github.tokens["token-one"] = Allowance()


def test_requests_are_spread_by_what_each_token_has_left(github: GitHub, world: World, tmp_path) -> None:
    for name in "abcdef":
        fill(world, 2, f"acme/{name}")
    github.tokens = {"one": Allowance(3), "two": Allowance(4_900), "three": Allowance(5_000)}
    fetch(github, tmp_path)
    used = [request.token for request in github.requests]
    assert {name: used.count(name) for name in github.tokens} == {"one": 1, "two": 1, "three": 5}


def test_a_token_that_is_spent_leaves_the_rest_to_the_others(github: GitHub, world: World, tmp_path) -> None:
    fill(world, 100)
    github.tokens = {"one": Allowance(2), "two": Allowance(9)}
    assert len(known(fetch(github, tmp_path)["acme/api"])) == 100
    assert {request.token for request in github.requests} == {"one", "two"}


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(403, SECONDARY, {"retry-after": "77"}), 77),
        (Answer(429, {"message": "Slow down"}, {"retry-after": "77"}), 77),
        (Answer(200, {"errors": [SECONDARY]}), 60),
        (Answer(403, SECONDARY), 60),
        (Answer(403, {"message": "You have triggered an abuse detection mechanism."}), 60),
    ],
    ids=["403 and Retry-After", "429 and Retry-After", "200", "403", "abuse"],
)
def test_secondary_limits_are_waited_for_as_long_as_github_says(
    github: GitHub, world: World, tmp_path, pauses, answer, seconds
) -> None:
    fill(world, 2)
    github.faults = [answer]
    assert len(known(fetch(github, tmp_path, patient=True)["acme/api"])) == 2
    assert seconds - 1 <= sum(pauses) <= seconds + 2


def test_pauses_become_longer_if_the_limit_is_met_again(
    github: GitHub, world: World, tmp_path, pauses
) -> None:
    fill(world, 2)
    github.faults = [Answer(403, SECONDARY)] * 3
    fetch(github, tmp_path, patient=True)
    assert 60 + 120 + 240 - 3 <= sum(pauses) <= 60 + 120 + 240 + 6


def test_a_short_pause_needs_no_patience(github: GitHub, world: World, tmp_path, pauses) -> None:
    fill(world, 2)
    github.faults = [Answer(403, SECONDARY, {"retry-after": "5"})]
    assert len(known(fetch(github, tmp_path)["acme/api"])) == 2
    assert 4 <= sum(pauses) <= 7


def test_a_long_pause_stops_an_impatient_user(github: GitHub, world: World, tmp_path) -> None:
    fill(world, 2)
    github.faults = [Answer(403, SECONDARY)]
    with pytest.raises(LimitReachedError, match="or let it wait with --wait"):
        fetch(github, tmp_path)


def test_while_one_token_pauses_another_works(github: GitHub, world: World, tmp_path) -> None:
    fill(world, 2)
    github.tokens = {"one": Allowance(), "two": Allowance()}
    github.faults = [Answer(403, SECONDARY, {"retry-after": "600"})]
    assert len(known(fetch(github, tmp_path)["acme/api"])) == 2
    assert [request.token for request in github.requests][:2] == ["one", "two"]


def test_a_token_that_is_refused_is_named_and_left_out(github: GitHub, world: World, tmp_path) -> None:
    fill(world, 2)
    github.tokens = {"revoked": Allowance(), "good": Allowance()}
    github.rule = lambda request: (
        Answer(401, {"message": "Bad credentials"}) if request.token == "revoked" else None
    )
    heard = Heard()
    assert len(known(fetch(github, tmp_path, heard=heard)["acme/api"])) == 2
    assert heard.said == [
        "GitHub does not accept token 1 of GITHUB_SEEDING_TOKENS (status 401); going on with the others"
    ]
    del github.tokens["good"]
    with pytest.raises(InputError, match="does not accept the token of GITHUB_SEEDING_TOKENS"):
        fetch(github, tmp_path)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(403, {"message": "Resource protected by organization SAML enforcement."}), "SAML"),
        (Answer(200, {"errors": [{"type": "FORBIDDEN", "message": "not yours"}]}), "not yours"),
        (Answer(200, {"data": {"repositoryOwner": None}}), "GitHub has no such organisation"),
        (Answer(404, b"nothing here"), "status 404"),
    ],
)
def test_what_may_not_be_read_is_said_in_one_line(
    github: GitHub, world: World, tmp_path, answer, words
) -> None:
    fill(world, 1)
    github.rule = lambda _request: answer
    with pytest.raises(InputError, match=words) as caught:
        fetch(github, tmp_path)
    assert "\n" not in str(caught.value)
    assert len(github.requests) == 1


def arguments(tmp_path, *more: str) -> list[str]:
    database = f"sqlite:///{tmp_path}/test.db"
    cache = str(tmp_path / "cache")
    window = ["--days", "30", "--until", "2026-02-10"]
    return [
        "seed",
        "--source",
        "github",
        "acme",
        *window,
        "--cache-dir",
        cache,
        "--database",
        database,
        *more,
    ]


def test_the_token_of_the_environment_is_used(tmp_path) -> None:
    with GitHub(acme()).running() as github:
        github.tokens = {"the-only-one": Allowance()}
        result = command(*arguments(tmp_path), TFORMANCE_GITHUB_URL=github.url, GITHUB_TOKEN="the-only-one")
    assert result.returncode == 0, result.stderr
    assert "the-only-one" not in result.stdout + result.stderr


def test_the_token_of_githubs_program_is_used_and_said(tmp_path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gh").write_text('#!/bin/sh\n[ "$*" = "auth token --hostname 127.0.0.1" ] && echo token-one\n')
    (folder / "gh").chmod(0o755)
    with GitHub(acme()).running() as github:
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        result = command(*arguments(tmp_path), TFORMANCE_GITHUB_URL=github.url, PATH=path)
    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines()[0] == (
        "tformance-seed: the token for GitHub is the one that `gh auth token` prints"
    )


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PATH": "/nonexistent"}, "needs a token: set GITHUB_SEEDING_TOKENS"),
        ({"GITHUB_SEEDING_TOKENS": "good,hunter2 x"}, "token 2 is malformed"),
        ({"GITHUB_TOKEN": "hunter2\nx"}, "token 1 is malformed"),
        ({"TFORMANCE_GITHUB_URL": "https://me:hunter2@host/graphql"}, "the URL is malformed"),
        ({"TFORMANCE_GITHUB_URL": "http://example.com/graphql"}, "expected https://"),
        ({"TFORMANCE_GITHUB_URL": "hunter2"}, "the URL is malformed"),
    ],
)
def test_a_wrong_environment_is_one_line_and_status_2(tmp_path, environment, words) -> None:
    result = command(
        *arguments(tmp_path), **{"GITHUB_TOKEN": "" if "PATH" in environment else "x"} | environment
    )
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert words in result.stderr
    assert "hunter2" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_limit_ends_a_command_with_status_1_and_nothing_written(tmp_path) -> None:
    with GitHub(acme()).running() as github:
        github.tokens["token-one"].remaining = 1
        result = command(*arguments(tmp_path), **github.environment)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "rate limit is reached" in result.stderr
    assert not (tmp_path / "test.db").exists()


SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=8)


@settings(max_examples=12, deadline=None)
@given(secret=SECRETS, status=st.sampled_from([200, 400, 401, 403, 404, 418, 429]), field=st.integers(0, 3))
def test_no_token_shows_whatever_the_server_answers(tmp_path_factory, secret, status, field) -> None:
    """A server that repeats the token in every place that a message may come from."""
    folder = tmp_path_factory.mktemp("secret")
    bodies = [
        {"message": f"bad token {secret}"},
        {"errors": [{"message": f"no {secret}", "type": secret, "path": [secret, 1]}]},
        {"data": None, "errors": [{"message": f"{secret}{secret}\n{secret}", "type": "FORBIDDEN"}]},
        {"errors": [{"message": f"cursor {secret}"}]},
    ]
    with GitHub(World()).running() as github:
        github.rule = lambda _request: Answer(status, bodies[field], {"retry-after": "9999"})
        environment = {"TFORMANCE_GITHUB_URL": github.url, "GITHUB_SEEDING_TOKENS": f"{secret},{secret}x"}
        result = command(*arguments(folder), **environment)
    assert result.returncode in (1, 2)
    assert result.stderr.count("\n") <= 2  # one may say that a token is left out
    assert secret not in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    for path in folder.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()


@given(st.text(max_size=60))
def test_an_address_that_is_accepted_has_no_place_for_a_secret(text) -> None:
    with contextlib.suppress(InputError):
        check_web_address("X", f"https://{text}")
        assert not set("@?#") & set(text)


def test_tokens_do_not_show_where_they_are_printed() -> None:
    pool = tokens.TokenPool(["hunter2hunter2"], "X")
    assert "hunter2" not in repr(pool.tokens)
    assert pool.mask("a hunter2hunter2\nb") == "a *** b"
