"""One lead's life, driven through `handle`: the moving clock, the offered slots, and short ways into every state."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from workflows import commands as c
from workflows import mail_commands as m
from workflows import pursuit_commands as p
from workflows.calendars import Calendar, zone_offsets
from workflows.context import Context
from workflows.cut_bait import open_modes
from workflows.events import AnyEvent, Holdings, PlaybookPin, Recorded, Slot, SlotKind, Verdict
from workflows.handle import Carrier, Outcome, handle
from workflows.law import lawful_modes
from workflows.law_facts import ImportedLawFacts
from workflows.law_table import CURRENT
from workflows.lead import Lead
from workflows.merge_commands import DuplicateFacts, MergeLead, TakeInDuplicate
from workflows.merge_events import OtherLead
from workflows.playbooks import Playbook
from workflows.pursuit_facts import Alike, Queue
from workflows.pursuit_playbook import Pursuit

FIRST, LAST = date(2024, 1, 1), date(2090, 12, 31)
CALENDAR = Calendar(timezone="America/New_York", first=FIRST, last=LAST, offsets=zone_offsets("America/New_York", FIRST, LAST))
PLAYBOOK = Playbook(
    schema=1, id="life", version="1.0.0", title="A life", source="a test", value_items=("report", "video", "study")
)
#: The same with the rules of the pursuit and of letting go.
PURSUED: Playbook = replace(
    PLAYBOOK,
    id="pursued",
    value_items=("report", "video", "study", "tour", "sample", "visit", "letter"),
    pursuit=Pursuit(ways={"linkedin": "other", "dinner": "other"}),
    timers=replace(PLAYBOOK.timers, nurture_day=10),
)
#: Without notes, and so without promised calls; what is begun begins by phone.
NOTELESS: Playbook = replace(
    PLAYBOOK, version="5.0.0", first_touch="call", capacity=replace(PLAYBOOK.capacity, notes=0, calls=0)
)
QUEUE = Queue(
    position=40,
    alike=(
        Alike(stage_depth=0, value_band=1, important=False, leads=2),
        Alike(stage_depth=1, value_band=0, important=True, leads=1),
        Alike(stage_depth=2, value_band=3, important=False, leads=1),
    ),
    next_lead=UUID(int=99),
)
MONDAY = date(2026, 1, 5)
START = datetime(2026, 1, 5, 15, tzinfo=UTC)
LEAD_ID = UUID("0b7f5d0e-9f2f-4f86-9a56-3f6a3b1c2d4e")
MAIL_ID = UUID("5f6d2c11-6a77-4a0e-9d0b-7e1f60b1a001")
WORDS = c.Reference(document_id=UUID(int=7), commitment="a" * 64)
ALL_MODES: tuple[c.Mode, ...] = ("handwritten_note", "call", "email", "courier")
SLOT_KINDS: tuple[SlotKind, ...] = ("note", "promised_call", "follow_up")


def slots(first: date, days: int, rep: str = "dan") -> tuple[Slot, ...]:
    """Offer one slot of each kind on each of *days* days."""
    every = (first + timedelta(days=number) for number in range(days))
    return tuple(Slot(rep=rep, kind=kind, day=day, ordinal=1) for day in every for kind in SLOT_KINDS)


class Life:
    """A lead that lives through commands; `history` is its log, oldest first."""

    def __init__(self, playbook: Playbook = PLAYBOOK, calendar: Calendar | None = CALENDAR) -> None:
        self.playbook = playbook
        self.calendar = calendar
        self.now = START
        self.history: list[Recorded] = []
        self.leaving: Playbook | None = None
        self.goes_to: PlaybookPin | None = None
        self.wording: dict[str, str] = {}
        self.verdicts: tuple[Verdict, ...] = ()
        self.holdings: Holdings | None = None
        self.asked: tuple[c.Slug, ...] | UnsetType | None = None
        self.queue: Queue | None = QUEUE if playbook.pursuit else None
        self.into: OtherLead | None = OtherLead(known=True)
        self.offers = True
        self._lead: Lead | None = None

    @property
    def lead(self) -> Lead:
        """The lead as it stands."""
        assert self._lead is not None
        return self._lead

    @property
    def today(self) -> date:
        """The rep's date."""
        return CALENDAR.local_day(self.now)

    def context(self, actor: str = "rep:dan") -> Context:
        """What a decision made now is given."""
        free = slots(self.today, 45) + slots(self.today, 45, rep="eve") if self.offers else ()
        return Context(
            now=self.now,
            actor=actor,
            calendar=self.calendar,
            playbook=self.playbook,
            leaving=self.leaving,
            goes_to=self.goes_to,
            wording=self.wording,
            free=free,
            verdicts=self.verdicts,
            holdings=self.holdings,
            queue=self.queue,
            asked=self.asked,
            into=self.into,
        )

    def do(self, command: c.AnyCommand, actor: str = "rep:dan") -> Outcome:
        """Give *command* and live with what comes of it."""
        carrier = Carrier(
            message_id=uuid5(LEAD_ID, f"message {len(self.history)}"),
            stream_id=LEAD_ID,
            actor=actor,
            correlation_id=uuid5(LEAD_ID, "correlation"),
            causation_id=None,
            recorded_at=self.now,
        )
        outcome = handle(self._lead, command, self.context(actor), carrier)
        self._lead = outcome.lead
        self.history.extend(outcome.recorded)
        return outcome

    def must(self, command: c.AnyCommand, actor: str = "rep:dan") -> tuple[AnyEvent, ...]:
        """Give *command*, which is to be applied, and return its events."""
        outcome = self.do(command, actor)
        assert outcome.answer == "applied", outcome.reason
        return tuple(recorded.data for recorded in outcome.recorded)

    def migrate(self, playbook: Playbook, **mapped: Any) -> Outcome:
        """Move the lead to *playbook*, with the step that it lacks *mapped*."""
        self.leaving, self.playbook = self.playbook, playbook
        pin = playbook.pin
        command = c.MigratePlaybook(playbook=pin.id, version=pin.version, digest=pin.digest, **mapped)
        return self.do(command, "manager:ann")

    def wait(self, **much: int) -> "Life":
        """Let time pass."""
        self.now += timedelta(**much)
        return self

    def fire(self, timer: str) -> Outcome:
        """Wait until *timer* is due, if that is still to come, and fire it."""
        armed = self.lead.timers[timer]
        self.now = max(self.now, armed.due_at)
        return self.do(c.FireTimer(timer=timer, armed_version=armed.armed_version), actor="clock")


