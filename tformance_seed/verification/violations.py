"""Check a team's data against the rules."""

from collections.abc import Iterator
from dataclasses import dataclass

import peewee
from peewee import fn

from tformance_seed.bulk.peewee_internals import table_name
from tformance_seed.storage.transactions import whole_team_queries
from tformance_seed.verification.conditions import Condition, Model
from tformance_seed.verification.natural_keys import describe_row, team_field
from tformance_seed.verification.rules import RULES, Rule


@dataclass(frozen=True)
class Violation:
    """A rule that a team's data breaks.

    Attributes:
      name: Name of the rule.
      table: Table in which it is broken.
      count: Number of rows that break it; for recomputed tables, number of members with a wrong, missing or
        surplus row.
      example: Natural key of one of these rows or members.
      meaning: The rule as a sentence.
    """

    name: str
    table: str
    count: int
    example: str
    meaning: str


def check(database: peewee.Database, team_id: int) -> list[Violation]:
    """Return the violations of rules in a team's data, in the order of ``RULES``."""
    with whole_team_queries(database):
        return list(_violations(database, team_id))


def _violations(database: peewee.Database, team_id: int) -> Iterator[Violation]:
    for name, rule in RULES.items():
        for model, condition in rule.broken.items():
            counted = rule.counted or model
            count, first = _offenders(database, team_id, rule, counted, condition)
            if count:
                example = describe_row(database, counted, first)
                yield Violation(name, table_name(model), count, example, rule.meaning)
        for model, check_rows in rule.row_checks.items():
            if wrong := check_rows(database, team_id):
                example = describe_row(database, model, min(wrong))
                yield Violation(name, table_name(model), len(wrong), example, rule.meaning)


def _offenders(
    database: peewee.Database, team_id: int, rule: Rule, counted: Model, condition: Condition
) -> tuple[int, int]:
    """Return the number of rows that meet a condition, and the lowest of their ids."""
    query = counted.select(fn.COUNT(counted.id), fn.MIN(counted.id))
    for field in rule.joins:
        query = query.join_from(field.model, field.rel_model, on=field == field.rel_model.id)
    where = condition if isinstance(condition, peewee.ColumnBase) else condition(database, team_id)
    ((count, first),) = query.where(team_field(counted) == team_id, where).tuples().execute(database)
    return count, first
