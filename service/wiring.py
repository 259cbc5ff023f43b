"""All construction in one place: from settings to what the command line, the workers and the clock work with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from actors import runtime
from actors.bell import Bell
from actors.deliverer import CONVERSATIONS
from migrations.runner import check_schema
from models.database import DatabaseUnavailableError, Engine, make_engine, transaction
from service.clocks import Now, clock_for
from service.embedded import discover
from service.mailing.conversation import Smtp
from service.restored import refuse_if_pending
from service.settings import Settings, SettingsError


@dataclass(frozen=True)
class Service:
    """A process's hold on the service."""

    settings: Settings
    engine: Engine
    bell: Bell
    runtime: runtime.Runtime
    clock: Now

    def now(self) -> datetime:
        """Return the service's time."""
        return self.clock()


def resolve_urls(settings: Settings) -> tuple[str, str]:
    """Return the URLs of PostgreSQL, for the service's login, and of Redis: those of the settings, else of the embedded pair.

    Raises
    ------
    SettingsError
        When one of them is not there; the message says what to do.
    """
    database_url, redis_url = _found_urls(settings)
    if not redis_url:
        raise _not_running(settings)
    return database_url, redis_url


def _found_urls(settings: Settings) -> tuple[str, str | None]:
    if settings.database_url and settings.redis_url:
        return settings.database_url, settings.redis_url
    servers = discover(settings.home_path)
    database_url = settings.database_url or (servers.service_url if servers else None)
    if not database_url:
        raise _not_running(settings)
    return database_url, settings.redis_url or (servers.redis_url if servers else None)


def _not_running(settings: Settings) -> SettingsError:
    return SettingsError(
        f"Thaw is not running in {settings.home_path}: start it with `thaw up`, "
        f"or name your servers in THAW_DATABASE_URL and THAW_REDIS_URL"
    )


def _while_starting(settings: Settings, error: DatabaseUnavailableError) -> DatabaseUnavailableError:
    """Return *error*, in other words where our own PostgreSQL runs and the service's login is yet to be made in it."""
    if settings.database_url or "authentication failed" not in str(error):
        return error
    return DatabaseUnavailableError(
        f"Thaw is still starting in {settings.home_path}: its PostgreSQL runs, and does not know the service's login yet. Try "
        "again in a moment; if it stays so, `thaw up` says why in its own terminal"
    )


def owner_url(settings: Settings) -> str:
    """Return the URL of PostgreSQL for whoever migrates it: that of the settings, else of the embedded one's owner.

    Raises
    ------
    SettingsError
        When there is none; the message says what to do.
    """
    servers = None if settings.database_url else discover(settings.home_path)
    url = settings.database_url or (servers.database_url if servers else None)
    if not url:
        raise _not_running(settings)
    return url


def embedded_login(settings: Settings) -> tuple[str, str] | None:
    """Return name and password of the login that the service runs as on an embedded PostgreSQL; None for one of your own."""
    servers = None if settings.database_url else discover(settings.home_path)
    url = urlsplit(servers.service_url) if servers and servers.service_url else None
    return (url.username or "", url.password or "") if url else None


def connect(
    settings: Settings,
    *,
    name: str = "thaw",
    schema_checked: bool = True,
    erasures_checked: bool = True,
    redis_needed: bool = True,
) -> Service:
    """Connect to the service's servers. Nothing is opened on Redis before it is needed.

    Without *redis_needed* PostgreSQL alone will do, as for an auditor; then the bell says that nobody named a Redis.

    Raises
    ------
    SettingsError
        When there are no servers to connect to.
    ClockError
        When the setting's clock does not tell the time.
    DatabaseUnavailableError
        When PostgreSQL cannot be reached.
    SchemaError
        When the database needs ``thaw migrate``, unless *schema_checked* is false.
    ErasuresPendingError
        When people are back who were erased, unless *erasures_checked* or *schema_checked* is false.
    """
    database_url, redis_url = resolve_urls(settings) if redis_needed else _found_urls(settings)
    engine = make_engine(database_url, max_overflow=5 + 2 * CONVERSATIONS, application_name=name)
    clock = clock_for(settings.clock_file)
    clock()
    if schema_checked:
        try:
            with transaction(engine) as connection:
                check_schema(connection)
            if erasures_checked:
                refuse_if_pending(settings, engine)
        except DatabaseUnavailableError as error:
            engine.dispose()
            raise _while_starting(settings, error) from error
        except Exception:
            engine.dispose()
            raise
    configured = runtime.configure(
        engine,
        clock,
        redis_url=redis_url,
        namespace=settings.namespace,
        post=Smtp(settings.smtp_url) if settings.smtp_url else None,
        postal_address=settings.postal_address,
    )
    return Service(settings, engine, configured.bell, configured, clock)


def worker_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which the ``dramatiq`` command line runs our workers well.

    Its own names are lower case. The default prefetch keeps workers waiting for messages that are there; the timeout is how
    long an idle worker sleeps before it looks again (docs/operations.md).
    """
    ours = {"dramatiq_queue_prefetch": "256", "dramatiq_worker_timeout": "100", "dramatiq_restart_delay": "500"}
    return ours | dict(os.environ if environ is None else environ)
