"""An office whose log fills bundles: two reps, leads of all fates, four weeks, checkpoints on the way; and forgers of it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import text

from actors.apply import Applier
from actors.submit import Submission, stage
from models import contacts, leads, playbooks
from models.database import Engine, make_engine, transaction
from models.messages import Ring
from models.rebuild import rebuild
from service.bundle.export import Exported, export
from service.bundle.selection import Selection
from service.calendars import freeze_calendar
from service.demo.script import ScriptedRep
from service.keys import KeyFiles
from service.notary import Notary
from service.settings import Settings
from workflows import commands as c
from workflows.calendars import Absence
from workflows.codec import GENESIS, chain_hash, derived_id
from workflows.law_facts import ImportedLawFacts
from workflows.notes import Checkpoint, parse_checkpoint, parse_note
from workflows.rep import rep_id

#: A Monday; the reps work in New York.
MONDAY = datetime(2026, 1, 5, 15, tzinfo=UTC)
HORIZON = date(2025, 1, 1), date(2027, 12, 31)
NAME = "example.com/thaw"

ALL = Selection(kind="all")


@dataclass
class Office:
    """A database, the clock that it was filled by, and the keys."""

    engine: Engine
    keys: KeyFiles
    now: datetime = MONDAY
    leads: list[UUID] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Checkpoints, as somebody outside keeps them, oldest first."""

    def __post_init__(self) -> None:
        self.applier = Applier(self.engine, lambda: self.now)
        self.notary = Notary(self.engine, lambda: self.now, self.keys, [])

    @property
    def key(self) -> str:
        return str(self.keys.known()[-1])

    def ask(self, question: str, **values: object) -> Sequence[Any]:
        with transaction(self.engine) as connection:
            return connection.execute(text(question), values).all()

    def sql(self, statement: str, **values: object) -> None:
        """Do what somebody with all rights on the database can do."""
        with self.engine.begin() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text(statement), values)

    def hand_in(self, stream_id: UUID, *commands: c.Command, who: str = "rep:dan") -> None:
        """Stage commands and apply them with all that follows."""
        with transaction(self.engine) as connection:
            asked = [Submission(id=uuid4(), stream_id=stream_id, command=each, asked_by=who) for each in commands]
            stage(connection, asked, now=self.now, rung=False)
        self.work()

    def work(self) -> None:
        """Apply all that is due."""
        statement = (
            "SELECT id, stream_id, actor_name, correlation_id FROM messages WHERE settled_at IS NULL AND attempts = 0 "
            "AND due_at <= :now ORDER BY due_at, created_at, id"
        )
        while due := self.ask(statement, now=self.now):
            self.applier.apply([Ring(r.id, r.stream_id, r.actor_name, r.correlation_id, 1) for r in due])

    def keep(self, lead: UUID, kind: str, words: str) -> c.Reference:
        """Keep words in ``documents``."""
        with transaction(self.engine) as connection:
            return contacts.save_document(connection, uuid5(lead, f"{kind} {words}"), lead, kind, words)

    def contact(self, lead: UUID, number: int, **more: Any) -> c.Reference:
        """Keep a lead's personal data."""
        known = {
            "name": f"Ada Amberfield {number}",
            "facts": ["your tomatoes had won at the county fair"],
            "last_meeting_place": "the Oakwood open house",
            "company": "Springfield Homes “Größe 7”",
        }
        made = contacts.new_contact(lead, "crm", f"V-{number:04}", known | more)
        with transaction(self.engine) as connection:
            contacts.save_contacts(connection, [made])
        return c.Reference(document_id=lead, commitment=made.commitment)

    def take_in(self, number: int, owner: str = "dan") -> UUID:
        """Register a lead, and queue it."""
        lead = derived_id("lead", "crm", number)
        command = c.RegisterLead(
            owner=owner, source="crm", playbook="five-five-five", contact=self.contact(lead, number),
            modes=("handwritten_note", "call", "email"), timezone="America/Chicago",
            law=ImportedLawFacts(region="US"), qualified=True, stage_depth=number % 6,
            value_band=number % 5, minutes_invested=70 * number, then=(c.QueueRevival(),),
        )  # fmt: skip
        self.hand_in(lead, command, who="import")
        self.leads.append(lead)
        return lead

    def checkpoint(self) -> None:
        made = self.notary.make(wait=True)
        assert made
        self.notes.append(made.note)

    def export(self, selection: Selection, path: Path, **options: Any) -> Exported:
        """Write a bundle, with the keys of this office unless others are given."""
        keys = options.pop("keys", self.keys)
        notary = Notary(self.engine, lambda: self.now, keys, [])
        return export(self.engine, selection, path, keys=keys, notary=notary, now=self.now, force=True, **options)

    def bundle(self, selection: Selection, path: Path, **options: Any) -> bytes:
        """Return a bundle's bytes."""
        self.export(selection, path, **options)
        return path.read_bytes()

    def rehash(self) -> None:
        """Put every chain right again, as somebody who knows the code can, and the head and all projections with it."""
        newest: dict[object, bytes] = {}
        for position, stream_id, body in self.ask("SELECT position, stream_id, body FROM events ORDER BY stream_id, version"):
            newest[stream_id] = chain_hash(newest.get(stream_id, GENESIS), str(body).encode())
            self.sql("UPDATE events SET hash = :hash WHERE position = :position", hash=newest[stream_id], position=position)
        self.sql("UPDATE log_head SET position = (SELECT max(position) FROM events)")
        with transaction(self.engine) as connection:
            rebuild(connection)

    def close_the_gaps(self) -> None:
        self.sql(
            "UPDATE events SET position = dense.n FROM (SELECT position AS old, row_number() OVER (ORDER BY position) AS n "
            "FROM events) dense WHERE position = dense.old AND dense.n <> dense.old"
        )

    def forget_what_was_signed(self) -> None:
        self.sql("DELETE FROM checkpoints")
        self.sql("DELETE FROM tree_nodes")


