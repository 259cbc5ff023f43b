"""Content checks from the command line: refused, overridden, previewed, recorded, and derived again."""

import json
from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from models import contacts
from models.database import transaction
from service.closest import closest_of, side_by_side
from tests.service.world import MONDAY, World
from workflows.commands import MarkNoteSent
from workflows.events import CommandRefused

NOTE = (
    "Dear {name},\nhow are the bees on your roof? When you came to the Oakwood open house you told me about them for half an "
    "hour, and I have looked up at chimneys since. I'll call you next week.\nBest regards,\nDan"
)
#: Names neither the place where they met nor, in these words, a fact.
STRANGE = "Dear Ada,\nhow are the little honey makers? I have looked up at chimneys since.\nI'll call you next week.\nDan"
TEMPLATE = (
    "Dear {name},\nyour tomatoes had won at the county fair, and it was a pleasure to meet you at the Oakwood open house. "
    "Our new phase is open and offers remarkable value for families like yours, with views over the lake. "
    "I'll call you next week.\nBest regards,\nDan"
)


@pytest.fixture
def notes_due(world: World) -> World:
    """Two leads, each with a note to write on a Tuesday."""
    world.rep()
    world.register(1)
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    return world


def test_a_personal_note_goes_out_unattested(notes_due: World) -> None:
    """A4-8, A4-10: the words themselves show what a rep would otherwise have to vouch for."""
    with notes_due.worker():
        said = notes_due.said("note-sent", "V-0000", "--text", NOTE.format(name="Ada"))
    assert said["events"] == ["note_sent"]
    (sent,) = (event for event in notes_due.events(notes_due.leads[0]) if event.row == "T10")
    assert sent.used
    verdicts = {verdict.check: verdict for verdict in sent.used.verdicts}
    assert {"personal_fact", "reminds_who_we_are", "future_call", "not_form_letter", "right_name"} <= verdicts.keys()
    assert all(verdict.passed for verdict in verdicts.values())
    assert {verdict.source.partition(" ")[0] for verdict in verdicts.values()} == {"content", "suppressions"}
    assert "bees" not in str(sent)
    assert notes_due.said("rederive", "V-0000")["mismatches"] == []


def test_a_form_letter_is_refused_named_and_overridden(notes_due: World) -> None:
    """A4-9: the second letter from one template is refused, with the first one named; an override is stored and shown."""
    with notes_due.worker():
        notes_due.ok("note-sent", "V-0000", "--text", TEMPLATE.format(name="Ada"))
        text = TEMPLATE.format(name="Bela")
        said = notes_due.refused(1, "note-sent", "V-0001", "--text", text, "--attest-all")
        assert "refused (check.not_form_letter)" in said
        refusal = notes_due.events(notes_due.leads[1])[-1].data
        sent = notes_due.events(notes_due.leads[0])[-1].data
        assert refusal.inputs["closest_document"] == str(sent.text.document_id)  # type: ignore[union-attr]
        reason = "The two are neighbours and know each other's letters."
        notes_due.ok("note-sent", "V-0001", "--text", text, "--override", reason)
    listed = notes_due.ok("accountability", "--leads", "overrides", "--from", "2026-01-01")
    assert f"“{reason}”" in listed
    assert listed.endswith("1 overrides\n")
    used = notes_due.events(notes_due.leads[1])[-1].used
    assert used
    assert [v.check for v in used.verdicts if v.source == "overridden"] == ["not_form_letter"]
    assert notes_due.said("rederive", "--all")["mismatches"] == []


def test_the_closest_text_is_shown_beside_a_refused_one(notes_due: World) -> None:
    """A4-9: whom it was for, when, and its words beside the new ones, before it is recorded and when it is refused."""
    ada, bela = (TEMPLATE.format(name=name) for name in ("Ada", "Bela"))
    with notes_due.worker():
        notes_due.ok("note-sent", "V-0000", "--text", ada)
        shown = notes_due.refused(1, "note-sent", "V-0001", "--text", bela, "--attest-all")
        answer = notes_due.thaw("note-sent", "V-0001", "--text", bela, "--attest-all", "--json")
    before = notes_due.refused(1, "check", "V-0001", "--text", bela)
    for said in (shown, before):
        (at,) = (number for number, line in enumerate(said.splitlines()) if line.startswith("closest: "))
        closest, title, greeting, *_ = said.splitlines()[at:]
        assert closest.startswith("closest: V-0000, Tue 6 Jan 2026, 100 % the same but for names")
        assert [title.split(" | ")[0].strip(), title.split(" | ")[1]] == ["this text", "to V-0000"]
        assert [greeting.split(" | ")[0].strip(), greeting.split(" | ")[1]] == ["Dear Bela,", "Dear Ada,"]
        assert max(len(line) for line in said.splitlines()[at + 1 :] if " | " in line) <= 80
    found = json.loads(answer.stdout.splitlines()[-1])
    assert (found["text"], found["closest"]["text"], found["closest"]["lead"]) == (bela, ada, "V-0000")
    assert (found["closest"]["written_on"], found["closest"]["per_mille"]) == ("2026-01-06", 1000)
    notes_due.sql("DELETE FROM documents WHERE lead_id = %(lead)s", lead=notes_due.leads[0])
    with notes_due.engine.connect() as connection:
        gone = closest_of(connection, {"closest_document": found["closest"]["document"], "closest": 1000}, ZoneInfo("UTC"))
    assert gone
    assert list(side_by_side(bela, gone)) == [f"closest: document {gone.document}, 100 % the same; it was erased"]


