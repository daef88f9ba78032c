"""Checks the data of a team against the rules."""

from dataclasses import dataclass

import peewee
from peewee import fn

from tformance_seed.storage.models import Team
from tformance_seed.verification.conditions import Condition, Model
from tformance_seed.verification.natural_keys import name_of
from tformance_seed.verification.rules import RULES, Rule


@dataclass(frozen=True)
class Violation:
    """A rule that is broken.

    Parameters:
      name: of the rule.
      table: where it is broken.
      count: how many rows break it; of a recount, how many members have a wrong or missing row.
      example: what names one of them.
      meaning: the rule in words.
    """

    name: str
    table: str
    count: int
    example: str
    meaning: str


def check(database: peewee.Database, team_id: int) -> list[Violation]:
    """The rules that a team's data breaks, in the order of ``RULES``; none if all is well."""
    violations = []
    for name, rule in RULES.items():
        for model, condition in rule.broken.items():
            counted = rule.counted or model
            count, first = _offenders(database, team_id, rule, counted, condition)
            if count:
                example = name_of(database, counted, first)
                violations.append(Violation(name, model._meta.table_name, count, example, rule.meaning))
    return violations


def _offenders(
    database: peewee.Database, team_id: int, rule: Rule, counted: Model, condition: Condition
) -> tuple[int, int]:
    """How many rows meet a condition, and the id of one."""
    query = counted.select(fn.COUNT(counted.id), fn.MIN(counted.id))
    for field in rule.joins:
        query = query.join_from(field.model, field.rel_model, on=field == field.rel_model.id)
    if not isinstance(condition, peewee.Node):
        condition = condition(database, team_id)
    of_team = (counted.id if counted is Team else counted.team) == team_id
    (result,) = query.where(of_team, condition).tuples().execute(database)
    return result
