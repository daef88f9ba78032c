"""Requests to a language model that misbehaves: what is sent again, and what is given up."""

import threading
import time

import pytest

from tests.support.chat_server import COMPLETION_TOKENS, KEY, PROMPT_TOKENS, Exchange
from tformance_seed import settings
from tformance_seed.errors import SeedError, TransientError
from tformance_seed.llm import language_model as module
from tformance_seed.llm.language_model import ATTEMPTS, AWAY_AFTER, LanguageModel, UnansweredError

QUESTION = [{"role": "user", "content": "How are you?"}]


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def model(chat, monkeypatch, stopping):
    """The server's models, which are impatient."""
    for name, value in chat.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(settings, "llm_timeout", lambda: 0.3)
    chat.fault = say("fine")
    found = LanguageModel(lambda: True, stopping)
    yield found
    found.close()


def say(text, **more):
    """Return a fault that always answers the same."""

    def answer(exchange: Exchange) -> bool:
        exchange.answer(text, **more)
        return True

    return answer


def first(chat, count, fault):
    """Let the first requests have a fault, and the others a proper answer."""

    def answer(exchange: Exchange) -> bool:
        (fault if len(chat.requests) <= count else say("fine"))(exchange)
        return True

    chat.fault = answer


def test_a_reply_has_the_answer_and_what_it_cost(chat, model):
    reply = model.ask("m-1", QUESTION)
    assert (reply.text, reply.requests) == ("fine", 1)
    assert (reply.prompt_tokens, reply.completion_tokens) == (PROMPT_TOKENS, COMPLETION_TOKENS)
    (request,) = chat.requests
    assert (request.model, request.messages) == ("m-1", QUESTION)
    assert request.headers["Authorization"] == f"Bearer {KEY}"


def test_without_a_key_none_is_sent(chat, model, monkeypatch):
    monkeypatch.delenv("TFORMANCE_LLM_KEY")
    model.ask("m-1", QUESTION)
    assert "Authorization" not in chat.requests[0].headers


@pytest.mark.parametrize(
    "fault",
    [
        lambda exchange: exchange.send(b"oh", 500),
        lambda exchange: exchange.send(b"", 503),
        lambda exchange: exchange.send(b"slow down", 429),
        lambda exchange: exchange.send(b"slow down", 429, Retry_After="0"),
        lambda exchange: exchange.send(b"slow down", 429, Retry_After="Fri, 27 Nov 2020 01:00:00 GMT"),
        lambda exchange: exchange.send(b"slow down", 429, Retry_After="soon"),
        lambda exchange: exchange.hang_up(),
        lambda exchange: exchange.send(b"{", Content_Length="100") or exchange.hang_up(),
        lambda exchange: exchange.send(b"no gzip", Content_Encoding="gzip"),
        lambda exchange: time.sleep(0.5),
        lambda exchange: exchange.trickle(b" ", pieces=20, pause=0.05),
    ],
)
def test_a_request_that_is_not_answered_is_sent_again(chat, model, fault):
    first(chat, 1, fault)
    reply = model.ask("m-1", QUESTION)
    assert (reply.text, reply.requests, len(chat.requests)) == ("fine", 2, 2)


def test_it_waits_for_as_long_as_the_server_says(chat, model):
    first(chat, 1, lambda exchange: exchange.send(b"slow down", 429, Retry_After="0.2"))
    began = time.monotonic()
    model.ask("m-1", QUESTION)
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("header", ["3600", "1e999", "Fri, 27 Nov 2099 01:00:00 GMT"])
def test_it_does_not_wait_for_an_hour(chat, model, header):
    chat.fault = lambda exchange: exchange.send(b"later", 429, Retry_After=header) or True
    with pytest.raises(UnansweredError) as unanswered:
        model.ask("m-1", QUESTION)
    assert unanswered.value.requests == 1


def test_a_request_is_sent_a_few_times_and_a_model_that_is_away_is_left_alone(chat, model):
    chat.fault = lambda exchange: exchange.send(b"<html>\n<b>Gateway</b>\x1b[2J</html>", 502) or True
    for _ in range(AWAY_AFTER - 1):
        with pytest.raises(UnansweredError) as unanswered:
            model.ask("m-1", QUESTION)
        assert unanswered.value.requests == ATTEMPTS
    host = chat.url.split("/")[2]
    said = rf"the language model at {host} does not answer: HTTP 502: <html> <b>Gateway</b> \[2J</html>; what"
    for _ in range(2):
        with pytest.raises(SeedError, match=said):
            model.ask("m-1", QUESTION)
    assert len(chat.requests) == ATTEMPTS * AWAY_AFTER


