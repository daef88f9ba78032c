"""The habits of repositories: by what one of them differs from the next, whatever its organisation.

Real repositories differ more from each other than the weeks of one of them: in some, every second change
brings tests, in others one in ten. Published figures are not habits; they are those of every organisation.
"""

import math

import numpy as np

from tformance_seed.sampling.arrays import Floats, Ints
from tformance_seed.sampling.keyed_random import KeyedRandom

#: Habit -> its minimum, its maximum, and the exponent of the uniform value between them: the greater it is,
#: the rarer are high values. Shares, or factors of the average.
HABITS = {
    "tests": (0.05, 3.2, 2),
    "manifests": (0.2, 6.5, 2),
    "added files": (0.2, 2.6, 1),
    "removed files": (0.3, 3.6, 2),
    "tiny new files": (0.02, 0.5, 2),
    "added lines": (0.0, 1.0, 1),
    "replaced lines": (0.5, 2.1, 2),
    "documents": (0.0, 0.6, 2),
    "hot files": (0.3, 3.0, 1),
    "issues": (0.15, 0.55, 1),
    "other issues": (0.02, 0.25, 1),
    "plain titles": (0.0, 0.9, 1),
    "keys in titles": (0.0, 0.95, 2),
    "flat folders": (0.0, 0.6, 1),
    "nested folders": (0.0, 0.9, 1),
    "weekends": (0.01, 0.35, 3),
    "bots": (0.1, 2.8, 2),
    "docs": (0.2, 4.5, 2),
    "ci": (0.2, 5.0, 2),
    "chore": (0.4, 2.2, 2),
    "test": (0.2, 2.5, 2),
    "refactor": (0.5, 2.0, 2),
    "feat": (0.6, 1.6, 1),
    "fix": (0.6, 1.6, 1),
}

#: Number of consecutive pull requests whose sizes are a complete block of the low-discrepancy sequence.
BLOCK = 256

#: How far the sizes of a block may lean towards small or large ones, less than 1: the density of the
#: quantiles at 0 and at 1 is 1 plus or minus this.
LEANING = 0.8

#: What leans in a block, and the steps of the leanings from one block to the next. Multiples of the powers of
#: the plastic number are spread evenly, also together: the means are soon 0, and so is that of the product.
STEPS = {"lines": 0.7548776662466927, "files": 0.5698402909980532}

#: The golden ratio, multiples of which are spread evenly.
GOLDEN_RATIO = (5**0.5 - 1) / 2


def habit(random: KeyedRandom, repository: str, name: str) -> float:
    """Return the value of one of the ``HABITS`` of a repository."""
    low, high, exponent = HABITS[name]
    u = float(random.uniform(f"habit of {name}", repository))
    return low + (high - low) * math.prod([u] * exponent)


def shuffle(random: KeyedRandom, repository: str, ordinals: Ints) -> Ints:
    """Return the points of a low-discrepancy sequence that pull requests take, each point once.

    A block of ``BLOCK`` pull requests takes the points of that block in an order of its own. Its sizes are
    evenly distributed, while those of a week vary as if drawn.
    """
    block, place = np.divmod(ordinals, BLOCK)
    bits = random.random_bits("order of block", repository, block)
    for shift in (0, 16, 32):  # each step is a bijection of 0 to BLOCK - 1
        low, high = ((bits >> np.uint64(shift + half)).astype(np.int64) & BLOCK - 1 for half in (0, 8))
        place = (place ^ low) * (high | 1) & BLOCK - 1
        place ^= place >> 4
    points: Ints = block * BLOCK + place
    return points


def lean(random: KeyedRandom, what: str, repository: str, ordinals: Ints, u: Floats) -> Floats:
    """Return quantiles that lean to one side in each block; over some blocks they are as even as before.

    The density of the quantiles in a block is 1 + a (1 - 2u), where the mean of a over a few blocks is nearly
    0.

    Parameters:
      what: one of ``STEPS``.
    """
    start = random.uniform(f"leaning/{what}", repository)
    a = LEANING * (2 * ((start + ordinals // BLOCK * STEPS[what]) % 1) - 1)
    quantiles: Floats = 2 * u / (1 + a + np.sqrt((1 + a) ** 2 - 4 * a * u))
    return quantiles
