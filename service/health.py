"""The health of the service, part by part, whatever else is away."""

from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from actors.bell import BellUnavailableError
from actors.broker import broker
from actors.heartbeats import workers_alive
from migrations.runner import SchemaError, check_schema, current_revision
from models import checkpoints, deliveries, events, leads, messages, views
from models.database import Connection, ModelError, ping, transaction
from service.calendars import ending
from service.destinations import destinations
from service.pauses import PauseShown, read_pauses
from service.settings import Settings
from service.times import shown_age
from service.wiring import Service
from service.wording import count, plain

#: So many reps whose calendars end soon, or who are planned ahead, are named in the hints.
CALENDARS_NAMED = 5

#: A clock with a key signs what is new each minute: after so long something is in the way.
UNSIGNED_SECONDS = 600

#: Under this name a clock process is connected to PostgreSQL.
CLOCK = "thaw clock"


class Messages(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of messages that are not settled, and of the dead."""

    waiting: int
    """Not due yet."""
    due: int
    """Due, and not on Redis yet."""
    rung: int
    """On Redis, or taken by a worker."""
    failing: int
    """Failed at least once, and tried again."""
    overdue: int
    """Rung, and not settled in the time that they had: the clock rings them again."""
    dead: int
    paused: int
    """Due, and waiting until their actor is resumed."""
    oldest_seconds: int
    """How long the longest due one has been due, by the service's clock; 0 when none is. Paused ones do not count."""


class Unsent(msgspec.Struct, frozen=True, kw_only=True):
    """A place where checkpoints do not arrive."""

    destination: str
    since: datetime
    times: int
    """That it was tried."""
    error: str


class Checkpoints(msgspec.Struct, frozen=True, kw_only=True):
    """The newest checkpoint, and where it has not arrived."""

    newest: int
    """How many events it commits to."""
    behind: int
    """Events that came since."""
    age_seconds: int
    """Less than 0 where PostgreSQL's clock was put back since."""
    unsent: tuple[Unsent, ...]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What ops look at first. Numbers are 0 where what they would be counted on is away."""

    postgresql: str
    """The server's version; empty when it is away."""
    postgresql_trouble: str
    schema: str | None
    schema_trouble: str
    redis_trouble: str
    ready: int
    """Rings that wait on Redis."""
    in_flight: int
    """Rings that a worker fetched and has not acknowledged."""
    workers: int
    worker_seconds: int
    """A worker that was not heard of for so long is no longer counted."""
    clocks: int
    messages: Messages | None
    pauses: tuple[PauseShown, ...]
    checkpoints: Checkpoints | None
    leads: dict[str, int]
    """By state."""
    mail: str
    """Whether mail goes out, how people unsubscribe, and where answers are read."""
    mail_waiting: int
    mail_unconfirmed: int
    """Leads of whose last mail nobody knows whether it went out."""
    calendars: tuple[str, ...]
    """A sentence for each rep whose frozen calendar ends soon."""
    planned_ahead: dict[str, date]
    """By rep the last day that a clock which ran ahead has planned: none until then is planned any more."""
    hints: tuple[str, ...]
    """What to do, where something is to be done."""

    @property
    def reachable(self) -> bool:
        """Whether both servers are there, with the schema of this release."""
        return bool(self.postgresql) and not self.redis_trouble and not self.schema_trouble


def read_status(service: Service) -> Status:
    """Return the health of *service*."""
    found: dict[str, object] = {
        "postgresql": "", "postgresql_trouble": "", "schema": None, "schema_trouble": "", "redis_trouble": "", "ready": 0,
        "in_flight": 0, "workers": 0, "worker_seconds": broker.heartbeat_timeout // 1000, "clocks": 0, "messages": None,
        "pauses": (), "checkpoints": None, "leads": {}, "calendars": (), "planned_ahead": {},
        "mail_waiting": 0, "mail_unconfirmed": 0,
        "mail": mail_in_words(service.settings),
    }  # fmt: skip
    try:
        with transaction(service.engine) as connection:
            found |= _database(connection, service)
    except ModelError as error:
        found |= {"postgresql": "", "postgresql_trouble": str(error)}
    try:
        ready = service.bell.depth()
        found |= {"ready": ready, "in_flight": max(0, service.bell.in_flight() - ready), "workers": workers_alive()}
    except BellUnavailableError as error:
        found["redis_trouble"] = str(error)
    status = msgspec.convert(found | {"hints": ()}, Status)
    return msgspec.structs.replace(status, hints=tuple(_hints(status)))


def mail_in_words(settings: Settings) -> str:
    """Say in a line what the settings make of mail."""
    if not settings.smtp_url:
        return "none goes out: THAW_SMTP_URL is not set in this terminal, and people send by hand"
    if not settings.postal_address:
        return "none goes out: THAW_POSTAL_ADDRESS is not set in this terminal, and no mail goes out without it"
    out = f"goes out by {urlsplit(settings.smtp_url).hostname}"
    way = f"one click at {settings.public_url}" if settings.public_url else "unsubscribed by mail"
    answers = (
        f"answers read at {urlsplit(settings.imap_url).hostname}" if settings.imap_url else "answers come by `thaw inbound`"
    )
    return f"{out}; {way}; {answers}"


def _database(connection: Connection, service: Service) -> dict[str, object]:
    found: dict[str, object] = {"postgresql": ping(connection), "schema": current_revision(connection)}
    try:
        check_schema(connection)
    except SchemaError as error:
        return found | {"schema_trouble": str(error)}
    now = service.now()
    health = messages.health(connection, now=now)
    counted = Messages(
        waiting=health.waiting,
        due=health.due,
        rung=health.rung,
        failing=health.failing,
        overdue=views.count_overdue(connection),
        dead=health.dead,
        paused=health.paused,
        oldest_seconds=views.oldest_due_seconds(connection, now),
    )
    return found | {
        "clocks": views.count_sessions(connection, CLOCK),
        "messages": counted,
        "pauses": read_pauses(connection),
        "checkpoints": _checkpoints(connection, {each.name for each in destinations(service.settings)}),
        "leads": leads.count_by_state(connection),
        "mail_waiting": deliveries.waiting(connection),
        "mail_unconfirmed": len(deliveries.unconfirmed(connection)),
        "calendars": tuple(
            filter(None, (ending(rep, last, now.date()) for rep, last in views.calendar_ends(connection).items()))
        ),
        # Where some of them live it is the next day already.
        "planned_ahead": views.planned_ahead(connection, now.date() + timedelta(days=1)),
    }


def _checkpoints(connection: Connection, known: set[str]) -> Checkpoints | None:
    """Return what is known of checkpoints; of failures those at places that our settings name, where they name any."""
    newest = checkpoints.newest(connection)
    if newest is None:
        return None
    return Checkpoints(
        newest=newest.size,
        behind=events.head_position(connection) - newest.size,
        age_seconds=int(checkpoints.seconds_since(connection, newest.made_at)),
        unsent=tuple(
            Unsent(destination=each.destination, since=each.since, times=each.times, error=each.error)
            for each in checkpoints.failures(connection)
            if not known or each.destination in known
        ),
    )


def _hints(status: Status) -> list[str]:
    counted = status.messages
    if counted is None:
        return []
    hints = []
    if not status.redis_trouble and not status.workers:
        hints.append("no worker was seen: nothing is applied until `thaw worker` runs")
    if not status.clocks:
        hints.append("no clock is connected: timers do not fire until `thaw clock` runs")
    if status.redis_trouble:
        hints.append("nothing is lost while Redis is away: what is accepted now is applied when it is back")
    if status.checkpoints and status.checkpoints.behind and status.checkpoints.age_seconds >= UNSIGNED_SECONDS:
        behind, age = count(status.checkpoints.behind, "event"), shown_age(status.checkpoints.age_seconds)
        hints.append(f"nothing was signed for {age}, and {behind} came since: the clock says why, or `thaw checkpoint`")
    if status.checkpoints and status.checkpoints.unsent:
        hints.append("checkpoints do not arrive where they should: until they do, they are evidence against nobody")
    if status.checkpoints and status.checkpoints.age_seconds < 0:
        ahead = shown_age(-status.checkpoints.age_seconds)
        hints.append(f"PostgreSQL's clock went back, or ran ahead before: by it the newest checkpoint is made in {ahead}")
    if counted.dead:
        hints.append("dead messages wait for somebody: `thaw dead list`")
    if status.mail_unconfirmed:
        hints.append(
            f"nobody knows whether {count(status.mail_unconfirmed, 'mail')} went out: see `thaw today`, then `thaw mail settle`"
        )
    return [*hints, *_hints_on_days(status)]


def _hints_on_days(status: Status) -> list[str]:
    hints = []
    for rep, day in list(status.planned_ahead.items())[:CALENDARS_NAMED]:
        hints.append(f"a clock ran ahead and planned for {plain(rep)} up to {day}: no day until then is planned any more")
    if len(status.planned_ahead) > CALENDARS_NAMED:
        hints.append(f"and for {len(status.planned_ahead) - CALENDARS_NAMED} more reps (--json lists them)")
    hints += [plain(sentence, 300) for sentence in status.calendars[:CALENDARS_NAMED]]
    if len(status.calendars) > CALENDARS_NAMED:
        hints.append(f"{len(status.calendars) - CALENDARS_NAMED} more calendars end soon (--json lists them)")
    return hints