@contextmanager
def office_of(database_url: str, home: Path) -> Iterator[Office]:
    """Yield an office on a database, with the keys in *home*."""
    engine = make_engine(database_url)
    try:
        yield Office(engine, KeyFiles(Settings(home=str(home))))
    finally:
        engine.dispose()


def fill(office: Office) -> None:
    """Let the office live for four weeks."""
    office.keys.init(NAME)
    calendar = freeze_calendar("US", "", "America/New_York", *HORIZON)
    away = freeze_calendar(
        "US", "", "America/New_York", *HORIZON, absences=(Absence(first=date(2026, 1, 21), last=date(2026, 1, 22)),)
    )
    for rep in ("dan", "eve"):
        office.hand_in(rep_id(rep), c.SetCalendar(rep=rep, calendar=calendar, playbook="five-five-five"))
    for number in range(12):
        office.take_in(number, "eve" if number > 9 else "dan")
    office.checkpoint()
    with transaction(office.engine) as connection:
        playbook = playbooks.newest_playbook(connection, "five-five-five")
    assert playbook
    script = ScriptedRep(7, playbook, calendar, office.keep)
    for day in range(28):
        office.now = MONDAY + timedelta(days=day)
        office.work()
        _odd_things(office, day)
        if day == 9:
            office.hand_in(rep_id("dan"), c.SetCalendar(rep="dan", calendar=away, playbook="five-five-five"))
        _work_of(office, script, "dan")
        if day in (8, 17):
            office.notary.record_heads("clock", wait=True)
            office.checkpoint()


def _work_of(office: Office, script: ScriptedRep, name: str) -> None:
    with transaction(office.engine) as connection:
        known = {lead.id: lead for lead in (leads.find_lead(connection, id_) for id_ in office.leads) if lead}
        people = {id_: contact.fields for id_, contact in contacts.find_contacts(connection, list(known)).items()}
    mine = [lead for lead in known.values() if lead.owner == name and lead.hold is None]
    for lead, command in list(script.work(mine, people, (office.now - timedelta(hours=5)).date())):
        office.hand_in(lead.id, command)


def _odd_things(office: Office, day: int) -> None:
    """What no script does: holds, updates, no's of all kinds, refusals, an opt-out, another owner."""
    ids = office.leads
    if day == 2:
        office.hand_in(ids[0], c.Hold(reason="manual", until=date(2026, 1, 14)))
        office.hand_in(ids[1], c.UpdateContact(contact=office.contact(ids[1], 1, phone="+15550001"), modes=("call", "email")))
        office.hand_in(ids[8], c.RecordCall(outcome="voicemail"))
    if day == 3:
        office.hand_in(ids[2], c.RecordReply(channel="email", intent="no", stated_reason="price"), who="crm")
        office.hand_in(ids[9], c.OptOut(channel="post"))
    if day == 4:
        office.hand_in(ids[3], c.RecordDecline(kind="hold", stated_reason="budget", occurred_at=office.now - timedelta(days=1)))
        office.hand_in(ids[4], c.OptOut(), who="crm")
    if day == 10:
        words = office.keep(ids[2], "reason", "They had never seen our offer.")
        office.hand_in(ids[2], c.RecordReason(kind="real", reason="no_offer", evidence="call-1", words=words, minutes=5))
        office.hand_in(ids[5], c.Reassign(owner="eve"), who="manager:ann")


def leads_of(*ids: UUID) -> Selection:
    return Selection(kind="leads", leads=ids)


def checkpoints_of(notes: Iterable[str]) -> list[Checkpoint]:
    """Return what the notes of checkpoints say."""
    return [parse_checkpoint(parse_note(note).text) for note in notes]
