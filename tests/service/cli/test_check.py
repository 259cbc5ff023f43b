"""Content checks from the command line: refused, overridden, previewed, recorded, and derived again."""

from datetime import timedelta

import pytest

from tests.service.world import MONDAY, World

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


def test_a_refused_draft_is_nobody_s_template(notes_due: World) -> None:
    """What never went out is not what the team sent."""
    with notes_due.worker():
        notes_due.refused(1, "note-sent", "V-0000", "--text", NOTE.format(name="Bela"))
        notes_due.ok("note-sent", "V-0001", "--text", NOTE.format(name="Bela"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (NOTE.format(name="Bela"), "check.right_name"),
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
    assert "refuse  right_name: The greeting names somebody else." in shown
    assert "say what the text is" in notes_due.refused(2, "check", "V-0000")
    with notes_due.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM documents").scalar_one() == 0


def test_a_strategy_needs_a_purpose_of_its_own(notes_due: World) -> None:
    """A2-2, A2-4: touching base is no strategy, and another account's strategy is not this one's."""
    missed = ("--missed", "Nobody had asked the finance director.")
    with notes_due.worker():
        said = notes_due.refused(1, "strategy", "V-0000", "--strategy", "Touch base again.", *missed)
        assert "refused (check.purpose)" in said
        plan = "Ask the finance director which budget the planner would come from, and bring the comparison of costs."
        notes_due.ok("strategy", "V-0000", "--strategy", plan, *missed)
        notes_due.ok("strategy", "V-0001", "--strategy", plan, *missed)
    used = notes_due.events(notes_due.leads[1])[-1].used
    assert used
    assert [v.level for v in used.verdicts if v.check == "own_strategy"] == ["warn"]
