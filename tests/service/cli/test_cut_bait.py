"""Letting go from the command line: the card, the decision, and what the log keeps of it."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event

from models.database import transaction
from models.playbooks import playbooks_by_digest
from models.queues import read_queue
from service.cut_bait import _shown
from tests.service.cli.test_homework import study
from tests.service.sheets import sheet
from tests.service.world import MONDAY, World
from tests.workflows.life import PURSUED, life_in
from workflows.commands import AnswerImportance, QueueRevival, RecordCall, RecordLaw, SendTouch
from workflows.cut_bait import Kind, card, owed_of, queue_of
from workflows.events import CutBaitConfirmed
from workflows.law_facts import LawFacts
from workflows.pursuit_facts import Owed, Queue
from workflows.pursuit_playbook import Pursuit

TOUCH = ("recalls_prior_interest", "no_empty_check_in")


@pytest.fixture
def silent(world: World) -> World:
    """A team of two with a queue, and V-0000 tried three times without an answer: by note, call, mail and call."""
    world.rep()
    world.rep("eve")
    lead = world.take_in(stage_depth=0, value_band=0, minutes_invested=600, person={"prior_interest": "a garden"})
    for number in range(3):
        world.take_in(owner="eve", stage_depth=4, value_band=3, person={"name": f"Queued {number}"}, modes=("email",))
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
    world.at(MONDAY + timedelta(days=8))
    world.hand_in(lead, RecordCall(outcome="voicemail", minutes=5))
    for number, item in enumerate(("market-report", "customer-story"), start=2):
        world.at(MONDAY + timedelta(days=3 + 7 * number))
        if world.lead(lead).state == "call_due":
            world.hand_in(lead, RecordCall(outcome="no_answer", minutes=3))
        else:
            world.hand_in(lead, SendTouch(mode="email", value_item=item, attested=TOUCH, minutes=6))
    assert world.lead(lead).attempts == 3
    return world


def test_a_voicemail_waits_as_its_mail_does(silent: World) -> None:
    """A1-3, A1-9: it promises a mail, and that may not go before enough was tried, the offer is known and somebody decided."""
    voicemail = ("breakup", "voicemail", "V-0000", "--text", "It is Dan. Look at the email that I sent you.")
    with silent.worker():
        assert "refused (offer_known)" in silent.refused(1, *voicemail)
        silent.ok("offer", "V-0000", "--solution", "phase two", "--benefit", "a garden")
        assert "refused (cut_bait_confirmed)" in silent.refused(1, *voicemail)
        silent.ok("breakup", "confirm", "V-0000", "--choice", "breakup", "--reason", "silent", "--override", "known to us all")
        silent.ok(*voicemail)
    assert silent.said("rederive", "--all")["mismatches"] == []


def test_the_sheet_says_what_a_decided_breakup_still_lacks(silent: World) -> None:
    """Decided on without the offer, its voicemail would be refused: the sheet names the way out, and then the voicemail."""
    with silent.worker():
        silent.ok("breakup", "confirm", "V-0000", "--choice", "breakup", "--reason", "silent", "--override", "known to us all")
        found = sheet(silent)
        assert [each.kind for each in found.items if each.kind == "breakup"] == []
        (stopped,) = (each for each in found.blocked if each.kind == "breakup")
        assert (stopped.key, stopped.rule) == ("V-0000", "offer_known")
        assert stopped.unblock == "thaw offer V-0000 --solution TEXT --benefit TEXT"
        silent.ok("offer", "V-0000", "--solution", "phase two", "--benefit", "a garden")
        (item,) = (each for each in sheet(silent).items if each.kind == "breakup")
        silent.ok(*item.commands[0].split()[1:])


def decided(silent: World) -> None:
    """Know what a breakup says, and decide on one."""
    silent.ok("offer", "V-0000", "--solution", "phase two", "--benefit", "a garden")
    silent.ok("breakup", "confirm", "V-0000", "--choice", "breakup", "--reason", "silent", "--override", "known to us all")


def test_a_person_decides_on_a_card_and_the_log_keeps_what_was_shown(silent: World) -> None:
    """A1-8, A1-13, A3-11, A3-12: `thaw cut-bait` shows every part and the choices; the decision stores them and follows from
    them; the minutes that it frees, and who is next for them, stand on the day's page and in the accounts."""
    (shown,) = silent.said("cut-bait")["cards"]
    assert [command.rpartition(" --choice ")[2] for command in shown["commands"]] == [
        "breakup --reason TEXT --override TEXT", "one_more_try", "nurture --reason TEXT --override TEXT",
    ]  # fmt: skip
    who, how_important = "thaw connector V-0000 --who TEXT, or thaw no-connector V-0000", "thaw importance V-0000 NUMBER"
    assert [f"first, or with --override: {step}" for step in (who, how_important)] == shown["lines"][-3:-1]
    card = shown["card"]
    assert (card["attempts"], card["most"], card["queued"], card["grounds"]) == (3, 6, 3, ["below_the_queue"])
    # 1000 x 2 % x 0.6^3 over 3 follow-ups and a breakup; the queue: 10000 x 35 % over 8 + 12 + 5 x 6 + 6 minutes.
    assert (card["return_per_hour"], card["median"], card["chance"]) == (10, 3750, 43)
    printed = silent.ok("cut-bait", "--rep", "dan")
    assert "Ada Amberfield (V-0000), dan: it brings 10 an hour, and the queue 3750" in printed
    assert "value 1000 x chance 0.43 % over 24 minutes = 10 an hour; the middle of 3 queued brings 3750" in printed
    assert printed.endswith("in the currency of the playbook's value_by_band\n1 lead is proposed for letting go\n")
    assert silent.ok("cut-bait", "--rep", "eve") == "nobody is proposed for letting go\n"
    (decision,) = sheet(silent).decisions
    assert decision.why == "it brings 10 an hour, and the queue 3750"
    silent.take_in(person={"name": "Finn Waiting"}, modes=("email",), stage_depth=4, value_band=3)
    with silent.worker():
        refused = silent.refused(1, "breakup", "confirm", "V-0000", "--choice", "nurture", "--reason", "too little in it")
        assert "refused (everything_tried)" in refused
        assert refused.endswith(f"\nto go on: {who}; {how_important}; or --override TEXT, with why not\n")
        silent.ok("connector", "V-0000", "--who", "Her sister Ida", "--relation", "sister", "--strength", "3")
        refused = silent.refused(1, "breakup", "confirm", "V-0000", "--choice", "nurture", "--reason", "too little in it")
        assert f"to go on: thaw introduction V-0000 1; {how_important}; or --override" in refused
        waiving = ("breakup", "waive", "V-0000", "--mode", "email", "--reason", "none")
        assert "to go on: --mode MODE with one that is open" in silent.refused(1, *waiving)
        silent.ok("introduction", "V-0000", "1", "--minutes", "4")
        silent.ok("importance", "V-0000", "2")
        nothing = "to go on: nothing is left to waive; thaw lead V-0000 says what comes next"
        assert nothing in silent.refused(1, *waiving)
        (shown,) = silent.said("cut-bait")["cards"]
        assert not any(line.startswith("first") for line in shown["lines"])
        assert "thaw breakup confirm V-0000 --choice breakup --reason TEXT" in shown["commands"]
        silent.ok("breakup", "confirm", "V-0000", "--choice", "nurture", "--reason", "too little in it")
        assert silent.said("cut-bait")["cards"] == []
        silent.ok("nurture", "start", "V-0000")
    stored = next(each for each in silent.events(silent.leads[0]) if isinstance(each.data, CutBaitConfirmed))
    assert isinstance(stored.data, CutBaitConfirmed)
    assert stored.data.card
    assert (stored.data.card.return_per_hour, stored.data.card.median) == (10, 3750)
    assert stored.data.card.checklist.connector == "asked"
    assert (stored.actor, bool(stored.data.reason)) == ("rep:dan", True)
    (released,) = sheet(silent).released
    assert released == "24 minutes released by letting go of Ada Amberfield: they go to Finn Waiting, next in the queue"
    assert released in silent.ok("today", "--rep", "dan")
    told = " ".join(silent.ok("replay", "V-0000").split())
    assert "card value 1000; chance 43; attempts 3; most 6; minutes needed 24;" in told
    assert "connector asked; importance 2; nurture modes email post" in told
    assert silent.said("rederive", "--all")["mismatches"] == []
    assert silent.lead(silent.leads[0]).state == "nurture"
    figures = [line["figures"] for line in silent.said("accountability", "--from", "2026-01-01", "--rep", "dan")["lines"]]
    # Three of six attempts were left, at six minutes each, and no breakup is made.
    assert sum(each["minutes_released"] for each in figures) == 24


