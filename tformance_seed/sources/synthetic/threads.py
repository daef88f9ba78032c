"""How pull requests hang together: campaigns, and the parts of a repository in which people are at home."""

import numpy as np

from tformance_seed.sampling.arrays import Floats, Ints
from tformance_seed.sampling.keyed_random import KeyedRandom, text_key
from tformance_seed.sources.records import pull_request_key
from tformance_seed.sources.synthetic.trees import Tree

#: Share of pull requests that follow up another, and the distances at which that may be, drawn with equal
#: probability. A thread is followed back over so many pull requests at most.
FOLLOWING_SHARE, DISTANCES, MAX_FOLLOWED = 0.45, np.array([1, 1, 1, 1, 2, 2, 3, 6]), 5

#: Share of threads in the area in which their author is at home, and the width of a home, as a share of all
#: components. Others are anywhere, those near the front more often.
AT_HOME_SHARE, HOME_WIDTH = 0.8, 0.06

#: Number of pull requests of a repository during which a person keeps a focus, and the share of threads that
#: are about it.
FOCUS_LENGTH, FOCUS_SHARE = 40, 0.5

#: Share of pull requests that are about the component of their thread, not about one beside it; and of those
#: that begin with the same file.
SAME_COMPONENT_SHARE, SAME_FILE_SHARE = 0.75, 0.6


def thread_of(random: KeyedRandom, repository: str, numbers: Ints) -> Ints:
    """Return the number of the pull request with which the thread of each pull request began."""
    current = numbers
    for _ in range(MAX_FOLLOWED):
        key = pull_request_key(repository, current)
        distance = DISTANCES[random.integers("distance", key, low=0, high=len(DISTANCES) - 1)]
        follows = random.chance("follows", FOLLOWING_SHARE, key) & (distance < current)
        current = np.where(follows, current - distance, current)
    return current


def pick_components(
    random: KeyedRandom, repository: str, tree: Tree, numbers: Ints, thread: Ints, author: Ints
) -> tuple[Ints, Floats]:
    """Return the component that each pull request is about, and at which of its sources it begins, in [0, 1).

    Parameters:
      thread: where the thread of each pull request began.
      author: the member who opened each pull request.
    """
    count, own = len(tree.components), pull_request_key(repository, numbers)
    began = pull_request_key(repository, thread)
    home = random.uniform("home", text_key(repository), author)
    focus = random.uniform("focus", text_key(repository), author, numbers // FOCUS_LENGTH)
    u = random.uniform("subject of thread", began)
    within = np.where(random.chance("focused", FOCUS_SHARE, began), focus, u)
    at_home = (home + HOME_WIDTH * within) % 1.0
    place = np.where(random.chance("at home", AT_HOME_SHARE, began), at_home, u * u)
    component = np.floor(place * count).astype(np.int64)
    beside = random.integers("beside", own, low=1, high=4)
    stays = random.chance("stays", SAME_COMPONENT_SHARE, own)
    component = (component + np.where(stays, 0, beside)) % count
    first = np.where(
        random.chance("same file", SAME_FILE_SHARE, own),
        random.uniform("first file", text_key(repository), component),
        random.uniform("first file", own) ** 2,
    )
    return component, first
