from collections.abc import Iterator

import pytest
import stamina

from tests.support.github.server import GitHub
from tests.support.github.world import World


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """Try again at once, as often as usual."""
    with stamina.set_testing(True, attempts=99, cap=True):
        yield


@pytest.fixture
def github() -> Iterator[GitHub]:
    """A GitHub that knows nothing yet."""
    with GitHub(World()).running() as running:
        yield running


@pytest.fixture
def world(github: GitHub) -> World:
    return github.world