def test_a_breakup_voicemail_says_that_a_mail_comes(silent: World) -> None:
    """A1-9: the words of the voicemail are read as those of the mail are; an override with a reason lets it pass."""
    with silent.worker():
        decided(silent)
        said = silent.refused(1, "breakup", "voicemail", "V-0000", "--text", "It is Dan. I tried to reach you three times.")
        assert "refused (check.mentions_mail): The voicemail does not say that a mail comes with it." in said
        silent.ok("breakup", "voicemail", "V-0000", "--text", "It is Dan. Look at the email that I sent you.")


def test_a_breakup_whose_mail_may_not_be_sent_is_not_waited_for(silent: World) -> None:
    """Nobody knows where they live: the sheet says so, and leads to nurture, which takes the lead without its breakup."""
    (lead, *_) = silent.leads
    with silent.worker():
        silent.ok("offer", "V-0000", "--solution", "phase two", "--benefit", "a garden")
        why = ("--reason", "tried enough", "--override", "nobody knows them")
        silent.ok("breakup", "confirm", "V-0000", "--choice", "breakup", *why)
        assert "decided: break up" in silent.ok("today", "--rep", "dan")
        silent.hand_in(lead, RecordLaw(law=LawFacts(region="FL")))
        said = " ".join(silent.ok("today", "--rep", "dan").split())
        assert "decided: break up, and its mail may not be sent: Nobody knows where they live (FL is no region)" in said
        assert "thaw nurture start V-0000" in said
        silent.ok("nurture", "start", "V-0000")
    assert "nurture" == silent.lead(lead).state


