"""Write a golden file for each event type that has none yet: ``python -m tests.workflows.make_golden``.

Files that exist are never touched: they are what was written into logs, and every later version must read them as they are.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

from msgspec.structs import replace

from tests.workflows.life import (
    CALENDAR,
    DECLINE,
    INTO,
    LEAD_ID,
    MAIL_ID,
    MERGE,
    OPEN_REPLY,
    START,
    WORDS,
    Life,
    life_in,
    make_ready,
    queue_nurture_mail,
    ready_to_break_up,
    register,
)
from tests.workflows.promotion import CAMPAIGN, Promotion, declined, letter, passed
from workflows import campaign_commands as a
from workflows import commands as c
from workflows import homework_commands as h
from workflows import mail_commands as m
from workflows import operations as o
from workflows import pursuit_commands as p
from workflows.books import Book
from workflows.calendars import Holiday
from workflows.checks import INVITATION_CHECKS
from workflows.codec import canonical
from workflows.events import AnyEvent, HeadsRecorded, Holdings, Recorded, event_type
from workflows.handle import Carrier
from workflows.heads import Head, leaf_of
from workflows.law_facts import LawFacts
from workflows.merge_commands import TakeInDuplicate
from workflows.merging import facts_of
from workflows.playbooks import Playbook
from workflows.rep import handle_rep, rep_id
from workflows.service_stream import service_event

GOLDEN = Path(__file__).parent / "golden"


def _lives() -> Iterator[Life]:
    """Yield lives that between them hold every event of a lead."""
    life = life_in("declined")
    make_ready(life)
    life.must(c.RecordReason(kind="real", reason="no_need", evidence="call-12", words=WORDS, minutes=9))
    life.must(c.IntroduceConnector(connector=WORDS))
    life.must(h.OpenHistory())
    life.must(h.AskWhy(outcome="answered", answers={"ideal_solution": WORDS}, minutes=11))
    life.must(h.AnticipateNeed(item="roof-2027", need=WORDS, rationale=WORDS))
    life.must(h.UncoverOpportunity(what=WORDS, source="call-12"))
    life.must(h.ReviewDecline(changed=False, finding=WORDS))
    life.must(c.RecordLaw(law=LawFacts(region="US-FL", consumer=True, dnc_checked_on=life.today, dnc_listed=False)))
    life.must(c.UpdateContact(contact=WORDS, modes=("call", "email"), timezone="America/Denver"))
    life.must(c.Hold(reason="legal_review"))
    life.fire("hold_review")
    life.must(c.Release())
    life.migrate(replace(life.playbook, version="1.1.0"))
    life.must(c.Reassign(owner="eve"), "manager:ann")
    life.must(c.Drop(reason="duplicate"), "manager:ann")
    yield life
    life = life_in("no_response")
    life.fire("response_window")
    ready_to_break_up(life)
    life.must(c.SendBreakup())
    yield life
    life = life_in("call_due")
    life.must(c.RescheduleCall(call_on=life.today + timedelta(days=1), reason="prospect_asked"))
    life.fire("call_late")
    life.fire("call_expiry")
    yield life
    life = life_in("note_due")
    life.do(c.MarkNoteSent(medium="robot_pen"))
    life.fire("note_slot")
    yield life
    life = declined()
    life.must(c.UpdateContact(contact=WORDS, modes=("post",)))
    life.verdicts = passed(INVITATION_CHECKS)
    life.must(letter(LEAD_ID))
    yield life
    life = Life()
    life.must(register(open_opportunity=True))
    life.must(a.MoveStage(stage_depth=2))
    life.wait(days=31).must(a.ProposeCold())
    yield life
    life = life_in("note_sent")
    life.must(c.RecordReturn())
    yield life
    life = life_in("call_due")
    life.must(
        c.RecordCall(outcome="connected", personal_topic_first=True, next_step="send-plan", next_step_on=date(2026, 1, 20))
    )
    life.must(c.BookMeeting(meeting_at=life.now + timedelta(days=6)))
    life.fire("meeting_outcome")
    life.must(c.BookMeeting(meeting_at=life.now + timedelta(days=6)))
    life.wait(days=6).must(c.RecordMeeting(decision="buys", minutes=50))
    life.must(c.MarkWon(), "crm")
    yield life
    life = life_in("no_response")
    life.wait(days=14)
    life.must(c.ScheduleTouch(touch_on=life.today, mode="courier", value_item="study"), "planner")
    life.must(c.SendTouch(mode="courier", value_item="study", attested=life.playbook.checks.touch))
    life.wait(days=14)
    life.must(c.ScheduleCall(call_on=life.today, value_item="video"), "planner")
    life.must(OPEN_REPLY)
    yield life
    life = life_in("no_response")
    life.must(p.WaiveMode(mode="courier", reason=WORDS))
    life.must(c.IntroduceConnector(connector=WORDS, relation="colleague", strength=2))
    life.must(p.RequestIntroduction(connector=1, minutes=4))
    life.must(p.DenyConnector())
    yield life
    life = life_in("nurture")
    life.must(c.RecordLaw(law=LawFacts(region="CA-ON", inquired_on=life.today)))
    life.fire("consent_expires")
    yield life
    life = life_in("nurture")
    life.fire("nurture_touch")
    life.must(p.SkipNurture(reason="nothing_new"))
    yield life
    life = life_in("nurture")
    life.fire("nurture_touch")
    life.must(c.SendNurtureTouch(mode="email", asset="study", attested=life.playbook.checks.nurture))
    life.fire("nurture_floor")
    life.must(c.OptOut(channel="email"))
    life.must(DECLINE)
    life.must(c.OptOut())
    life.must(c.RegrantConsent(evidence=WORDS, modes=("call",)), "manager:ann")
    life.holdings = Holdings(contact="b" * 64, documents=("c" * 64, "d" * 64), messages=9)
    life.must(c.EraseLead(reason=WORDS), "operator:pia")
    yield life
    life = life_in("no_response")
    life.must(DECLINE)
    facts = facts_of(life.lead)
    life.must(MERGE, "manager:ann")
    life.must(TakeInDuplicate(duplicate=INTO, version=9, facts=facts), "manager:ann")
    yield life
    life = life_in("nurture")
    for outcome in ("deferred", "unconfirmed", "sent"):
        life.must(queue_nurture_mail(life))
        life.must(m.SendMail(mail=MAIL_ID, purpose="nurture", attempt=1))
        life.must(m.ReportMail(mail=MAIL_ID, outcome=outcome, code=250, status="2.0.0"))
        if outcome == "unconfirmed":
            life.must(m.ReportMail(mail=MAIL_ID, outcome="refused", reason="not_sent"))
    life.must(m.RecordBounce(mail=MAIL_ID, permanent=True, status="5.1.1"))
    yield life


def _rep(playbook: Playbook) -> Iterator[Recorded]:
    """Yield the events of a rep's own stream."""
    calendar = CALENDAR.cut(date(2026, 1, 1), date(2026, 12, 31))
    holiday = Holiday(day=date(2026, 1, 19), name="Martin Luther King Jr. Day")
    calendar = type(calendar)(
        timezone=calendar.timezone, first=calendar.first, last=calendar.last, holidays=(holiday,), offsets=calendar.offsets
    )
    carrier = Carrier(
        message_id=LEAD_ID,
        stream_id=rep_id("dan"),
        actor="manager:ann",
        correlation_id=LEAD_ID,
        causation_id=None,
        recorded_at=START,
    )
    known = handle_rep(
        None,
        c.SetCalendar(rep="dan", calendar=calendar, playbook="life"),
        now=START,
        calendar=None,
        playbook=playbook,
        book=Book(),
        carrier=carrier,
    )
    yield from known.recorded
    assert known.rep
    timer = known.rep.timers["plan_day"]
    ring = c.FireTimer(timer="plan_day", armed_version=timer.armed_version)
    planned = handle_rep(
        known.rep, ring, now=max(START, timer.due_at), calendar=calendar, playbook=playbook, book=Book(), carrier=carrier
    )
    yield from planned.recorded


