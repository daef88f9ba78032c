"""Decide who can open the teams of a run in the application, and make the demo user and the flags for it."""

import base64
import datetime
import hashlib
import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import peewee

from tformance_seed import ledger, settings
from tformance_seed.errors import InputError
from tformance_seed.planning.access import Access, Grant
from tformance_seed.planning.plan import Plan
from tformance_seed.storage.models import (
    Flag,
    FlagTeam,
    IntegrationCredential,
    JiraIntegration,
    Membership,
    Team,
    User,
)
from tformance_seed.storage.schema.access import access_problem, tables_exist
from tformance_seed.storage.transactions import transaction

#: Feature flags that are off but for superusers, and that are off, as the application's migrations make them.
#: A flag that is missing is made so: none of the migrations makes `cicd_enabled`.
FOR_SUPERUSERS: dict[str, bool | None] = {"everyone": False, "superusers": True}
OFF: dict[str, bool | None] = {"everyone": None, "superusers": False}

#: Feature flags without which the application hides cards that have data.
CARD_FLAGS = {
    "copilot_enabled": FOR_SUPERUSERS,
    "copilot_seat_utilization": FOR_SUPERUSERS,
    "copilot_language_insights": FOR_SUPERUSERS,
    "copilot_delivery_impact": FOR_SUPERUSERS,
    "integration_copilot_enabled": OFF,
    "cicd_enabled": OFF,
}

#: Integration -> the flag without which the application says that it is coming soon.
INTEGRATION_FLAGS = {"jira": {"integration_jira_enabled": OFF}}

#: The date of what is made, so that the same input gives the same rows.
MADE_AT = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)

#: Rounds of the hash: the application's own number, so that it does not hash again at the first login.
ITERATIONS = 1_000_000

#: Characters of a salt, with which the application thinks it long enough.
SALT_LENGTH = 22


#: The form of a hash.
ENCODED = re.compile(r"pbkdf2_sha256\$(?P<iterations>[1-9][0-9]{0,7})\$(?P<salt>[^$]+)\$[A-Za-z0-9+/=]+")


@dataclass(frozen=True)
class Login:
    """How to open the teams of a run.

    Attributes:
      address: where to log in.
      email: the user's address.
      password: the password; None if it is not the default one, or not known.
      created: whether the run made the user.
      is_known: whether the user has the password that the run was given.
    """

    address: str
    email: str
    password: str | None
    created: bool
    is_known: bool


@dataclass
class Granted:
    """What the teams of a run get, how to log in, and what the user should know about it."""

    grant: Grant = field(default_factory=Grant)
    login: Login | None = None
    notes: list[str] = field(default_factory=list)


def grant(database: peewee.Database, access: Access, planned: Sequence[Plan]) -> Granted:
    """Make the demo user and flags, where the application's tables for them exist.

    Raises:
      InputError: what the user asked for by name cannot be written; nothing was written.
    """
    adopted, adopts_all = _adopted(database, planned)
    granted = Granted(notes=_onboarding_notes(adopted, access))
    problems: dict[str, str] = {}

    def is_usable(what: str, *models: type[peewee.Model], asked: bool = False) -> bool:
        """Return whether rows can be written; if not, note why, unless the tables do not exist."""
        exist = tables_exist(database, models)
        problem = access_problem(database, models) if exist else "this database has no tables for it"
        if problem and asked:
            raise InputError(f"{what}: {problem}; nothing was written")
        if problem and exist:
            problems[what] = problem
        return problem is None

    asked = {"asked": access.is_own_login}
    with_login = access.login is not None and is_usable(f"login {access.login}", User, Membership, **asked)
    with_flags = is_usable("feature flags", Flag, FlagTeam)
    for name in access.integrations:
        is_usable(f"integration {name}", IntegrationCredential, JiraIntegration, asked=True)
    if problems:
        reasons = "; ".join(f"{what}: {problem}" for what, problem in problems.items())
        granted.notes.append(f"not written, so that some pages may be closed: {reasons}")
    with transaction(database):
        user_id = None
        if with_login and not adopts_all:
            user_id, granted.login = _ensure_user(database, access)
        flag_ids = _ensure_flags(database, access) if with_flags and not adopts_all else ()
    granted.grant = Grant(user_id, flag_ids, access.integrations, access.complete_onboarding)
    return granted


