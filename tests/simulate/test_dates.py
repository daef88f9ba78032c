"""Whatever is simulated happens within the window, and before the source's knowledge ends."""

import dataclasses
import datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.batches import UNTIL, make_batch, make_members, make_profile, simulate
from tformance_seed.simulate.ai_usage import ai_usage
from tformance_seed.simulate.copilot import last_activity

#: The columns that lie in the future by nature: the expiry of a survey's link.
EXPIRIES = {"token_expires_at"}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(1, 10_000), first=st.integers(1, 100_000), knows_all=st.booleans())
def test_nothing_is_simulated_after_what_is_known(seed, first, knows_all):
    profile = make_profile(seed=seed)
    members = make_members(8, profile)
    rows = make_batch(profile, members, np.arange(first, first + 150))
    newest = rows.pull_requests["ended_at"].max()
    assert newest < profile.end
    if not knows_all:
        known_until = newest.astype(datetime.datetime).replace(tzinfo=datetime.UTC)
        profile = dataclasses.replace(profile, known_until=known_until)
        assert profile.end == newest + np.timedelta64(1, "s")
        assert UNTIL - datetime.timedelta(days=14) < known_until.date()
    tables = simulate(rows, members, profile)
    tables["AIUsageDaily"] = ai_usage(members, slice(None), profile)
    tables["TeamMember"] = last_activity(members, profile)
    for table, columns in tables.items():
        for name, values in columns.items():
            if values.dtype.kind == "M" and name not in EXPIRIES:
                known = values[~np.isnat(values)]
                assert (known < profile.end).all(), (table, name)