def test_it_is_tried_again_later(chat, model, monkeypatch):
    first(chat, ATTEMPTS * AWAY_AFTER, lambda exchange: exchange.send(b"", 500))
    for _ in range(AWAY_AFTER):
        with pytest.raises((UnansweredError, SeedError)):
            model.ask("m-1", QUESTION)
    monkeypatch.setattr(module, "AWAY_FOR", 0.0)
    assert model.ask("m-1", QUESTION).text == "fine"


def test_nobody_at_the_address_is_said_in_one_line(chat, model):
    chat.close()
    for _ in range(AWAY_AFTER - 1):
        with pytest.raises(UnansweredError):
            model.ask("m-1", QUESTION)
    with pytest.raises(SeedError, match=r"does not answer: .*Connection refused; what it answered before"):
        model.ask("m-1", QUESTION)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "check TFORMANCE_LLM_KEY"),
        (403, "check what TFORMANCE_LLM_KEY may do"),
        (404, "check the name of the model"),
        (302, "check TFORMANCE_LLM_URL"),
        (405, "check TFORMANCE_LLM_URL"),
        (204, "check TFORMANCE_LLM_URL"),
    ],
)
def test_a_server_that_refuses_everything_is_asked_once(chat, model, status, advice):
    chat.fault = lambda exchange: (
        exchange.send(
            b"" if status == 204 else f"Incorrect API key: {KEY}\n{'x' * 1000}".encode(),
            status,
            Location="http://127.0.0.1:1/",
        )
        or True
    )
    with pytest.raises(SeedError, match=f"HTTP {status}: .*; {advice}") as refusal:
        model.ask("m-1", QUESTION)
    assert KEY not in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400
    assert len(chat.requests) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_that_is_rejected_has_no_reply_and_is_no_sign_of_absence(chat, model, status):
    chat.fault = lambda exchange: exchange.send(b"too long", status) or True
    for _ in range(AWAY_AFTER + 1):
        assert model.ask("m-1", QUESTION).text is None
    assert len(chat.requests) == AWAY_AFTER + 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b'data: {"choices": []}\n\ndata: [DONE]\n\n',
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": null, "refusal": "No."}}]}',
        b'{"error": {"message": "overloaded"}}',
        b"[" * 500_000,
        b'{"x": ' + b"[" * 500_000,
        b"\xff\xfe\x00",
        b"x" * 2_000_000,
    ],
)
def test_an_answer_without_a_text_is_a_reply_without_a_text(chat, model, content):
    chat.fault = lambda exchange: exchange.send(content) or True
    reply = model.ask("m-1", QUESTION)
    assert (reply.text, reply.requests) == ("", 1)
    assert reply.prompt_tokens > 0


def test_an_answer_that_never_ends_is_read_up_to_a_point(chat, model, monkeypatch):
    monkeypatch.setattr(settings, "llm_timeout", lambda: 20)
    chat.fault = lambda exchange: exchange.trickle(b"x" * 100_000, pieces=10_000) or True
    began = time.monotonic()
    assert model.ask("m-1", QUESTION).text == ""
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": -5, "completion_tokens": 1},
        {"prompt_tokens": "many", "completion_tokens": 1},
        {"prompt_tokens": 10**30, "completion_tokens": 1},
        {"prompt_tokens": 10**12, "completion_tokens": 1},
        7,
    ],
)
def test_tokens_that_are_not_counted_are_estimated(chat, model, usage):
    chat.fault = say("fine", usage=usage)
    reply = model.ask("m-1", QUESTION)
    assert reply.text == "fine"
    assert 0 < reply.prompt_tokens < 100
    assert 0 < reply.completion_tokens < 100


def test_the_key_is_not_in_an_answer_that_repeats_it(chat, model):
    chat.fault = say(f"Your key is {KEY}.")
    assert model.ask("m-1", QUESTION).text == "Your key is ***."


def test_a_request_waits_for_its_turn(chat, monkeypatch, stopping):
    for name, value in chat.environment.items():
        monkeypatch.setenv(name, value)
    chat.fault = say("fine")
    turns = iter([False, False, True])
    model = LanguageModel(lambda: next(turns), stopping)
    model.ask("m-1", QUESTION)
    model.close()
    assert next(turns, None) is None


def test_what_waits_ends_with_its_process(chat, model, stopping):
    chat.fault = lambda exchange: exchange.send(b"slow down", 429, Retry_After="30") or True
    threading.Timer(0.1, stopping.set).start()
    began = time.monotonic()
    with pytest.raises(TransientError, match="to end"):
        model.ask("m-1", QUESTION)
    assert time.monotonic() - began < 10