def test_a_login_that_may_not_read_texts_is_told_so(notes_due: World) -> None:
    """The document is named, and nothing of it or of its lead."""
    with notes_due.worker():
        notes_due.ok("note-sent", "V-0000", "--text", NOTE.format(name="Ada"))
    sent = notes_due.events(notes_due.leads[0])[-1].data
    document = str(sent.text.document_id)  # type: ignore[union-attr]
    with notes_due.engine.connect() as connection:
        connection.exec_driver_sql("SET ROLE thaw_auditor")
        found = closest_of(connection, {"closest_document": document, "closest": 900}, ZoneInfo("UTC"))
    assert found
    assert (found.text, found.lead, found.closed) == (None, None, True)
    assert list(side_by_side("", found)) == [f"closest: document {document}, 90 % the same; this login may not read texts"]


@pytest.mark.parametrize("command", ["note-sent", "check", "strategy"])
def test_a_text_that_nobody_would_read_to_its_end_is_refused(notes_due: World, command: str) -> None:
    """Before anything is kept, with how long it is and how long it may be."""
    text = NOTE.format(name="Ada") + " and on" * 3_000
    options = ("--strategy", text, "--missed", "Much.") if command == "strategy" else ("--text", text)
    said = " ".join(notes_due.refused(2, command, "V-0000", *options).split())
    assert f"It has {len(text):,} characters, and the checks read 20,000 at most: shorten it." in said
    with notes_due.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM documents").scalar_one() == 0


def test_whoever_hands_in_a_text_it_is_read_to_its_end(notes_due: World) -> None:
    """Also one that did not come from the command line; and no reason lets pass what nobody read."""
    lead = notes_due.leads[0]
    with transaction(notes_due.engine) as connection:
        text = contacts.save_document(connection, uuid4(), lead, "text", NOTE.format(name="Ada") + " and on" * 3_000)
        why = contacts.save_document(connection, uuid4(), lead, "override", "We send whole books here.")
    notes_due.hand_in(lead, MarkNoteSent(medium="hand_written", text=text, override=why))
    refusal = notes_due.events(lead)[-1].data
    assert isinstance(refusal, CommandRefused)
    assert (refusal.rule, refusal.inputs["most"]) == ("check.read_whole", 20_000)
    assert refusal.reason.endswith("20,000 at most: shorten it. Change it.")
    assert notes_due.said("rederive", "V-0000")["mismatches"] == []


def test_a_text_that_keeps_us_in_touch_brings_something(notes_due: World) -> None:
    """A1-5, A1-12: what is sent stands in the words, and asking for news is no touch."""

    def said(text: str, item: str = "market-report-may") -> dict[str, str]:
        options = ("check", "V-0000", "--kind", "nurture", "--text", text, "--value-item", item, "--json")
        verdicts = json.loads(notes_due.thaw(*options).stdout.splitlines()[-1])["verdicts"]
        return {verdict["check"]: verdict["level"] for verdict in verdicts}

    empty = said("Hello Ada, just checking in, any news?")
    assert (empty["new_value"], empty["no_empty_check_in"]) == ("refuse", "refuse")
    bare = said("Hello Ada, the lake is lovely.")
    assert (bare["new_value"], bare["no_empty_check_in"]) == ("refuse", "pass")
    brings = said("Hello Ada, I am checking in with our market report for May.")
    assert (brings["new_value"], brings["no_empty_check_in"]) == ("pass", "info")
    assert "say what is sent with it" in notes_due.refused(2, "check", "V-0000", "--kind", "nurture", "--text", "Hello.")
    options = ("--kind", "nurture", "--text", "Hello Ada, any news?", "--value-item", "market-report-may")
    assert "another text, or --override TEXT" in notes_due.refused(1, "check", "V-0000", *options)


