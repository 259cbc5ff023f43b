"""Settings from the environment, read once at the start of a process and never again."""

import difflib
from collections.abc import Mapping
from email.errors import MessageError
from email.headerregistry import Address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec
import platformdirs


class SettingsError(Exception):
    """A setting is wrong; the message names it, its value and what would be right."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is set by ``THAW_`` and its name in capitals; docs/operations.md describes them."""

    database_url: str | None = None
    """An external PostgreSQL; absent, Thaw starts its own."""
    redis_url: str | None = None
    """An external Redis or Valkey; absent, Thaw starts its own."""
    home: str = ""
    """Where the embedded servers keep their data; default: a folder in the user's data directory."""
    namespace: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,60}$")] = "thaw"
    """What stands before every key on Redis; two services on one Redis need two."""
    log: Literal["auto", "json", "console"] = "auto"
    """Log lines: JSON, or readable; auto is readable on a terminal and JSON elsewhere."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    worker_processes: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    worker_threads: Annotated[int, msgspec.Meta(ge=1, le=256)] = 64
    """Messages that one process works on at the same time, and so the most that share one transaction."""
    clock_poll_ms: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 200
    """How often the clock process looks for due messages when there were none, in milliseconds."""
    clock_file: str = ""
    """A file that holds the time, for demonstrations and tests; default: ``clock`` in the home folder where there is one, and
    else the wall clock."""
    key_file: str = ""
    """The private key that signs checkpoints; default: ``keys/signing.key`` in the home folder."""
    suppression_key_file: str = ""
    """The secret with which the suppression list is keyed; default: ``keys/suppression.key`` in the home folder."""
    erasure_ledger: str = ""
    """The file in which every erasure stands, outside the database; default: ``erasures.ledger`` in the home folder."""
    checkpoint_file: str = ""
    """A file to which each checkpoint is appended; empty: none."""
    checkpoint_webhook: str = ""
    """An address to which each checkpoint is posted, ``https://…``; empty: none."""
    checkpoint_mail: str = ""
    """A mail address to which checkpoints are sent; empty: none."""
    checkpoint_mail_minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)] = 1440
    """No more than one checkpoint in so many minutes is mailed: each commits to all before it."""
    smtp_url: str = ""
    """The server that takes our mail, ``smtp[s]://[user:password@]host[:port]``; empty: none."""
    mail_from: str = ""
    """The address that mail of the service itself comes from."""
    mail_domain: str = ""
    """Where reps without an address of their own write from: ``dan@`` this domain."""
    postal_address: str = ""
    """Ours, as it stands under each mail, in one line."""
    imap_url: str = ""
    """The mailbox in which answers arrive: ``imaps://user:password@host/INBOX``; empty: none is read."""
    public_url: str = ""
    """Under which address the world reaches ``thaw unsubscribe-server``, ``https://…``; empty: people unsubscribe by mail."""
    unsubscribe_listen: str = "127.0.0.1:8484"
    """Where ``thaw unsubscribe-server`` listens, behind the proxy that has the certificate."""

    @property
    def home_path(self) -> Path:
        """`home`, or its default.

        Raises
        ------
        SettingsError
            When it begins with the home folder of a user who is not known.
        """
        try:
            return Path(self.home).expanduser() if self.home else platformdirs.user_data_path("thaw")
        except RuntimeError as error:
            raise SettingsError(f"{variable('home')}={self.home!r}: {error}") from error

    def shown(self) -> dict[str, str]:
        """Return the effective values by variable name, with passwords masked."""
        values = {name: getattr(self, name) for name in self.__struct_fields__} | {"home": str(self.home_path)}
        return {variable(name): masked(str(value)) if value is not None else "" for name, value in values.items()}


def variable(field: str) -> str:
    """Return the environment variable of a setting."""
    return f"THAW_{field.upper()}"


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables from which another process reads the same *settings*."""
    values = {name: getattr(settings, name) for name in settings.__struct_fields__}
    return {variable(name): str(value) for name, value in values.items() if value not in (None, "")}


def masked(url: str) -> str:
    """Return *url* with its password, if it has one, replaced by stars."""
    parts = urlsplit(url) if "://" in url else None
    if parts is None or parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{host}"))


_SCHEMES = {
    "database_url": ("postgresql", "postgres"),
    "redis_url": ("redis", "rediss", "unix"),
    "checkpoint_webhook": ("https", "http"),
    "smtp_url": ("smtps", "smtp"),
    "imap_url": ("imaps", "imap"),
    "public_url": ("https",),
}

#: A home in which this file lies lives by it.
CLOCK = "clock"

#: Set by the test suite's own tooling; not settings of the service.
_NOT_SETTINGS = ("THAW_TEST_",)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings in *environ*.

    Raises
    ------
    SettingsError
        For a variable that starts with ``THAW_`` and is no setting, and for a value that does not fit.
    """
    fields = {variable(name): name for name in Settings.__struct_fields__}
    given: dict[str, str] = {}
    for name, value in environ.items():
        if not name.startswith("THAW_") or name.startswith(_NOT_SETTINGS):
            continue
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            raise SettingsError(f"{name} is no setting of Thaw" + (f"; did you mean {near[0]}?" if near else "."))
        if value:
            given[fields[name]] = value
    settings = _converted(given)
    if not settings.clock_file and (clock := settings.home_path / CLOCK).exists():
        # Who opens such a home by another clock would take in what is due in years, or hand in what never comes due.
        settings = msgspec.structs.replace(settings, clock_file=str(clock))
    for name, schemes in _SCHEMES.items():
        url = getattr(settings, name)
        try:
            parts = urlsplit(url or "")
            fits = not url or parts.scheme in schemes
            _ = parts.port  # raises for what is no port
        except ValueError as error:
            raise SettingsError(f"{variable(name)} is no address: {error}") from error
        if not fits:
            raise SettingsError(f"{variable(name)} must start with {schemes[0]}://, got {masked(url)!r}")
    _check_mail(settings)
    return settings


def _check_mail(settings: Settings) -> None:
    for name in ("checkpoint_mail", "mail_from"):
        typed = getattr(settings, name)
        if typed and not _is_address(typed):
            raise SettingsError(f"{variable(name)}={typed!r} is no mail address; write it like audit@example.com")
    if settings.checkpoint_mail and not (settings.smtp_url and settings.mail_from):
        raise SettingsError("THAW_CHECKPOINT_MAIL needs THAW_SMTP_URL and THAW_MAIL_FROM as well")
    smtp = urlsplit(settings.smtp_url)
    if settings.smtp_url and not smtp.hostname:
        raise SettingsError(f"THAW_SMTP_URL={masked(settings.smtp_url)} names no host; write smtp://mail.example.com")
    if not unquote(f"{smtp.username}{smtp.password}").isascii():
        raise SettingsError("THAW_SMTP_URL has a user or password with letters beyond ASCII, which cannot be sent")


def _is_address(typed: str) -> bool:
    try:
        return Address(addr_spec=typed).addr_spec == typed
    except (ValueError, IndexError, MessageError):
        return False


def _converted(given: dict[str, str]) -> Settings:
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].strip("`") if "$." in str(error) else ""
        where = f"{variable(field)}={given[field]!r}: " if field in given else ""
        raise SettingsError(f"{where}{error}") from error