def register(**changes: Any) -> c.RegisterLead:
    """Return the command that makes the lead known."""
    usual: dict[str, Any] = {
        "owner": "dan",
        "source": "crm",
        "playbook": "life",
        "contact": WORDS,
        "modes": ALL_MODES,
        "law": ImportedLawFacts(region="US"),
    }
    return c.RegisterLead(**(usual | changes))


DECLINE = c.RecordDecline(kind="no", stated_reason="price")
OPEN_REPLY = c.RecordReply(channel="email")
NO_REPLY = c.RecordReply(channel="email", intent="no")
REAL_REASON = c.RecordReason(kind="real", reason="chose_other", evidence="call-7", words=WORDS)
CONNECTED = c.RecordCall(outcome="connected", personal_topic_first=True, decision="yes")
VOICEMAIL = c.RecordCall(outcome="voicemail")
HOMEWORK = c.CompleteHomework(answers=dict.fromkeys(PLAYBOOK.homework.fields, WORDS), sources=(date(2025, 11, 3),))


INTO = UUID("11111111-7777-4444-8888-222222222222")
MERGE = MergeLead(into=INTO)


def take_in(version: int = 3, duplicate: UUID = INTO, **facts: Any) -> TakeInDuplicate:
    """Return the command by which a lead takes in a duplicate of which nothing is known but *facts*."""
    nothing: dict[str, Any] = dict.fromkeys(DuplicateFacts.__struct_fields__)
    nothing |= dict.fromkeys(("do_not_contact", "won", "open_opportunity"), False)
    nothing |= dict.fromkeys(("modes_refused", "value_items_used", "invitations"), ())
    return TakeInDuplicate(duplicate=duplicate, version=version, facts=DuplicateFacts(**(nothing | facts)))


def queue_nurture_mail(life: Life) -> m.QueueNurtureMail:
    """Return the command that has the month's value touch sent by mail."""
    return m.QueueNurtureMail(mail=MAIL_ID, text=WORDS, asset="study", attested=life.playbook.checks.nurture, minutes=4)


def queue_breakup_mail() -> m.QueueBreakupMail:
    """Return the command that has the second half of a breakup sent by mail."""
    return m.QueueBreakupMail(mail=MAIL_ID, text=WORDS, monitored_reply_address=True, minutes=5)


def note_command(life: Life) -> c.ScheduleNote:
    """Plan a note for the next day that is worked, with its call."""
    day = CALENDAR.on_or_after(life.today)
    return c.ScheduleNote(note_on=day, call_on=CALENDAR.add_working_days(day, 5), value_item="report")


