"""Where language models are said to be; what is wrong is said without showing it."""

import pytest

from tformance_seed.errors import InputError
from tformance_seed.llm.endpoint import find_endpoint


@pytest.fixture
def say(monkeypatch):
    """Return a function that sets the two variables."""

    def set_both(url, key=""):
        monkeypatch.setenv("TFORMANCE_LLM_URL", url)
        monkeypatch.setenv("TFORMANCE_LLM_KEY", key)

    return set_both


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
        ("http://127.0.0.1:11434/v1/chat/completions", "http://127.0.0.1:11434/v1/chat/completions"),
        ("http://[::1]:8000", "http://[::1]:8000/chat/completions"),
    ],
)
def test_the_address_is_that_of_the_chat_api(say, url, address):
    say(url)
    assert find_endpoint().url == address


@pytest.mark.parametrize(
    "url",
    [
        "api.openai.com/v1",
        "ftp://host/v1",
        "https://",
        "https:///v1",
        "https://user:hush7@host/v1",
        "https://host/v1?key=hush7",
        "https://host/v1#hush7",
        "https://host:port/v1",
        "https://host:99999/v1",
        "https://ho st/v1",
        "https://höst/v1",
        "https://[::1/v1",
    ],
)
def test_a_malformed_address_is_refused_and_not_shown(say, url):
    say(url)
    with pytest.raises(InputError, match=r"^TFORMANCE_LLM_URL is malformed; expected") as refusal:
        find_endpoint()
    assert "hush7" not in str(refusal.value)


@pytest.mark.parametrize("key", ["hush7\n", "hüsh7", "hush7\x7f"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(say, key):
    say("https://host/v1", key)
    with pytest.raises(InputError, match=r"^TFORMANCE_LLM_KEY has characters") as refusal:
        find_endpoint()
    assert "sh7" not in str(refusal.value)


def test_without_an_address_it_is_said_what_to_set(monkeypatch):
    monkeypatch.delenv("TFORMANCE_LLM_URL", raising=False)
    with pytest.raises(InputError, match=r"set TFORMANCE_LLM_URL, such as https://api\.openai\.com/v1"):
        find_endpoint()


def test_without_the_library_it_is_said_what_to_install(say, monkeypatch):
    say("https://host/v1")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"pip install 'tformance_seed\[llm\]'"):
        find_endpoint()


def test_an_endpoint_shows_no_key(say):
    say("https://host/v1", "hush7hush7")
    assert "hush7" not in repr(find_endpoint())
    assert find_endpoint().without_key("not hush7hush7!") == "not ***!"
