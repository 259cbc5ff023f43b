"""A lead that was merged: the verifier makes both halves again, compares them, and says which history is not there."""

from datetime import date, timedelta
from pathlib import Path
from typing import get_args
from uuid import UUID

import msgspec
import pytest

from tests.service.bundle.conftest import Filled
from tests.service.bundle.forge import Forged, checked, verdict
from tests.service.bundle.office import ALL, Office, leads_of
from tests.service.bundle.rules import follow
from tests.service.bundle.test_rules import refused_by_the_list
from tests.workflows.life import (
    CALENDAR,
    DECLINE,
    LEAD_ID,
    MAIL_ID,
    MERGE,
    OPEN_REPLY,
    PLAYBOOK,
    ROADS,
    WORDS,
    Life,
    life_in,
    queue_nurture_mail,
    register,
    take_in,
)
from tests.workflows.promotion import letter, passed
from workflows import commands as c
from workflows import mail_commands as m
from workflows.checks import INVITATION_CHECKS
from workflows.decline import Decline
from workflows.law_facts import ImportedLawFacts, LawFacts
from workflows.merge_commands import MergeLead
from workflows.merge_events import OtherLead

ALTERED, UNDERIVED = 1, 4
MANAGER = "manager:ann"


def agrees(life: Life) -> None:
    """Assert that the verifier makes every event of *life* again, and finds nothing."""
    found, tally = follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("state", sorted(ROADS))
def test_a_merge_from_every_state_follows(state: str, held: bool) -> None:
    """What ends, what is told, what is refused from then on, and that the lead stands again when merges crossed."""
    life = life_in(state)
    if held:
        life.do(c.Hold(reason="manual"))
    life.do(MERGE)
    for into in (None, OtherLead(known=True, erased=True), OtherLead(known=True, merged_into=LEAD_ID)):
        life.into = into
        assert "refused" == life.do(MERGE, MANAGER).answer
    life.into = OtherLead(known=True)
    life.do(MergeLead(into=LEAD_ID), MANAGER)
    if life.do(MERGE, MANAGER).answer == "refused":
        life.must(c.Release())
        life.must(MERGE, MANAGER)
    update = c.UpdateContact(contact=WORDS, modes=("call", "email"), law=ImportedLawFacts(region="CA-ON"))
    for command in (MERGE, OPEN_REPLY, DECLINE, c.OptOut(channel="post"), c.QueueRevival(), update):
        life.do(command, MANAGER)
    life.must(take_in(5, modes_refused=("email", "handwritten_note")), MANAGER)
    life.do(take_in(5), MANAGER)
    life.do(c.QueueRevival(), "planner")
    life.must(take_in(1, duplicate=UUID(int=5), won=True, modes_refused=("fax",)), MANAGER)
    life.must(MERGE, MANAGER)
    life.must(c.EraseLead(reason=WORDS), "operator")
    life.do(take_in(6), MANAGER)
    agrees(life)


def test_every_fact_follows() -> None:
    """Each is told as it stood at the duplicate, and holds where it is the stricter; then it is told on."""
    life = Life()
    life.must(register(open_opportunity=True, last_contact_on=date(2025, 3, 1)), "import")
    life.must(DECLINE)
    life.must(c.RecordReason(kind="stated", reason="budget"))
    life.must(c.RecordReason(kind="real", reason="lost_trust", evidence="call-1", words=WORDS))
    life.must(c.UpdateContact(contact=WORDS, modes=("post", "email", "call"), open_opportunity=False))
    life.verdicts = passed(INVITATION_CHECKS)
    life.must(letter(LEAD_ID))
    life.verdicts = ()
    life.must(c.RecordLaw(law=LawFacts(dnc_checked_on=life.today, dnc_listed=True)))
    later = Decline(
        kind="hold", stated_reason="busy", at=life.now + timedelta(days=1), revisit_on=date(2026, 8, 1),
        keep_in_touch_requested=True, real_reason="no_need",
    )  # fmt: skip
    earlier = msgspec.structs.replace(later, at=life.now - timedelta(days=400), stated_reason="late")
    life.wait(days=2)
    for number, (decline, day) in enumerate([(earlier, date(2025, 1, 2)), (later, date(2026, 1, 6)), (None, None)], start=1):
        life.must(
            take_in(
                number,
                duplicate=UUID(int=number),
                decline=decline,
                do_not_call_on=day,
                revisit_on=date(2026, 5, number),
                last_contact_at=life.now - timedelta(days=9 * number),
                last_touch_at=life.now - timedelta(hours=number) if number > 1 else None,
                called_at=life.now - timedelta(days=50 * number),
                nurture_touched_at=life.now - timedelta(days=number),
                value_items_used=("report", f"item-{number}"),
                invitations=(UUID(int=number), UUID(int=2)),
                open_opportunity=number == 2,
            ),
            MANAGER,
        )
    life.do(c.QueueRevival())
    life.must(MERGE, MANAGER)
    agrees(life)