def _promotion() -> Iterator[Recorded]:
    """Yield the events of a campaign's own stream, and of the events that it invites to."""
    promotion = Promotion()
    first, second, third = (promotion.lead(declined(), number) for number in range(3))
    training, house = promotion.event(seats=1), promotion.event("open-house")
    promotion.must(training, a.DescribeEvent(description=WORDS), a.ExcludeCompany(company=WORDS))
    promotion.begin()
    promotion.release()
    for lead in (first, second, third):
        promotion.sent(lead, training, house)
    for lead in (first, second):
        promotion.must(CAMPAIGN, a.RecordRsvp(lead_id=lead, event_id=training, channel="call"))
    promotion.must(training, a.GiveSeatBack(lead_id=first))
    promotion.must(training, a.RevokeApproval(reason=WORDS))
    promotion.must(house, a.CancelEvent())
    promotion.must(CAMPAIGN, a.TellInvitee(lead_id=third, event_id=house))
    promotion.must(house, a.EraseEventTexts(reason=WORDS))
    yield from promotion.log


def _service() -> Iterator[Recorded]:
    """Yield the events of the service's own stream."""
    head = Head(LEAD_ID, 3, bytes(range(32)))
    data = HeadsRecorded(size=3, streams=1, root=leaf_of(head.stream_id, head.commitment).hex())
    yield service_event(data, 1, now=START, actor="clock")
    some = "0123456789abcdef" * 4
    retried = o.Retried(message_id=LEAD_ID, stream_id=rep_id("dan"), actor_name="day_planned")
    acts: tuple[o.Operation, ...] = (
        o.MessagesRetried(messages=(retried,), reason=WORDS),
        o.LeadsImported(
            source="crm", file=some, mapping=some, rows=9, created=5, updated=1, unchanged=1, suppressed=1, rejected=1,
            messages=7,
        ),
        o.RecordsExported(
            scope="leads", leads=(LEAD_ID,), first=None, last=None, events=12, opened=True, size_bytes=34_567, digest=some,
            reason=WORDS,
        ),
        o.WorkPaused(actors=("*",), reason=WORDS),
        o.WorkResumed(actors=("day_planned", "note_scheduled"), reason=None),
        o.KeyInForce(key="thaw/test+5f8551c2+AbkYDn7NhmmLZBWJcZsd3Rs2M0I8QYNMdwpBAu12dtBN", replaces=None),
        o.PlaybookPublished(playbook="five-five-five", version="1.0.0", digest=some),
        o.WordingPublished(wording="breakup", digest=some, approved_by="manager:bob"),
        o.ProjectionsRebuilt(events=12, leads=3, reps=1, slots=4, timers=0, reason=None),
        o.SchemaMigrated(before="0002", after="0003"),
    )  # fmt: skip
    yield from (service_event(act, number, now=START, actor="ops:ann") for number, act in enumerate(acts, start=2))


def examples() -> dict[str, Recorded]:
    """Return one lived event of each type, by its stored name; one with its command where there is one."""
    found: dict[str, Recorded] = {}
    for recorded in (
        *(one for life in _lives() for one in life.history),
        *_rep(life_in("registered").playbook),
        *_promotion(),
        *_service(),
    ):
        name = event_type(recorded.data)
        if name not in found or (found[name].command is None and recorded.command is not None):
            found[name] = recorded
    return found


def missing() -> set[str]:
    """Return the stored names of event types without a golden file."""
    names = {str(kind.__struct_config__.tag) for kind in get_args(AnyEvent)}
    return names - {path.stem for path in GOLDEN.glob("*.json")}


def main() -> None:
    """Write what is missing."""
    GOLDEN.mkdir(exist_ok=True)
    lived = examples()
    for name in sorted(missing()):
        (GOLDEN / f"{name}.json").write_bytes(canonical(lived[name]))


if __name__ == "__main__":
    main()
