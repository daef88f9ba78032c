"""The application's tables as Django models, derived from the Peewee ones."""

import functools
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
import peewee
from django.conf import settings
from django.db import connection, models

from tformance_seed.storage.models import APPLICATION, fields

#: Peewee's column type -> Django's field, with its options.
KINDS: dict[str, Any] = {
    "BIGIDENTITY": lambda _: models.BigAutoField(primary_key=True),
    "TIMESTAMPTZ": lambda field: models.DateTimeField(null=field.null),
    "VARCHAR": lambda field: models.CharField(max_length=field.max_length, null=field.null),
    "TEXT": lambda field: models.TextField(null=field.null),
    "INT": lambda field: models.IntegerField(null=field.null),
    "BIGINT": lambda field: models.BigIntegerField(null=field.null),
    "BOOL": lambda field: models.BooleanField(null=field.null),
    "DATE": lambda field: models.DateField(null=field.null),
    "DECIMAL": lambda field: models.DecimalField(
        max_digits=field.max_digits, decimal_places=field.decimal_places, null=field.null
    ),
    "JSONB": lambda field: models.JSONField(null=field.null),
}


def define_models(url: str) -> dict[str, type[models.Model]]:
    """Return models by the names of the Peewee ones, connected to a database."""
    parts = urlsplit(url)
    if not settings.configured:
        database = {"ENGINE": "django.db.backends.postgresql", "NAME": "", "USER": parts.username}
        settings.configure(INSTALLED_APPS=[], USE_TZ=True, DATABASES={"default": database})
        django.setup()
    connection.close()
    connection.settings_dict |= {"NAME": parts.path[1:], "HOST": parse_qs(parts.query)["host"][0]}
    return _models()


@functools.cache
def _models() -> dict[str, type[models.Model]]:
    defined: dict[str, type[models.Model]] = {}
    for model in APPLICATION:
        columns = {field.name: _field(field, defined) for field in model._meta.sorted_fields}
        meta = type("Meta", (), {"app_label": "bench", "db_table": model._meta.table_name, "managed": False})
        defined[model.__name__] = type(
            model.__name__, (models.Model,), {"__module__": __name__, "Meta": meta, **columns}
        )
    return defined


def _field(field: peewee.Field, defined: dict[str, type[models.Model]]) -> models.Field:
    if isinstance(field, peewee.ForeignKeyField):
        return models.ForeignKey(
            defined[field.rel_model.__name__],
            on_delete=models.DO_NOTHING,
            null=field.null,
            related_name="+",
            db_column=field.column_name,
        )
    if isinstance(field, fields.TimestampField):
        return KINDS["TIMESTAMPTZ"](field)
    return KINDS[field.field_type](field)
