"""A stateful player: random legal and illegal commands, a moving clock and a ledger of slots, against `handle`."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from tests.workflows.life import (
    ALL_MODES,
    CALENDAR,
    CONNECTED,
    DECLINE,
    HOMEWORK,
    INTO,
    LEAD_ID,
    MAIL_ID,
    NO_REPLY,
    OPEN_REPLY,
    PLAYBOOK,
    QUEUE,
    ROADS,
    SLOT_KINDS,
    START,
    VOICEMAIL,
    WORDS,
    life_in,
    queue_breakup_mail,
    register,
    sent_command,
    take_in,
    touch_command,
)
from tests.workflows.strategies import commands, values
from workflows import commands as c
from workflows import events as e
from workflows import homework_commands as h
from workflows import mail_commands as m
from workflows import merging
from workflows import pursuit_commands as p
from workflows.codec import canonical
from workflows.context import Context
from workflows.decline import Decline
from workflows.events import CommandRefused, ConsentRegranted, Recorded, Slot, Verdict, event_type
from workflows.fold import fold, fold_all
from workflows.handle import Carrier, Outcome, handle
from workflows.law_facts import ImportedLawFacts, LawFacts
from workflows.lead import RESTING, Lead
from workflows.merge_commands import DuplicateFacts, MergeLead, TakeInDuplicate
from workflows.merge_events import OtherLead
from workflows.pursuit_facts import Owed
from workflows.suppression import Entry, verdict
from workflows.timers import fires

ACTORS = ("rep:dan", "manager:ann", "crm", "planner", "clock", "import")
PER_DAY = 2
ENTRIES = st.builds(
    Entry,
    kind=st.sampled_from(["email", "phone", "person"]),
    channel=st.sampled_from([None, *ALL_MODES, "post"]),
    reason=st.just("opted_out"),
    since=st.just(START.date()),
)

#: Events that say that somebody was reached, or is going to be, in these modes.
TOUCHED_BY: dict[type, frozenset[str]] = {
    e.NoteScheduled: frozenset({"handwritten_note", "call"}),
    e.NoteSent: frozenset({"handwritten_note", "call"}),
    e.CallScheduled: frozenset({"call"}),
    e.CallDue: frozenset({"call"}),
    e.BreakupVoicemailLeft: frozenset({"call"}),
    e.BreakupEmailSent: frozenset({"email"}),
}
#: More than the days hold wait to be tried again, so that what brings little is proposed.
CROWDED = replace(QUEUE, owed=(Owed(return_per_hour=5, leads=2), Owed(return_per_hour=60, leads=2)), room=1)
_DAYS = st.none() | st.integers(-400, 60).map(lambda number: (START + timedelta(days=number)).date())
_MOMENTS = st.none() | st.integers(-400, 60).map(lambda number: START + timedelta(days=number, hours=number % 7))
FACTS = st.builds(
    DuplicateFacts,
    do_not_contact=st.sampled_from([False] * 5 + [True]),
    won=st.sampled_from([False] * 7 + [True]),
    modes_refused=st.lists(st.sampled_from([*ALL_MODES, "post", "fax"]), max_size=3, unique=True).map(tuple),
    do_not_call_on=_DAYS,
    open_opportunity=st.booleans(),
    decline=st.none()
    | st.builds(
        Decline,
        kind=st.sampled_from(["no", "hold"]),
        stated_reason=st.just("price"),
        at=_MOMENTS.filter(bool),
        revisit_on=_DAYS,
        keep_in_touch_requested=st.booleans(),
        real_reason=st.sampled_from([None, "no_need"]),
    ),
    revisit_on=_DAYS,
    last_contact_at=_MOMENTS,
    last_touch_at=_MOMENTS,
    called_at=_MOMENTS,
    nurture_touched_at=_MOMENTS,
    value_items_used=st.sampled_from([(), ("report",), ("study", "value-0")]),
    invitations=st.sampled_from([(), (UUID(int=8),)]),
)
OTHERS = st.builds(
    OtherLead,
    known=st.sampled_from([True, True, True, True, False]),
    merged_into=st.sampled_from([None, None, None, UUID(int=6)]),
    erased=st.sampled_from([False, False, False, True]),
)
LATE = (None, timedelta(), timedelta(hours=3), timedelta(days=1), timedelta(days=9))


class Player(RuleBasedStateMachine):
    """Lives one lead's life; the laws are checked after every step."""

    playbook = PLAYBOOK

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = START
        self.lead: Lead | None = None
        self.history: list[Recorded] = []
        self.lived: list[bytes] = []
        """The lead as it lived, in canonical bytes, after each event of the history."""
        self.taken: set[Slot] = set()
        self.rung: set[tuple[str, int]] = set()
        self.last: Outcome | None = None
        self.verdicts: tuple[Verdict, ...] = ()
        self.into: OtherLead | None = OtherLead(known=True)

    def _free(self) -> tuple[Slot, ...]:
        first = CALENDAR.local_day(self.now)
        days = [first + timedelta(days=number) for number in range(14)]
        every = (
            Slot(rep=rep, kind=kind, day=day, ordinal=ordinal)
            for rep in ("dan", "eve")
            for kind in SLOT_KINDS
            for day in days
            for ordinal in range(1, PER_DAY + 1)
        )
        return tuple(slot for slot in every if slot not in self.taken)

    def give(self, command: c.AnyCommand, actor: str) -> Outcome:
        before = self.lead
        carrier = Carrier(
            message_id=uuid5(LEAD_ID, str(len(self.history))),
            stream_id=LEAD_ID,
            actor=actor,
            correlation_id=LEAD_ID,
            causation_id=None,
            recorded_at=self.now,
        )
        context = Context(
            now=self.now,
            actor=actor,
            calendar=CALENDAR,
            playbook=self.playbook,
            free=self._free(),
            verdicts=self.verdicts,
            queue=CROWDED,
            into=self.into,
        )
        outcome = handle(before, command, context, carrier)
        self._check(before, command, outcome)
        self.lead, self.last = outcome.lead, outcome
        self.history.extend(outcome.recorded)
        return outcome

    def _check(self, before: Lead | None, command: c.AnyCommand, outcome: Outcome) -> None:
        lived = before
        for number, recorded in enumerate(outcome.recorded, start=1):
            assert recorded.version == (before.version if before else 0) + number
            assert (recorded.command is None) is (number > 1)
            assert (recorded.used is None) is (number > 1)
            self._check_slots(lived, recorded)
            assert not (self._listed() & TOUCHED_BY.get(type(recorded.data), frozenset())), "a touch in spite of the list"
            self._check_timers(command, recorded)
            if lived and lived.state == "do_not_contact" and recorded.state != "do_not_contact":
                assert isinstance(recorded.data, ConsentRegranted)
            lived = fold(lived, recorded)
            self.lived.append(canonical(lived))
        assert lived == outcome.lead
        if before and before.merged_into:
            assert outcome.answer != "applied" or isinstance(command, merging.STILL_TAKEN)
        if isinstance(command, TakeInDuplicate) and outcome.answer == "applied":
            self._check_taken_in(before, command, outcome.lead)
        assert outcome.answer != "applied" or outcome.recorded
        assert outcome.answer != "refused" or all(isinstance(one.data, CommandRefused) for one in outcome.recorded)

    @staticmethod
    def _check_taken_in(before: Lead | None, command: TakeInDuplicate, after: Lead | None) -> None:
        """Who takes in a duplicate stands again, and is bound by what bound either of them."""
        assert before
        assert after
        facts = command.facts
        assert not after.merged_into
        assert after.state == "do_not_contact" or not facts.do_not_contact
        assert {*after.modes_refused} >= {*before.modes_refused, *facts.modes_refused}
        assert {*after.modes} <= {*before.modes} - {*facts.modes_refused}
        assert {*after.value_items_used} == {*before.value_items_used, *facts.value_items_used}
        assert {*(after.invitations or ())} == {*(before.invitations or ()), *facts.invitations}
        assert after.open_opportunity == (before.open_opportunity or facts.open_opportunity)
        assert after.state in ("won", "do_not_contact") or not facts.won
        for name in ("last_contact_at", "last_touch_at", "called_at", "nurture_touched_at", "revisit_on"):
            known = [at for at in (getattr(before, name), getattr(facts, name)) if at]
            assert getattr(after, name) == max(known, default=None), name
        if facts.do_not_call_on:
            assert after.law
            assert after.law.dnc_listed is True
            assert after.law.dnc_checked_on
            assert after.law.dnc_checked_on >= facts.do_not_call_on
        if facts.decline:
            assert after.decline
            assert after.decline.at >= facts.decline.at

    def _check_slots(self, lived: Lead | None, recorded: Recorded) -> None:
        """A slot is taken only when it is free, and given back or used only by the lead that has it."""
        effects = recorded.effects
        held = set(lived.slots) if lived else set()
        assert not self.taken & set(effects.reserved)
        assert {*effects.released, *effects.used} <= held
        assert not set(effects.released) & set(effects.used)
        self.taken |= set(effects.reserved)
        self.taken -= set(effects.released)

    def _check_timers(self, command: c.AnyCommand, recorded: Recorded) -> None:
        """A timer is armed in the past only for something that is logged late, or for a consent that was over already."""
        late = recorded.occurred_at < recorded.recorded_at or isinstance(command, c.Release)
        for name, due_at in recorded.effects.armed.items():
            if name == "consent_expires":
                continue
            assert due_at >= recorded.recorded_at or late or not fires(name), (name, due_at)
        if lead := self.lead:
            assert set(recorded.effects.cancelled) <= set(lead.timers) | {"queue_age", "next_step", "lapse", "revisit"}

    @initialize(state=st.sampled_from(sorted(ROADS)), modes=st.sets(st.sampled_from(ALL_MODES)))
    def begin(self, state: str, modes: set[c.Mode]) -> None:
        """Begin in any state, or with a lead that cannot be reached in every way."""
        if state == "registered":
            self.give(register(modes=tuple(sorted(modes)), suppressed=not modes), "import")
            return
        life = life_in(state, playbook=self.playbook)
        self.now, self.history, self.lead = life.now, life.history, life.lead
        before = None
        for recorded in life.history:
            before = fold(before, recorded)
            self.lived.append(canonical(before))
        assert before == life.lead
        self.taken = {slot for recorded in life.history for slot in recorded.effects.reserved}
        self.taken -= {slot for recorded in life.history for slot in recorded.effects.released}

    def _listed(self) -> set[str]:
        return {mode for verdict in self.verdicts for mode in str(verdict.inputs.get("modes", "")).split()}

    @rule(entries=st.lists(ENTRIES, max_size=2))
    def the_list_changes(self, entries: list[Entry]) -> None:
        """Somebody objects under another lead, or consents again."""
        self.verdicts = (verdict(entries),)

    @rule(into=OTHERS)
    def the_other_lead_changes(self, into: OtherLead) -> None:
        """Another lead is erased, merged, or not known."""
        self.into = into

    @rule(into=st.sampled_from([INTO, INTO, LEAD_ID]), actor=st.sampled_from(["manager:ann", "manager:ann", "rep:dan"]))
    def somebody_merges(self, into: UUID, actor: str) -> None:
        """Merge the lead, now and then: it ends nearly everything."""
        if self.now.minute % 3 == 0:
            self.give(MergeLead(into=into), actor)

    @rule(
        duplicate=st.sampled_from([INTO, UUID(int=5), LEAD_ID]),
        version=st.integers(1, 4),
        facts=st.one_of(FACTS, FACTS, FACTS, values(DuplicateFacts)),
    )
    def a_duplicate_comes(self, duplicate: UUID, version: int, facts: DuplicateFacts) -> None:
        """Take in a duplicate, of which anything may be known."""
        self.give(TakeInDuplicate(duplicate=duplicate, version=version, facts=facts), "manager:ann")

    @rule(days=st.sampled_from([0, 0, 1, 1, 2, 5, 9, 35, 100]), minutes=st.integers(0, 1439))
    def time_passes(self, days: int, minutes: int) -> None:
        self.now += timedelta(days=days, minutes=minutes)

    @rule(command=commands(), actor=st.sampled_from(ACTORS))
    def anything(self, command: Any, actor: str) -> None:
        """Give any command at all."""
        ends = isinstance(command, c.EraseLead) or (isinstance(command, c.OptOut) and command.channel is None)
        if ends and self.now.minute % 4:
            return  # these end nearly everything; most lives should be longer
        self.give(command, actor)

    @rule(data=st.data())
    def something_at_once(self, data: st.DataObject) -> None:
        """Give a command that the state asks for, as it happens."""
        self.something_sensible(data, None)

    @rule(data=st.data(), late=st.sampled_from(LATE))
    def something_sensible(self, data: st.DataObject, late: timedelta | None) -> None:
        """Give a command that the state asks for."""
        assert self.lead
        options = sensible(self.lead, CALENDAR.local_day(self.now), self.now) + pursuing(self.lead)
        command, actor = data.draw(st.sampled_from(options), label="command")
        if late is not None and not actor.startswith("planner"):
            command = msgspec.structs.replace(command, occurred_at=self.now - late)
        self.give(command, actor)

    @rule(data=st.data(), wait=st.sampled_from([True, True, False]))
    def a_timer_rings(self, data: st.DataObject, wait: bool) -> None:
        """Ring an armed timer, when it is due or too early; an applied or refused one never acts again."""
        assert self.lead
        timers = sorted(self.lead.timers.items(), key=lambda item: item[1].due_at)
        if not timers:
            return
        name, timer = timers[0] if wait else data.draw(st.sampled_from(timers), label="timer")
        if wait:
            self.now = max(self.now, timer.due_at)
        early = timer.due_at > self.now
        command = c.FireTimer(timer=name, armed_version=timer.armed_version)
        answer = self.give(command, "clock").answer
        if early:
            assert "too_early" == answer
        elif not fires(name):
            assert "superseded" == answer
        else:
            assert answer in ("applied", "refused")
            assert "superseded" == self.give(command, "clock").answer

    @rule(name=st.sampled_from(["call_due", "requeue", "lapse", "nonsense"]), version=st.integers(1, 40))
    def a_stale_timer_rings(self, name: str, version: int) -> None:
        assert self.lead
        armed = self.lead.timers.get(name)
        if armed is None or armed.armed_version != version:
            answer = self.give(c.FireTimer(timer=name, armed_version=version), "clock").answer
            assert "superseded" == answer

    @invariant()
    @precondition(lambda self: self.lead is not None)
    def nobody_is_forgotten(self) -> None:
        """Outside the resting states a timer that acts on its own is armed, on hold or not."""
        assert self.lead
        if self.lead.state not in RESTING or self.lead.hold:
            assert any(fires(name) for name in self.lead.timers), (self.lead.state, self.lead.hold)

    @invariant()
    @precondition(lambda self: self.lead is not None)
    def a_held_lead_is_frozen(self) -> None:
        """While a lead is on hold only the hold's own timers run, and it keeps no slot from others."""
        assert self.lead
        if self.lead.hold:
            assert set(self.lead.timers) <= {"hold_until", "hold_review"}
            assert () == self.lead.slots

    @invariant()
    @precondition(lambda self: self.lead is not None)
    def states_own_what_they_need(self) -> None:
        """Slots belong to states with a planned touch; opted-out modes are not offered again."""
        assert self.lead
        assert not set(self.lead.modes) & set(self.lead.modes_refused)
        if self.lead.state not in ("note_due", "note_sent", "call_due"):
            touch = {"follow_up"} if self.lead.state == "no_response" else set()
            assert {slot.kind for slot in self.lead.slots} <= touch
            assert len(self.lead.slots) <= 1
            assert self.lead.call_on is None
        if self.lead.state == "do_not_contact":
            assert {} == self.lead.timers
            assert () == self.lead.modes

    @invariant()
    @precondition(lambda self: self.lead is not None and self.lead.merged_into)
    def a_merged_lead_rests(self) -> None:
        """Nobody is contacted under it, and nothing of it is ahead."""
        assert self.lead
        assert self.lead.state in ("dropped", "do_not_contact")
        assert ({}, (), None) == (self.lead.timers, self.lead.slots, self.lead.hold)

    @invariant()
    @precondition(lambda self: self.lead is not None and self.lead.erased_at)
    def nothing_moves_after_an_erasure(self) -> None:
        """Whoever was erased stays where nobody is contacted, and all that is recorded is that things were refused."""
        assert self.lead
        assert self.lead.state == "do_not_contact"
        since = [event_type(recorded.data) for recorded in self.history].index("lead_erased")
        assert all(isinstance(recorded.data, CommandRefused) for recorded in self.history[since + 1 :])

    def teardown(self) -> None:
        """Replay: after each event the fold of what was read again is the lead that lived, byte for byte."""
        replayed = None
        for recorded, lived in zip(self.history, self.lived, strict=True):
            body = canonical(recorded)
            again = msgspec.json.decode(body, type=Recorded)
            assert body == canonical(again)
            replayed = fold(replayed, again)
            assert lived == canonical(replayed)
        assert canonical(replayed) == canonical(self.lead)
        for cut in {0, 1, len(self.history) // 2}:
            first = fold_all(None, self.history[:cut])
            seen = canonical(first)
            assert canonical(self.lead) == canonical(fold_all(first, self.history[cut:]))
            assert seen == canonical(first), "who folds many events at once works on a copy"
        if self.lead:
            assert list(range(1, self.lead.version + 1)) == [recorded.version for recorded in self.history]
            assert {LEAD_ID} == {recorded.stream_id for recorded in self.history}


def mail_commands(lead: Lead) -> list[Any]:
    """Return what may come of the mail that *lead* was to have last."""
    if not lead.mail:
        return []
    id_, purpose = lead.mail.id, lead.mail.purpose
    outcomes = [m.ReportMail(mail=id_, outcome=outcome) for outcome in ("sent", "deferred", "unconfirmed")]
    bounces = [m.RecordBounce(mail=id_, permanent=permanent, status="4.2.2") for permanent in (False, True)]
    return [m.SendMail(mail=id_, purpose=purpose, attempt=lead.mail.attempt + 1), *outcomes, *bounces]


def _crm_says(lead: Lead, today: date) -> c.UpdateContact:
    """Return what an import says of a sale that moved, another thing each day."""
    number = today.toordinal()
    last = (today - timedelta(days=number % 200), None, msgspec.UNSET)[number % 3]
    return c.UpdateContact(
        contact=WORDS,
        modes=lead.modes if number % 2 or lead.modes_refused else ALL_MODES,
        timezone=lead.timezone,
        last_contact_on=last,
        last_contact_before=msgspec.UNSET if last is msgspec.UNSET else lead.last_contact_at and lead.last_contact_at.date(),
        stage_depth=number % 6,
        value_band=number % 5 if number % 4 else msgspec.UNSET,
        minutes_added=(number % 7 - 2) * 200,
        law=_imported(number) if number % 2 else msgspec.UNSET,
    )


def _imported(number: int) -> ImportedLawFacts:
    """Return what a row says of contact law; some leave the region to the mapping, which was corrected meanwhile."""
    if number % 3:
        return ImportedLawFacts(region=("CA-ON", "US-NY", "FL")[number % 5 % 3], consumer=bool(number % 4 == 1))
    before = "US" if number % 5 else msgspec.UNSET
    return ImportedLawFacts(region=("CA", "US")[number % 5 % 2], region_assumed=True, assumed_before=before)


def _of_the_law(today: date) -> list[Any]:
    """Return what people say of a person's consent and number."""
    return [
        c.RecordLaw(law=LawFacts(region="CA-ON", inquired_on=today - timedelta(days=170))),
        c.RecordLaw(law=LawFacts(inquired_on=today - timedelta(days=10))),
        c.RecordLaw(law=LawFacts(region="US-NY", consumer=True)),
        c.RecordLaw(law=LawFacts(dnc_checked_on=today, dnc_listed=today.toordinal() % 5 == 0)),
        c.RecordLaw(law=LawFacts(consents=("email", "fax")), evidence=WORDS),
        c.RecordLaw(law=LawFacts(consents=())),
    ]


def pursuing(lead: Lead) -> list[tuple[Any, str]]:
    """Return what people say of how far a silent lead is pursued, and of keeping in touch."""
    if lead.state == "nurture":
        return [(p.SkipNurture(reason="nothing_new"), "rep:dan")]
    if lead.state != "no_response":
        return []
    said: list[Any] = [
        c.ConfirmCutBait(choice="one_more_try"),
        c.ConfirmCutBait(choice="nurture", reason=WORDS, override=WORDS),
        c.IntroduceConnector(connector=WORDS, relation="colleague", strength=2),
        p.RequestIntroduction(connector=1, minutes=3),
        p.WaiveMode(mode="handwritten_note", reason=WORDS),
    ]
    return [(command, "rep:dan") for command in said]


def sensible(lead: Lead, today: date, now: datetime) -> list[tuple[Any, str]]:
    """Return commands that make sense for *lead*, each with who gives it."""
    if lead.merged_into:
        crossed = take_in(lead.version, do_not_call_on=today, modes_refused=("post",) if today.day % 5 == 0 else ())
        return [(crossed, "manager:ann"), (OPEN_REPLY, "rep:dan"), (c.OptOut(channel="email"), "rep:dan")]
    day = CALENDAR.on_or_after(today)
    item = f"value-{len(lead.value_items_used)}"
    asset = c.SendNurtureTouch(mode="email", asset=item, attested=PLAYBOOK.checks.nurture)
    by_state: dict[str, list[Any]] = {
        "registered": [c.QueueRevival(), DECLINE],
        "declined": [
            c.RecordReason(kind="real", reason="no_need", evidence="call-7", words=WORDS),
            HOMEWORK,
            c.RecordStrategy(strategy=WORDS, missed_last_time=WORDS),
            h.OpenHistory(),
            h.AskWhy(outcome="answered", answers={"ideal_solution": WORDS}),
            h.AskWhy(outcome="not_reached", mode="email", answers={}),
            h.ReviewDecline(changed=True, finding=WORDS),
            h.AnticipateNeed(item=f"need-{len(lead.needs or ())}", need=WORDS, rationale=WORDS),
            c.Qualify(qualified=True),
            c.AnswerImportance(importance=5),
            c.QueueRevival(),
            c.StartNurture(),
        ],
        "queued": [
            c.ScheduleNote(note_on=day, call_on=CALENDAR.add_working_days(day, 5)),
            c.ScheduleCall(call_on=CALENDAR.next_working_day(day)),
        ],
        "note_due": [
            sent_command(),
            c.MarkNoteSent(medium="hand_written", attested=PLAYBOOK.checks.note, text=WORDS, photo=WORDS),
        ],
        "note_sent": [OPEN_REPLY, c.RecordReturn(), NO_REPLY],
        "call_due": [
            VOICEMAIL,
            CONNECTED,
            c.RecordCall(outcome="not_now", revisit_on=today + timedelta(days=40)),
            c.RescheduleCall(call_on=CALENDAR.next_working_day(day), reason="capacity"),
            c.BookMeeting(meeting_at=now + timedelta(days=2)),
        ],
        "no_response": [
            touch_command(item),
            c.ScheduleNote(note_on=day, call_on=CALENDAR.add_working_days(day, 5), value_item=item),
            c.ScheduleCall(call_on=day, value_item=item),
            c.ScheduleTouch(touch_on=day, mode="email", value_item=item),
            c.RecordOffer(solution=WORDS, benefit=WORDS),
            c.ConfirmCutBait(choice="breakup"),
            c.LeaveBreakupVoicemail(),
            c.SendBreakupEmail(monitored_reply_address=True, override=WORDS),
            c.LeaveBreakupVoicemail(attested=("mentions_mail",), minutes=2),
            c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)),
            c.SendBreakup(),
            c.StartNurture(waiver=WORDS),
            queue_breakup_mail(),
            *mail_commands(lead),
        ],
        "breakup_sent": [OPEN_REPLY, NO_REPLY],
        "nurture": [
            h.ReviewDecline(changed=False, finding=WORDS),
            asset,
            OPEN_REPLY,
            HOMEWORK,
            c.QueueRevival(reason="job_change"),
            m.QueueNurtureMail(mail=MAIL_ID, text=WORDS, asset=item, attested=PLAYBOOK.checks.nurture),
            *mail_commands(lead),
        ],
        "re_engaged": [
            OPEN_REPLY,
            c.BookMeeting(meeting_at=now + timedelta(days=5)),
            DECLINE,
            c.MarkWon(),
        ],
        "meeting_booked": [c.RecordMeeting(next_step="send", next_step_on=today + timedelta(days=30)), OPEN_REPLY],
        "won": [OPEN_REPLY, DECLINE],
        "dropped": [OPEN_REPLY, c.QueueRevival()],
        "do_not_contact": [c.RegrantConsent(evidence=WORDS, modes=("call", "email", "handwritten_note"))],
    }
    actor = "manager:ann" if lead.state in ("dropped", "do_not_contact") else "rep:dan"
    options = [(command, actor) for command in by_state[lead.state]] * 3
    options += [(command, "crm") for command in (DECLINE, NO_REPLY, OPEN_REPLY, c.MarkWon())]
    options += [(_crm_says(lead, today), "import"), *((command, "rep:dan") for command in _of_the_law(today))]
    options += [(c.Reassign(owner="eve" if lead.owner == "dan" else "dan"), "manager:ann")]
    options += [(c.Release(), "rep:dan")] * 4 if lead.hold else [(c.Hold(reason="manual"), "rep:dan")]
    if not lead.hold:
        options.append((c.Hold(reason="rep_absent", until=today + timedelta(days=9)), "rep:dan"))
    return options