@pytest.mark.parametrize("modes", ["email", "fax handwritten_note post", " ".join(sorted(get_args(c.Mode)))])
@pytest.mark.parametrize("state", ["queued", "do_not_contact"])
def test_what_the_list_said_of_a_merged_lead_follows(state: str, modes: str) -> None:
    """It is told on as it was recorded; facts that leave it out are found."""
    life = life_in(state)
    if state == "queued":
        life.must(c.OptOut(channel="text_message"))
    life.verdicts = refused_by_the_list(modes)
    life.must(MERGE, MANAGER)
    agrees(life)
    last = life.history[-1]
    facts = msgspec.structs.replace(last.data.facts, modes_refused=())  # type: ignore[union-attr]  # a lead_merged
    silent = msgspec.structs.replace(last, data=msgspec.structs.replace(last.data, facts=facts))
    found, _ = follow([*life.history[:-1], silent], playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert any("data.facts.modes_refused" in each for each in found), found


def test_dates_that_cannot_be_right_follow() -> None:
    """A slip of the pen is refused in a look-up, and taken from a duplicate, whose log has let it in; not all is."""
    life = life_in("queued")
    for day in (date(1926, 11, 2), date(1970, 1, 1)):
        life.do(c.RecordLaw(law=LawFacts(dnc_checked_on=day, dnc_listed=True)))
    far = life.today + timedelta(days=3661)
    life.must(take_in(3, do_not_call_on=date(1926, 11, 2), revisit_on=far), MANAGER)
    assert "plausible_date" == life.do(take_in(4, revisit_on=far + timedelta(days=1)), MANAGER).rule
    assert "plausible_date" == life.do(take_in(4, do_not_call_on=date(1, 12, 31)), MANAGER).rule
    life.must(take_in(4, do_not_contact=True, do_not_call_on=date(2, 1, 1)), MANAGER)
    agrees(life)


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("state", ["nurture", "call_due"])
def test_a_day_that_was_named_follows(state: str, held: bool) -> None:
    """The timer that it arms, or does not, and what a hold keeps of it."""
    life = life_in(state)
    if held:
        life.must(c.Hold(reason="manual"))
    for number, days in enumerate([-40, 50, 50, 20, None], start=1):
        life.must(take_in(number, revisit_on=None if days is None else life.today + timedelta(days=days)), MANAGER)
    life.do(c.Release())
    life.wait(days=1)
    life.do(c.RecordCall(outcome="not_now", keep_in_touch_requested=True))
    life.must(take_in(9, revisit_on=life.today + timedelta(days=80)), MANAGER)
    assert "revisit" in life.lead.timers or life.lead.state != "nurture"
    agrees(life)


def test_mail_of_a_merged_lead_follows() -> None:
    """One that is on its way is waited for; one that came back later is recorded, and another is not sent."""
    life = life_in("nurture")
    life.must(queue_nurture_mail(life))
    life.must(m.SendMail(mail=MAIL_ID, purpose="nurture", attempt=1))
    assert "no_mail_under_way" == life.do(MERGE, MANAGER).rule
    life.must(m.ReportMail(mail=MAIL_ID, outcome="sent"))
    life.must(MERGE, MANAGER)
    life.must(m.RecordBounce(mail=MAIL_ID, permanent=True, status="5.1.1"))
    life.do(m.SendMail(mail=MAIL_ID, purpose="nurture", attempt=2))
    agrees(life)


def test_what_a_merged_lead_should_have_refused_is_found() -> None:
    """A reply that was recorded on it although it belongs to the other lead; and a fact that was told wrongly."""
    life = life_in("queued")
    life.must(MERGE, MANAGER)
    honest = life_in("queued")
    honest.must(OPEN_REPLY)
    forged = msgspec.structs.replace(honest.history[-1], version=len(life.history) + 1, message_id=MAIL_ID)
    found, _ = follow([*life.history, forged], playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert any("row is T49" in each for each in found), found
    aside = life_in("queued")
    aside.must(c.Qualify(qualified=True))
    forged = msgspec.structs.replace(aside.history[-1], version=len(life.history) + 1, message_id=MAIL_ID, state="dropped")
    found, _ = follow([*life.history, forged], playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert any("command_refused by merged" in each for each in found), found
    merged = life.history[-1]
    facts = msgspec.structs.replace(merged.data.facts, do_not_contact=True)  # type: ignore[union-attr]  # a lead_merged
    told = msgspec.structs.replace(merged, data=msgspec.structs.replace(merged.data, facts=facts))
    found, _ = follow([*life.history[:-1], told], playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert any("data.facts.do_not_contact is true, and false" in each for each in found), found


def merged(office: Office) -> tuple[UUID, UUID]:
    """Merge one lead of the office into another, and return the two: the duplicate, and the one that goes on."""
    duplicate, lead = office.leads[2], office.leads[1]
    office.hand_in(duplicate, MergeLead(into=lead), who=MANAGER)
    return duplicate, lead


def test_a_lead_that_was_merged(office: Office, filled: Filled, tmp_path: Path) -> None:
    """Each history is complete; each names the other until both are in the bundle, and then they are compared."""
    duplicate, lead = merged(office)
    for one, other, says in ((duplicate, lead, f"into which {duplicate} was merged"), (lead, duplicate, f"merged into {lead}")):
        report = checked(office.bundle(leads_of(one), tmp_path / "b.zip", opened=True), filled.key)
        assert (0, []) == (report.status, report.ordered())
        assert any(each.startswith(f"{one}: ") and "and no others" in each for each in report.checked)
        assert any(f"the history of {other}" in each and says in each for each in report.unchecked), report.unchecked
        assert not any("merged into another, which was told" in each for each in report.checked)
    for selection in (leads_of(lead, duplicate), ALL):
        report = checked(office.bundle(selection, tmp_path / "b.zip", opened=True), filled.key)
        assert (0, []) == (report.status, report.ordered())
        assert any("1 lead merged into another, which was told" in each for each in report.checked)
        assert not any("is a stream of its own" in each for each in report.unchecked)


def test_a_text_of_a_merged_lead_that_is_left_out_is_missed(office: Office, filled: Filled, tmp_path: Path) -> None:
    """Its texts stay with it: that it was merged excuses nobody from showing them."""
    duplicate, _ = merged(office)
    forged = Forged(office.bundle(leads_of(duplicate), tmp_path / "b.zip", opened=True))
    texts = forged.lines("opened.ndjson")
    assert len(texts) > 1
    forged.put("opened.ndjson", texts[1:])
    status, found = verdict(forged.listed_anew(), filled.key)
    assert (2, True) == (status, "a text that it commits to is not here" in found), found


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"revisit_on":null', '"revisit_on":"2027-01-01"', "the history of {duplicate} says otherwise"),
        ('"duplicate":"{duplicate}"', '"duplicate":"{other}"', "the history of {other} knows of no such merge"),
    ],
)
def test_another_half_under_the_right_key_is_found(
    office: Office, filled: Filled, tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    """The operator signs a log in which a lead took in something else than its duplicate said; both halves are sound alone."""
    duplicate, lead = merged(office)
    named = {"duplicate": duplicate, "other": office.leads[7]}
    office.sql(
        "UPDATE events SET body = replace(body, :old, :new) WHERE type = 'duplicate_taken_in'",
        old=old.replace("{duplicate}", str(duplicate)), new=new.replace("{other}", str(named["other"])),
    )  # fmt: skip
    office.forget_what_was_signed()
    office.rehash()
    for selection in (ALL, leads_of(lead, duplicate, named["other"])):
        status, found = verdict(office.bundle(selection, tmp_path / "b.zip"), filled.key)
        assert status == UNDERIVED, found
        assert sentence.format(**named) in found


def test_a_merge_that_was_taken_in_by_nobody_yet_is_no_finding(office: Office, filled: Filled, tmp_path: Path) -> None:
    """The message is still on its way, as far as a bundle tells; whether it arrives is said not to be checked."""
    duplicate, lead = merged(office)
    line = "whether 1 lead that was merged arrived where it went: of a message under way a bundle says nothing"
    assert line not in checked(office.bundle(leads_of(lead, duplicate), tmp_path / "b.zip"), filled.key).unchecked
    office.sql("DELETE FROM events WHERE type = 'duplicate_taken_in'")
    office.close_the_gaps()
    office.forget_what_was_signed()
    office.rehash()
    report = checked(office.bundle(leads_of(lead, duplicate), tmp_path / "b.zip"), filled.key)
    assert (0, []) == (report.status, report.ordered())
    assert line in report.unchecked
    assert line not in checked(office.bundle(leads_of(duplicate), tmp_path / "b.zip"), filled.key).unchecked
