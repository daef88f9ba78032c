"""The state that the tasks of a job share, and the functions with which they write rows."""

import threading
from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed import ledger
from tformance_seed.bulk import COPY_CHUNK, PORTABLE_CHUNK, Result, upsert
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import fields_by_name, foreign_keys, table_name
from tformance_seed.errors import SeedError
from tformance_seed.llm.language_model import LanguageModel
from tformance_seed.planning.plan import Plan
from tformance_seed.sources.records import Columns, Members
from tformance_seed.storage.models import SeedJob, SeedTeam, TeamMember

#: The result of writing to each table, by the table's name.
Results = dict[str, Result]

#: Held while rows are generated. The interpreter runs only one thread at a time, so threads that generate
#: together would all finish late. With the lock, the first finishes sooner and the server can start writing.
GENERATION_LOCK = threading.Lock()

#: Writes the rows that a task has prepared, inside its transaction.
Write = Callable[[Results], None]


class JobContext:
    """The state that the tasks of one job share in a process: the plan, and cached results of queries."""

    def __init__(
        self, database: peewee.Database, job: SeedJob, planned: Plan, language_model: LanguageModel
    ) -> None:
        self.database = database
        self.job_id = job.id
        self.language_model = language_model
        self.plan = planned
        self.profile = planned.profile
        self.source = planned.source
        self.options = planned.options
        self.input_spec = planned.input_spec()

    @cached_property
    def people(self) -> Members:
        """Everyone who can be an author or a reviewer."""
        return self.source.members()

    @cached_property
    def in_key_order(self) -> npt.NDArray[np.intp]:
        """Indexes of the people in key order, which is also id order if all were inserted at once."""
        return np.argsort(self.people.columns["github_id"], kind="stable")

    @cached_property
    def team(self) -> SeedTeam:
        """The team, once its stage has acquired it.

        Raises:
          SeedError: the team has been deleted since then.
        """
        slug = self.profile.organisation.slug
        team = ledger.own_team(self.database, slug)
        if team is None:
            raise ledger.team_deleted(self.database, slug)
        return team

    @cached_property
    def member_ids(self) -> npt.NDArray[np.int64]:
        """The id of each person, in the order of ``people``.

        Raises:
          SeedError: the team, or one of them, has been deleted since their stage.
        """
        members = TeamMember.select(TeamMember.github_id, TeamMember.id)
        query = members.where(TeamMember.team == self.team.team_id).tuples()
        known = dict(query.iterator(self.database))
        keys = [key.decode() for key in self.people.columns["github_id"].tolist()]
        if not known.keys() >= set(keys):
            slug = self.team.slug
            if ledger.own_team(self.database, slug) is None:  # after it was looked up, perhaps
                raise ledger.team_deleted(self.database, slug)
            raise SeedError(
                f"members of the team {slug} were deleted while it was being seeded; seed it again with: "
                f"tformance-seed seed {slug} --clear"
            )
        return np.array([known[key] for key in keys], dtype=np.int64)

    @cached_property
    def empty_tables(self) -> frozenset[str]:
        """Names of the models of which the team had no rows when the job began, so nothing can conflict."""
        return frozenset(ledger.find_job(self.database, self.job_id).empty_tables)

    def invalidate(self) -> None:
        """Assume from now on that rows may conflict: another program has written some since the job began."""
        for name in ("team", "member_ids"):  # these may come from a transaction that was rolled back
            self.__dict__.pop(name, None)
        self.empty_tables = frozenset()

    @property
    def rows_per_chunk(self) -> int:
        """The number of rows that one statement writes."""
        return self.options.chunk_size or (COPY_CHUNK if is_postgresql(self.database) else PORTABLE_CHUNK)

    def adopted_max_id(self, model: type[peewee.Model]) -> int:
        """Return the greatest id in a table when the team was adopted; 0 if the package created the team."""
        return ledger.max_id_before_adoption(self.team, model)

    def write(
        self,
        model: type[peewee.Model],
        columns: Columns,
        results: Results,
        *,
        replaced: peewee.Expression | None = None,
    ) -> None:
        """Upsert rows of one of the team's tables.

        References to members are indexes into ``people``; they are replaced by ids.

        Parameters:
          replaced: matches rows that are deleted if they are not among these.
        """
        rows = dict(columns)
        for field in foreign_keys(model):
            if field.rel_model is TeamMember and field.name in rows:
                rows[field.name] = ids_of(rows[field.name], self.member_ids)
        count = len(next(iter(rows.values())))
        rows["team"] = np.full(count, self.team.team_id)
        table = table_name(model)
        fresh = model.__name__ in self.empty_tables
        chunk_size = self.options.chunk_size
        sync = None
        if replaced is not None and not fresh:
            sync = replaced & (fields_by_name(model)["id"] > self.adopted_max_id(model))
        result = upsert(
            model,
            rows,
            database=self.database,
            sync=sync,
            chunk_size=chunk_size,
            no_conflicts=fresh,
            fit=True,
        )
        results[table] = results.get(table, Result()) + result


def ids_of(rows: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the ids of the rows with the given indexes; index -1 becomes NULL."""
    none = rows < 0
    if not none.any():
        return ids[rows]
    if not len(ids):
        return np.ma.MaskedArray(np.zeros(len(rows), dtype=np.int64), mask=True)
    return np.ma.MaskedArray(ids[np.where(none, 0, rows)], mask=none)