def test_halves_of_a_breakup_whose_words_are_not_kept_are_vouched_for_and_counted(silent: World) -> None:
    """A1-9: without the words somebody says that they hold what they must, and the report counts them as unread."""

    def unread() -> int:
        lines = silent.said("accountability", "--from", "2026-01-01", "--rep", "dan")["lines"]
        return sum(line["figures"]["unverified"] for line in lines)

    mail, before = ("breakup", "email", "V-0000", "--monitored"), unread()
    with silent.worker():
        decided(silent)
        assert "refused (check.mentions_mail): Nobody has confirmed that" in silent.refused(1, "breakup", "voicemail", "V-0000")
        said = " ".join(silent.refused(1, *mail).split())
        assert "refused (check.breakup_parts)" in said
        assert "they were tried 3 times and that a no is fine" in said
        assert "has no such check here; it has breakup_parts" in silent.refused(2, *mail, "--attest", "mentions_mail")
        silent.ok("breakup", "voicemail", "V-0000", "--attest-all")
        silent.ok(*mail, "--attest", "breakup_parts")
    assert silent.said("rederive", "--all")["mismatches"] == []
    assert unread() == before + 2


def test_months_and_introductions_from_the_command_line(silent: World) -> None:
    """A3-3, A3-4, A3-6: a month that is left out has its reason, and a reply is credited to whoever introduced us."""
    with silent.worker():
        silent.ok("decline", "V-0000", "--kind", "went_silent", "--stated-reason", "no_answer")
        silent.ok("nurture", "start", "V-0000")
        study(silent)
        silent.at(MONDAY + timedelta(days=60))
        silent.ok("nurture", "skip", "V-0000", "--reason", "nothing_new", "--words", "Spring comes late")
        silent.at(MONDAY + timedelta(days=95))
        silent.ok("nurture", "touch", "V-0000", "--mode", "post", "--asset", "issue-7", "--kind", "newsletter")
        silent.ok("connector", "V-0000", "--who", "Her sister Ida", "--relation", "sister")
        silent.ok("reply", "V-0000", "--channel", "call", "--introduced-by", "1")
    assert silent.ok("nurture", "months", "V-0000").splitlines() == [
        "2026-01  began", "2026-02  skipped: nothing_new", "2026-03  sent late", "2026-04  sent: issue-7",
    ]  # fmt: skip
    figures = [line["figures"] for line in silent.said("accountability", "--from", "2026-01-01", "--rep", "dan")["lines"]]
    assert sum(each["introductions"] for each in figures) == 1


