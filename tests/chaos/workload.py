"""Two thousand commands for many leads of several reps: most fit the lead as it stands, and some are there to be refused."""

import functools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from actors.submit import Submission
from service.calendars import freeze_calendar
from tests.stage import Stage
from workflows import commands as c
from workflows.calendars import Calendar
from workflows.codec import derived_id
from workflows.law_facts import ImportedLawFacts
from workflows.rep import rep_id

#: Tuesday, 10:00 in New York.
START = datetime(2026, 1, 6, 15, 0, tzinfo=UTC)

REPS = ("ann", "bob", "cleo", "dan", "eve", "fay")
LEADS = 180
TRANSITIONS = 2000
CHUNK = 60

CHECKS = (
    "personal_fact",
    "reminds_who_we_are",
    "future_call",
    "not_form_letter",
    "recalls_prior_interest",
    "no_empty_check_in",
)

SETTLED = "SELECT count(*) FROM messages WHERE outcome IN ('applied', 'refused')"


@functools.cache
def calendar() -> Calendar:
    """Return the working calendar of all reps."""
    return freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31))


def reference(*parts: object) -> c.Reference:
    """Return a reference to words that nobody wrote."""
    return c.Reference(document_id=derived_id(*parts), commitment="0" * 64)


def registration(owner: str, lead_id: UUID) -> c.RegisterLead:
    """Return what makes a lead known that may be written to, and queues it."""
    return c.RegisterLead(
        owner=owner,
        source="crm",
        playbook="five-five-five",
        contact=reference("contact", lead_id),
        modes=("handwritten_note", "call", "email", "post"),
        timezone="America/New_York",
        law=ImportedLawFacts(region="US-NY"),
        last_contact_on=date(2025, 3, 1),
        stage_depth=lead_id.int % 5,
        value_band=lead_id.int % 3,
        minutes_invested=lead_id.int % 300,
        qualified=True,
        then=(c.QueueRevival(),),
    )


