"""What the tasks of one job share, and what a task hands on."""

import threading
from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt
import peewee

from tformance_seed import ledger
from tformance_seed.bulk import COPY_CHUNK, PORTABLE_CHUNK, Result, upsert
from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.planning.plan import Plan
from tformance_seed.sources.records import Columns, Members
from tformance_seed.storage.models import SeedJob, SeedTeam, TeamMember

#: By table, what was done.
Results = dict[str, Result]

#: Held while rows are made. The interpreter runs one thread at a time; where they take turns, the first is
#: done sooner, and the server gets to work.
MAKING = threading.Lock()

#: Writes what a task has made ready, inside of its transaction.
Write = Callable[[Results], None]


class JobContext:
    """What the tasks of one job share in a process: the plan, and what is looked up in the database once."""

    def __init__(self, database: peewee.Database, job: SeedJob, planned: Plan) -> None:
        self.database = database
        self.job_id = job.id
        self.summaries_apart = job.plan["summaries_apart"]
        self.profile = planned.profile
        self.source = planned.source
        self.options = planned.options
        self.recipe = planned.input_spec()

    @cached_property
    def people(self) -> Members:
        """Everybody who can be an author or a reviewer."""
        return self.source.members()

    @cached_property
    def in_key_order(self) -> npt.NDArray[np.intp]:
        """Rows of the people in the order of their key, in which their ids grow where all came at once."""
        return np.argsort(self.people.columns["github_id"], kind="stable")

    @cached_property
    def team(self) -> SeedTeam:
        """The team, from when its stage has taken it."""
        return ledger.own_team(self.profile.organisation.slug)

    @cached_property
    def member_ids(self) -> npt.NDArray[np.int64]:
        """The id of each of the people."""
        members = TeamMember.select(TeamMember.github_id, TeamMember.id)
        known = dict(members.where(TeamMember.team == self.team.team_id).tuples().iterator())
        ids = [known[key.decode()] for key in self.people.columns["github_id"].tolist()]
        return np.array(ids, dtype=np.int64)

    @cached_property
    def fresh(self) -> frozenset[str]:
        """Models of which the team had no row when the job began, so that nothing can conflict."""
        return frozenset(SeedJob.get_by_id(self.job_id).fresh)

    def doubt(self) -> None:
        """Take it that rows may conflict after all: somebody else wrote some since the job began."""
        for name in ("team", "member_ids"):  # they may be of a transaction that was rolled back
            self.__dict__.pop(name, None)
        self.fresh = frozenset()

    @property
    def rows_per_chunk(self) -> int:
        """Rows that one statement takes."""
        return self.options.chunk_size or (COPY_CHUNK if is_postgresql(self.database) else PORTABLE_CHUNK)

    def above(self, model: type[peewee.Model]) -> int:
        """The greatest id of a table's rows that were there before the team was the package's."""
        return ledger.watermark(self.team, model)

    def write(self, model: type[peewee.Model], columns: Columns, results: Results) -> None:
        """Upsert rows of a table of the team's; references are rows of the members and become ids."""
        rows = dict(columns)
        for name in rows.keys() & model._meta.fields.keys():
            parent = getattr(model._meta.fields[name], "rel_model", None)
            if parent is TeamMember:
                rows[name] = ids_of(rows[name], self.member_ids)
        count = len(next(iter(rows.values())))
        rows["team"] = np.full(count, self.team.team_id)
        table = model._meta.table_name
        result = upsert(model, rows, chunk_size=self.options.chunk_size, fresh=model.__name__ in self.fresh)
        results[table] = results.get(table, Result()) + result


def ids_of(rows: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Ids of referenced rows; -1 becomes NULL."""
    none = rows < 0
    if not none.any():
        return ids[rows]
    if not len(ids):
        return np.ma.MaskedArray(np.zeros(len(rows), dtype=np.int64), mask=True)
    return np.ma.MaskedArray(ids[np.where(none, 0, rows)], mask=none)
