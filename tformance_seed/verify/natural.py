"""Natural keys: what names a row in every database, where ids differ."""

from collections.abc import Iterator
from typing import Any

import peewee

from tformance_seed.models import ApplicationModel, Team, TeamMember
from tformance_seed.upsert.keys import unique_key

#: A member has two partial keys, either of which may be empty; together they name one.
MEMBER_KEY = (TeamMember.github_id, TeamMember.email)


def natural_key(model: type[ApplicationModel]) -> tuple[peewee.Field, ...]:
    """The fields that name a row among its team's: the model's unique key without the team."""
    if model is TeamMember:
        return MEMBER_KEY
    return tuple(field for field in unique_key(model).fields if not is_team(field))


def is_team(field: peewee.Field) -> bool:
    """Whether a field is the reference to the team that owns the row."""
    return isinstance(field, peewee.ForeignKeyField) and field.rel_model is Team
