"""What a run gives to the teams that it makes beside their content, so that people can open them."""

import re
from dataclasses import dataclass, field

from tformance_seed.errors import InputError
from tformance_seed.settings import DEFAULT_LOGIN, DEFAULT_PASSWORD

#: An address: something, an @, and a host. Its greatest length is that of a user's name in the application.
ADDRESS = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+")
MAX_ADDRESS = 150

#: The greatest length of a password that the application's form takes.
MAX_PASSWORD = 4096

#: The integrations that teams may get.
INTEGRATIONS = ("jira",)


@dataclass(frozen=True)
class Access:
    """What the user wants; the password never leaves this process.

    Parameters:
      login: address of the user who becomes an admin of each team; None: nobody does.
      integrations: of ``INTEGRATIONS``; the application calls out with the credentials of these.
      complete_onboarding: end the onboarding of every team, adopted ones too.
    """

    login: str | None = DEFAULT_LOGIN
    password: str = field(default=DEFAULT_PASSWORD, repr=False)
    integrations: tuple[str, ...] = ()
    complete_onboarding: bool = False

    @property
    def is_own_login(self) -> bool:
        """Whether the user chose an address, and must hear if it cannot be given access."""
        return self.login not in (None, DEFAULT_LOGIN)

    def check(self) -> None:
        """Raise InputError if a value is impossible; the message contains no password."""
        if self.login is not None and not (ADDRESS.fullmatch(self.login) and len(self.login) <= MAX_ADDRESS):
            raise InputError(
                f"--login {self.login}: expected an email address of at most {MAX_ADDRESS} characters"
            )
        if not 0 < len(self.password) <= MAX_PASSWORD or "\x00" in self.password:
            raise InputError(f"--password: expected 1 to {MAX_PASSWORD} characters")
        for name in self.integrations:
            if name not in INTEGRATIONS:
                raise InputError(f"--integrations {name}: expected {' or '.join(INTEGRATIONS)}")


@dataclass(frozen=True)
class Grant:
    """What the tasks of a run write for each team, known to be possible in this database.

    Parameters:
      user_id: the user who becomes an admin; None: nobody does.
      flag_ids: the feature flags that are set.
    """

    user_id: int | None = None
    flag_ids: tuple[int, ...] = ()
    integrations: tuple[str, ...] = ()
    complete_onboarding: bool = False