def test_names_and_companies_merged_into_it_hide_no_form_letter(world: World) -> None:
    """A4-9: the earlier letter, too, is compared without the names of the lead that it was for."""
    merged = (
        "Dear {first},\nhow is everything at {company}? When I met you at the Oakwood open house, {first}, you told me of the "
        "bees on the roof, and I wondered what {company} makes of them. {first}, I'll call {company} next week.\nDan"
    )
    world.rep()
    companies = ("Springfield Homes", "Amalgamated Bridge and Tunnel Works of the Lower Valley")
    for company in companies:
        world.take_in(person={"company": company})
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--text", merged.format(first="Ada", company=companies[0]))
        said = world.refused(1, "note-sent", "V-0001", "--text", merged.format(first="Bela", company=companies[1]))
    assert "refused (check.not_form_letter)" in said
    refusal = world.events(world.leads[1])[-1].data
    assert refusal.inputs["closest"] == 1000  # type: ignore[union-attr]


def test_a_refused_draft_is_nobody_s_template(notes_due: World) -> None:
    """What never went out is not what the team sent."""
    with notes_due.worker():
        notes_due.refused(1, "note-sent", "V-0000", "--text", NOTE.format(name="Bela"))
        notes_due.ok("note-sent", "V-0001", "--text", NOTE.format(name="Bela"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (NOTE.format(name="Bela"), "check.right_name"),
        (NOTE.format(name="Alan"), "check.right_name"),
        (NOTE.format(name="{{first_name}}"), "check.no_merge_marks"),
        (NOTE.format(name="Ada").replace("next week", "tomorrow"), "check.future_call"),
        (NOTE.format(name="Ada").replace("I'll call you next week.", ""), "check.future_call"),
        (STRANGE, "check.personal_fact"),
        (NOTE.format(name="Ada") + " Bela Brookhollow sends her love.", "check.right_name"),
        (NOTE.format(name="Ada") + " and on and on" * 200, "check.length"),
    ],
)
def test_what_nobody_should_have_sent_is_refused(notes_due: World, text: str, rule: str) -> None:
    """Each with the rule and a way out, and the note stays to be written."""
    with notes_due.worker():
        said = notes_due.refused(1, "note-sent", "V-0000", "--text", text, "--attest-all")
    assert f"refused ({rule})" in said
    assert "override with a reason" in " ".join(said.split())
    assert notes_due.lead(notes_due.leads[0]).state == "note_due"


def test_a_paraphrase_is_for_the_writer_to_confirm(notes_due: World) -> None:
    """A4-8: patterns know no synonyms; who wrote it says which fact was meant, and the log says that he did."""
    with notes_due.worker():
        notes_due.refused(1, "note-sent", "V-0000", "--text", STRANGE)
        notes_due.ok("note-sent", "V-0000", "--text", STRANGE, "--fact", "2")
    used = notes_due.events(notes_due.leads[0])[-1].used
    assert used
    (verdict,) = (v for v in used.verdicts if v.check == "personal_fact")
    assert (verdict.level, verdict.inputs["confirmed"]) == ("warn", 2)


def test_a_preview_says_the_same_and_records_nothing(notes_due: World) -> None:
    """Read before it goes out: the text is kept nowhere."""
    said = notes_due.said("check", "V-0000", "--text", NOTE.format(name="Ada"))
    assert said["fine"]
    shown = notes_due.refused(1, "check", "V-0000", "--text", NOTE.format(name="Bela"))
    assert shown.endswith("\nto go on: another text, or --override TEXT with why, when it is recorded\n")
    strategy = notes_due.refused(1, "check", "V-0000", "--kind", "strategy", "--text", "just checking in")
    assert strategy.endswith("\nto go on: another text\n")
    assert "refuse  right_name: The greeting is for another of your leads." in shown
    warned = notes_due.ok("check", "V-0000", "--text", NOTE.format(name="Ada") + "\nBela, say hello to your wife for me.")
    assert "warn    right_name: A first name in it may mean another of your leads." in warned
    assert "say what the text is" in notes_due.refused(2, "check", "V-0000")
    with notes_due.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM documents").scalar_one() == 0


def test_a_strategy_needs_a_purpose_of_its_own(notes_due: World) -> None:
    """A2-2, A2-4: touching base is no strategy, and another account's strategy is not this one's."""
    missed = ("--missed", "Nobody had asked the finance director.")
    with notes_due.worker():
        empty = "Just touching base with them once more to see how things are going over there this quarter, nothing else."
        for again in ("Touch base again.", empty):
            said = notes_due.refused(1, "strategy", "V-0000", "--strategy", again, *missed)
            assert "refused (check.purpose)" in said
        plan = "Ask the finance director which budget the planner would come from, and bring the comparison of costs."
        notes_due.ok("strategy", "V-0000", "--strategy", plan, *missed)
        notes_due.ok("strategy", "V-0001", "--strategy", plan, *missed)
    used = notes_due.events(notes_due.leads[1])[-1].used
    assert used
    assert [v.level for v in used.verdicts if v.check == "own_strategy"] == ["warn"]