def _adopted(database: peewee.Database, planned: Sequence[Plan]) -> tuple[list[Team], bool]:
    """Return the teams of a run that the package did not create, and whether all of its teams are such."""
    own = ledger.own_teams(database)
    made = {team.slug for team in own if team.created_here}
    adopted = [team.team_id for team in own if team.slug in {item.slug for item in planned} - made]
    slugs = {item.team_slug for item in planned if item.slug not in made}
    others = Team.select().where(Team.slug.in_(sorted(slugs)) | Team.id.in_(adopted)).order_by(Team.slug)
    teams = list(others.execute(database))
    return teams, len(teams) >= len(planned)


def _onboarding_notes(adopted: Collection[Team], access: Access) -> list[str]:
    return [
        f"the team {team.slug} is still in onboarding, so that people see its setup first; "
        "--complete-onboarding completes it"
        for team in adopted
        if not team.onboarding_complete and not access.complete_onboarding
    ]


def _ensure_user(database: peewee.Database, access: Access) -> tuple[int, Login]:
    """Return the id of the user with an address, who is made if there is none, and how to log in."""
    email = access.login or ""
    same = (peewee.fn.LOWER(User.email) == email.lower()) | (User.username == email)
    user = User.select().where(same).order_by(User.id).first(database)
    if user is None:
        row = {"email": email, "password": hash_password(access.password, email), "date_joined": MADE_AT}
        user_id, created = ledger.insert_once(database, User, {"username": email}, row)
        is_known = created
    else:
        user_id, email, created = user.id, user.email, False
        is_known = ledger.is_own(database, User, user_id) and has_password(user.password, access.password)
    shown = access.password if is_known and access.password == settings.DEFAULT_PASSWORD else None
    return user_id, Login(settings.login_address(), email, shown, created, is_known)


def _ensure_flags(database: peewee.Database, access: Access) -> tuple[int, ...]:
    """Return the ids of the flags to set for each team; those that are missing are made."""
    wanted = dict(CARD_FLAGS)
    for name in access.integrations:
        wanted |= INTEGRATION_FLAGS[name]
    stamps = {"created": MADE_AT, "modified": MADE_AT}
    numbers = [
        ledger.insert_once(database, Flag, {"name": name}, {**values, **stamps})[0]
        for name, values in wanted.items()
    ]
    return tuple(sorted(numbers))


def hash_password(password: str, email: str, iterations: int = ITERATIONS) -> str:
    """Return a password's hash as Django stores it.

    The salt follows from the address, which is public: the same user has the same row in every database. It
    must not follow from the password, or guesses could be checked by the salt without the costly hash.
    """
    salt = hashlib.blake2b(email.lower().encode(), person=b"tformance_seed").hexdigest()[:SALT_LENGTH]
    return encode_password(password, salt, iterations)


def encode_password(password: str, salt: str, iterations: int) -> str:
    """Return ``pbkdf2_sha256$<iterations>$<salt>$<hash>``, with PBKDF2 by HMAC-SHA256."""
    derived = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), iterations)
    return f"pbkdf2_sha256${iterations}${salt}${base64.b64encode(derived).decode()}"


def has_password(encoded: str, password: str) -> bool:
    """Return whether a hash that Django stores is that of a password; False for other kinds of hashes."""
    parts = ENCODED.fullmatch(encoded)
    return parts is not None and hmac.compare_digest(
        encode_password(password, parts["salt"], int(parts["iterations"])), encoded
    )
