"""Natural keys: what names a row in every database, where ids differ."""

import peewee

from tformance_seed.bulk.keys import unique_key
from tformance_seed.storage.models import ApplicationModel, Team, TeamMember

#: A member has two partial keys, of which either may be empty.
MEMBER_KEY = (TeamMember.github_id, TeamMember.email)


def natural_key(model: type[ApplicationModel]) -> tuple[peewee.Field, ...]:
    """The fields that name a row among its team's: the model's unique key without the team."""
    if model is TeamMember:
        return MEMBER_KEY
    return tuple(field for field in unique_key(model).fields if getattr(field, "rel_model", None) is not Team)


def name_of(database: peewee.Database, model: type[ApplicationModel], row_id: int) -> str:
    """A row by its natural key, for a person to read; members by one of their two keys."""
    fields = natural_key(model)
    values = model.select(*fields).where(model.id == row_id).tuples().execute(database)[0]
    words = [
        name_of(database, field.rel_model, value) if isinstance(field, peewee.ForeignKeyField) else str(value)
        for field, value in zip(fields, values, strict=True)
        if value not in (None, "")
    ]
    return " ".join(words[:1] if model is TeamMember else words)
