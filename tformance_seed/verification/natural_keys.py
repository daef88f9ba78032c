"""Natural keys, which identify a row in any database, whereas ids differ between databases."""

import peewee

from tformance_seed.bulk.keys import unique_key
from tformance_seed.bulk.peewee_internals import fields_by_name
from tformance_seed.storage.models import ApplicationModel, Team, TeamMember

#: A member has two partial keys, either of which may be empty.
MEMBER_KEY = (TeamMember.github_id, TeamMember.email)


def natural_key(model: type[ApplicationModel]) -> tuple[peewee.Field, ...]:
    """Return the fields that identify a row within its team: the model's unique key, without the team."""
    if model is TeamMember:
        return MEMBER_KEY
    return tuple(field for field in unique_key(model).fields if getattr(field, "rel_model", None) is not Team)


def team_field(model: type[ApplicationModel]) -> peewee.Field:
    """Return the field that holds the id of a row's team."""
    return fields_by_name(model)["id" if model is Team else "team"]


def describe_row(database: peewee.Database, model: type[ApplicationModel], row_id: int) -> str:
    """Return a row's natural key for a person to read; for a member, one of the two keys."""
    fields = natural_key(model)
    values = model.select(*fields).where(model.id == row_id).tuples().execute(database)[0]
    words = [
        describe_row(database, field.rel_model, value)
        if isinstance(field, peewee.ForeignKeyField)
        else str(value)
        for field, value in zip(fields, values, strict=True)
        if value not in (None, "")
    ]
    return " ".join(words[:1] if model is TeamMember else words)