def test_the_queue_in_the_database_is_the_queue_of_the_leads(silent: World) -> None:
    """The comparison rests on one moment of the log: SQL counts what the fold of each lead says, held ones left out."""
    silent.take_in(owner="dan", stage_depth=2, value_band=1, modes=("email",))
    important = silent.take_in(owner="dan", stage_depth=1, value_band=1, modes=("email",), queued=False)
    silent.hand_in(important, AnswerImportance(importance=3))
    silent.hand_in(important, QueueRevival())
    with silent.worker():
        silent.ok("hold", "V-0001", "--reason", "manual")
    pins = [lead.playbook for id_ in silent.leads if (lead := silent.lead(id_)).playbook]
    now = MONDAY + timedelta(days=40)
    for owner in ("dan", "eve", "nobody"):
        with transaction(silent.engine) as connection:
            found = read_queue(connection, owner, now, 4)
            known = playbooks_by_digest(connection, [pin.digest for pin in pins])
        team = [lead for id_ in silent.leads if (lead := silent.lead(id_)).state == "queued"]
        tried = [lead for id_ in silent.leads if (lead := silent.lead(id_)).state == "no_response" and lead.owner == owner]
        owed = owed_of(tried, known, now)
        assert [1] * (owner == "dan") == [each.leads for each in owed]
        # Who has no calendar has no playbook either: nothing is known of what a day holds.
        expected = () if owner == "nobody" else (owed, 25)
        assert found == queue_of(team, owner, found.position, PURSUED, *expected)
        assert sum(each.leads for each in found.alike) == len(team) - 1
    assert Kind(2, 1, important=False) in {Kind(e.stage_depth, e.value_band, e.important) for e in found.alike}


def test_the_queue_is_of_one_moment(silent: World) -> None:
    """What another worker commits while it is read is in all of it or in nothing: one statement looks at leads and reps."""
    heard: list[str] = []
    with transaction(silent.engine) as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: heard.append(given[2]))
        assert read_queue(connection, "dan", MONDAY + timedelta(days=40), 4).owed
    assert 1 == sum(re.search(r"FROM (leads|reps|log_head)\b", said) is not None for said in heard)


def test_alerts_name_time_without_hope_and_who_has_gone_silent(silent: World) -> None:
    """A3-1, A3-2, A3-10: minutes spent times one minus p; interest and two unanswered contacts; the manager sees the team."""
    found = {alert["rule"]: alert for alert in silent.said("alerts")["alerts"]}
    assert set(found) == {"inordinate_time", "gone_silent"}
    assert found["inordinate_time"]["says"] == "614 minutes spent at a chance of 0.43 %: 611 probably lost"
    assert found["gone_silent"]["says"] == "was interested in a garden, and 3 contacts went unanswered"
    assert silent.ok("alerts", "--rep", "eve") == "nothing to be alarmed at\n"
    assert silent.ok("alerts").endswith("\n2 alerts in all\n")
    cut = silent.ok("alerts", "--limit", 1).splitlines()
    assert (cut[-1], len(cut)) == ("2 alerts in all; not shown: 1 (--limit 2 shows all)", 3)
    with silent.worker():
        silent.ok(*found["gone_silent"]["command"].split()[1:])
    lead = silent.lead(silent.leads[0])
    assert (lead.state, lead.decline and lead.decline.kind) == ("declined", "went_silent")


def test_a_year_of_silence_names_its_owner(silent: World) -> None:
    """A1-12: who has heard nothing from us for more than 183 days stands among the alerts with the owner's name."""
    with silent.worker():
        silent.ok("decline", "V-0000", "--kind", "went_silent", "--stated-reason", "no_answer")
        silent.ok("nurture", "start", "V-0000")
    silent.at(MONDAY + timedelta(days=120))
    assert "silent_too_long" not in {alert["rule"] for alert in silent.said("alerts", "--rep", "dan")["alerts"]}
    silent.at(MONDAY + timedelta(days=24 + 184))
    (alert,) = (each for each in silent.said("alerts")["alerts"] if each["key"] == "V-0000")
    assert (alert["rule"], alert["owner"]) == ("silent_too_long", "dan")
    assert any(type(each.data).__name__ == "NurtureFloorReached" for each in silent.events(silent.leads[0]))