class Workload:
    """Hands in commands round by round and remembers the ids: all that an outsider knows."""

    def __init__(self, stage: Stage, *, seed: int = 1) -> None:
        self._stage = stage
        self._dice = random.Random(seed)  # a workload, no secret
        self.leads = [derived_id("lead", number) for number in range(LEADS)]
        self._round = 0
        self.submitted: list[UUID] = []

    def introduce_reps(self) -> None:
        """Freeze the calendars, in peace, and wait for whoever is still on the way."""
        work = calendar()
        self.hand_in({rep_id(rep): c.SetCalendar(rep=rep, calendar=work, playbook="five-five-five") for rep in REPS})
        self._stage.settle()
        self._stage.await_crew()

    def run(self, faults: Mapping[int, Callable[[], object]], *, transitions: int = TRANSITIONS) -> None:
        """Hand in rounds until *transitions* are done, with *faults* in the middle of their rounds, counted from 1."""
        self.introduce_reps()
        pending = dict(faults)
        while pending or self._stage.asker.number(SETTLED) < transitions:
            self._round += 1
            self._live(self._round, pending.pop(self._round, None))
        self._stage.settle()

    def _live(self, number: int, fault: Callable[[], object] | None) -> None:
        # A working day further each time, so that plans are made and timers fire among the commands.
        self._stage.clock.move(datetime.combine(later(START.date(), number - 1), START.timetz()))
        work = list(self._commands(number))
        before = len(self.submitted)
        for first in range(0, len(work), CHUNK):
            self.hand_in(dict(work[first : first + CHUNK]))
            if fault and first <= len(work) // 2 < first + CHUNK:
                fault()
                self._stage.hurry()
        round_ = self.submitted[before:]
        few = len(round_) // 4
        self._stage.until(lambda: self._stage.unsettled(round_) <= few or self._hurried(), "most of a round is settled")

    def _hurried(self) -> bool:
        """Let the back-off of what a fault held up pass while we wait; never an answer."""
        if self._dice.random() < 0.03:
            self._stage.hurry()
        return False

    def hand_in(self, work: Mapping[UUID, c.Command]) -> None:
        """Submit one command for each of some streams."""
        submissions = [
            Submission(
                id=derived_id("chaos", stream_id, len(self.submitted) + number),
                stream_id=stream_id,
                command=command,
                asked_by="manager:mia",
            )
            for number, (stream_id, command) in enumerate(work.items())
        ]
        self.submitted += [submission.id for submission in submissions]
        self._stage.submit(submissions)

    def _commands(self, number: int) -> Iterator[tuple[UUID, c.Command]]:
        if number == 1:
            yield from ((id_, registration(REPS[index % len(REPS)], id_)) for index, id_ in enumerate(self.leads))
            return
        today = self._stage.clock().date()
        states = dict(self._states())
        for lead_id in self.leads:
            fitting = self._fitting(lead_id, states.get(lead_id, ""), today)
            choice = fitting if self._dice.random() < 0.6 else self._whatever(lead_id, today)
            yield lead_id, self._dice.choice(choice)

    def _states(self) -> Iterator[tuple[UUID, str]]:
        for lead_id, state in self._stage.asker.rows("SELECT id, state FROM leads"):
            yield UUID(str(lead_id)), str(state)

    def _fitting(self, lead_id: UUID, state: str, today: date) -> Sequence[c.Command]:
        """Return what moves a lead in *state* on."""
        meeting_at = self._stage.clock() + timedelta(days=3)
        match state:
            case "queued":
                return (c.ScheduleNote(note_on=today, call_on=later(today, 5)),)
            case "note_due":
                return (c.MarkNoteSent(medium="hand_written", attested=CHECKS, text=reference("note", lead_id)),)
            case "note_sent":
                return c.RecordReply(channel="call"), c.RecordReturn(), *self._whatever(lead_id, today)[:5]
            case "call_due":
                return (
                    c.RecordCall(outcome="voicemail"),
                    c.BookMeeting(meeting_at=meeting_at),
                    c.RecordCall(outcome="no_answer"),
                )
            case "no_response":
                item = self._dice.choice(["market-report", "customer-story", "site-visit"])
                return (c.SendTouch(mode="email", value_item=item, attested=CHECKS),)
            case "re_engaged":
                return c.BookMeeting(meeting_at=meeting_at), c.MarkWon(), c.RecordDecline(kind="no", stated_reason="price")
            case "meeting_booked":
                return c.MarkWon(), c.RecordDecline(kind="meeting_cancelled", stated_reason="no_budget")
            case "declined":
                return c.StartNurture(), c.Drop(reason="never_qualified")
            case "nurture" | "dropped" | "do_not_contact":
                return c.RegrantConsent(evidence=reference("consent", lead_id), modes=("call", "email")), c.QueueRevival()
        return (c.QueueRevival(),)

    def _whatever(self, lead_id: UUID, today: date) -> Sequence[c.Command]:
        """Return what may come at any time, welcome or not."""
        return (
            c.RecordReason(kind="stated", reason="price"),
            c.RecordReason(kind="real", reason="price"),
            c.AnswerImportance(importance=1 + lead_id.int % 3),
            c.IntroduceConnector(connector=reference("connector", lead_id)),
            c.RecordOffer(solution=reference("solution", lead_id), benefit=reference("benefit", lead_id)),
            c.Hold(reason="manual", until=today + timedelta(days=1)),
            c.Release(),
            c.Reassign(owner=self._dice.choice(REPS)),
            c.OptOut(channel="fax"),
            c.OptOut() if lead_id.int % 4 == 0 else c.OptOut(channel="post"),
            c.RecordDecline(kind="hold", stated_reason="bad_timing"),
            c.FireTimer(timer="call_expiry", armed_version=2),
            c.MarkNoteSent(medium="hand_written", attested=CHECKS),
            c.SendBreakup(),
        )


def later(today: date, working_days: int) -> date:
    """Return the day that is *working_days* of the reps after *today*."""
    return calendar().add_working_days(today, working_days)