def call_command(life: Life) -> c.ScheduleCall:
    """Plan a follow-up call for the next day that is worked."""
    return c.ScheduleCall(call_on=CALENDAR.on_or_after(life.today), value_item="video")


def sent_command() -> c.MarkNoteSent:
    """Post a note that everybody vouches for."""
    return c.MarkNoteSent(medium="hand_written", attested=PLAYBOOK.checks.note)


def touch_command(item: str = "study") -> c.SendTouch:
    """Send a mail with something new."""
    return c.SendTouch(mode="email", value_item=item, attested=PLAYBOOK.checks.touch)


def _registered(life: Life) -> None:
    life.must(register(), actor="import")


def _declined(life: Life) -> None:
    _registered(life)
    life.must(DECLINE)


def _queued(life: Life) -> None:
    _registered(life)
    life.must(c.QueueRevival(), actor="planner")


def _note_due(life: Life) -> None:
    _queued(life)
    life.must(note_command(life), actor="planner")


def _note_sent(life: Life) -> None:
    _note_due(life)
    life.must(sent_command())


def _call_due(life: Life) -> None:
    _note_sent(life)
    assert life.fire("call_after_note").answer == "applied"


def _no_response(life: Life) -> None:
    _call_due(life)
    life.must(VOICEMAIL)


def finish_checklist(life: Life) -> None:
    """Do all that is left to do before somebody may be let go."""
    for mode in open_modes(life.lead, life.playbook, lawful_modes(life.lead, life.today, CURRENT)):
        life.must(p.WaiveMode(mode=mode, reason=WORDS))
    life.must(p.DenyConnector())
    life.must(c.AnswerImportance(importance=3))


def ready_to_break_up(life: Life, *, bare: bool = False) -> None:
    """Bring a silent lead to where the breakup is decided and both halves are out; *bare*: nobody says what they said."""
    for item in ("video", "study"):
        life.wait(days=7)
        life.must(touch_command(item))
    life.must(c.RecordOffer(solution=WORDS, benefit=WORDS))
    if life.playbook.pursuit:
        finish_checklist(life)
    life.must(c.ConfirmCutBait(choice="breakup", reason=WORDS if life.playbook.pursuit else None))
    life.must(c.LeaveBreakupVoicemail(attested=UNSET if bare else ("mentions_mail",), minutes=3))
    life.must(c.SendBreakupEmail(monitored_reply_address=True, attested=UNSET if bare else ("breakup_parts",)))


def _breakup_sent(life: Life) -> None:
    _no_response(life)
    ready_to_break_up(life)
    life.must(c.SendBreakup())


def _nurture(life: Life) -> None:
    _queued(life)
    assert life.fire("queue_age").answer == "applied"


def _re_engaged(life: Life) -> None:
    _note_sent(life)
    life.must(OPEN_REPLY)


def _meeting_booked(life: Life) -> None:
    _re_engaged(life)
    life.must(c.BookMeeting(meeting_at=life.now + timedelta(days=3)))


def _won(life: Life) -> None:
    _registered(life)
    life.must(c.MarkWon(), actor="crm")


def _dropped(life: Life) -> None:
    _declined(life)
    life.must(c.Drop(reason="duplicate"), actor="manager:ann")


def _do_not_contact(life: Life) -> None:
    _registered(life)
    life.must(c.OptOut())


ROADS: dict[str, Callable[[Life], None]] = {
    "registered": _registered,
    "declined": _declined,
    "queued": _queued,
    "note_due": _note_due,
    "note_sent": _note_sent,
    "call_due": _call_due,
    "no_response": _no_response,
    "breakup_sent": _breakup_sent,
    "nurture": _nurture,
    "re_engaged": _re_engaged,
    "meeting_booked": _meeting_booked,
    "won": _won,
    "dropped": _dropped,
    "do_not_contact": _do_not_contact,
}


def life_in(state: str, **how: Any) -> Life:
    """Return a life that has come to *state* by the shortest road."""
    life = Life(**how)
    ROADS[state](life)
    assert life.lead.state == state
    return life


def make_ready(life: Life) -> None:
    """Do all that a lead who said no needs before it may be queued, and let it rest."""
    life.must(c.RecordReason(kind="stated", reason="price"))
    life.must(REAL_REASON)
    life.must(c.RecordStrategy(strategy=WORDS, missed_last_time=WORDS))
    life.must(c.Qualify(qualified=True))
    life.must(c.AnswerImportance(importance=4))
    life.must(HOMEWORK)