def test_whoever_is_one_too_many_learns_how_many_wait_and_how_many_the_days_hold() -> None:
    """Methods.md 6.3: seven are owed an attempt, five fit, and she brings least."""
    lead = life_in("no_response", playbook=PURSUED).wait(days=30).lead
    pursuit = PURSUED.pursuit or Pursuit()
    alone = card(lead, PURSUED, pursuit, Queue(position=1, alike=(), next_lead=None), lead.modes)
    owed = (Owed(return_per_hour=alone.return_per_hour, leads=1), Owed(return_per_hour=alone.return_per_hour + 1, leads=6))
    crowd = Queue(position=1, alike=(), next_lead=None, owed=owed, room=5)
    shown = _shown(lead, None, card(lead, PURSUED, pursuit, crowd, lead.modes), {}, crowd, PURSUED)
    reason = "7 wait to be tried again and the coming days hold 5: at {} an hour it brings least"
    assert ((), (reason.format(alone.return_per_hour),)) == (alone.grounds, shown.why)
    # A breakup would be refused after so few attempts, and whoever decides on one all the same keeps her from being planned.
    assert lead.attempts < PURSUED.attempts.min_before_breakup
    assert ["one_more_try", "nurture --reason TEXT --override TEXT"] == [
        said.rpartition(" --choice ")[2] for said in shown.commands
    ]


def test_who_waits_in_the_queue_for_half_a_year_is_an_alert_too(world: World) -> None:
    """A1-12: nobody turned to V-0000 since it is known; alerts, sheet and the manager's page say so, and why it waits."""
    world.rep()
    world.take_in(modes=("email",))
    for day in range(0, 181, 30):
        world.at(MONDAY + timedelta(days=day))
    assert world.said("alerts")["alerts"] == []
    assert "too long ago" not in world.ok("today")
    world.at(MONDAY + timedelta(days=185))
    (alert,) = world.said("alerts", "--rep", "dan")["alerts"]
    assert (alert["rule"], alert["owner"], alert["key"]) == ("silent_too_long", "dan", "V-0000")
    assert alert["says"].startswith("has heard nothing from us for 18")
    world.ok(*alert["command"].split()[1:])
    said = "1 lead heard from us too long ago, or less than twice in a year: `thaw alerts --rep dan` names them"
    assert said in world.ok("today")
    lines = world.said("accountability", "--from", "2026-01-05")["lines"]
    assert sum(line["figures"]["below_the_floor"] for line in lines) == 1


def test_an_alert_says_that_the_homework_keeps_us_from_writing(world: World) -> None:
    """A1-12, A2-9: who said no and was never studied hears nothing, and the floor's alert says what that waits for."""
    world.rep()
    world.register(1, queued=False)
    with world.worker():
        world.ok("decline", "V-0000", "--kind", "no", "--stated-reason", "price")
        world.ok("nurture", "start", "V-0000")
    world.at(MONDAY + timedelta(days=185))
    (alert,) = world.said("alerts")["alerts"]
    assert alert["says"].endswith("what comes before a contact is missing: history, homework, strategy")
    assert alert["command"] == "thaw history V-0000"


def test_an_alert_proposes_no_mail_that_the_law_forbids(world: World) -> None:
    """A1-12: of somebody in nurture who lives nobody knows where, the alert says what the sheet says."""
    world.rep()
    lead = world.take_in(queued=False, modes=("email",))
    with world.worker():
        world.ok("decline", "V-0000", "--kind", "went_silent", "--stated-reason", "no_answer")
        world.ok("nurture", "start", "V-0000")
        study(world)
    world.at(MONDAY + timedelta(days=185))
    (alert,) = world.said("alerts")["alerts"]
    assert "--mode email" in alert["command"]
    world.hand_in(lead, RecordLaw(law=LawFacts(region="FL")))
    (alert,) = world.said("alerts")["alerts"]
    assert alert["says"].endswith("; neither mail nor post is permitted")
