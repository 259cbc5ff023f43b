"""What to type after a refusal: for every rule, and only what can be typed."""

import re
from pathlib import Path

import click
import msgspec
import pytest

from service.cli import main
from service.way_out import TYPED, WAYS_OUT, way_out
from tests.workflows.life import life_in, ready_to_break_up
from workflows.checks import BY_LAW, INVITATION_CHECKS, KNOWN_CHECKS, NOT_OVERRIDDEN, SUPPRESSION
from workflows.content import RULES
from workflows.transitions import STATES, possible

WORKFLOWS = Path(__file__).parents[2] / "workflows"

#: Of those that end in no refusal of anything that a person types.
_NO_REFUSAL = {"superseded", "no_transition", "check.postal_address"}


def rules() -> set[str]:
    """Return every rule that the sources name, content checks apart."""
    source = "\n".join(path.read_text() for path in WORKFLOWS.glob("*.py"))
    named = re.findall(r'rule="([a-z_.]+)"', source) + re.findall(r'_reachable\(facts, \S+, "([a-z_]+)"', source)
    named += re.findall(r'return _refuse\(rep, command, "([a-z_]+)"', source)
    return {*named, SUPPRESSION} - _NO_REFUSAL


def test_every_rule_has_a_way_out() -> None:
    """A new rule has to say what is typed then, and no sentence is left of one that is gone."""
    assert rules() == set(WAYS_OUT)


def test_what_a_way_out_names_can_be_typed() -> None:
    """Commands exist, and so do the options behind them; an option alone is one of some command."""
    everywhere = {option for command in _commands(main) for option in _options(command)} | {"--help"}
    for sentence in {*WAYS_OUT.values(), *TYPED.values()}:
        assert set(re.findall(r"--[a-z][a-z-]*", sentence)) <= everywhere, sentence
        for typed in re.split(r"(?=thaw [a-z])", sentence)[1:]:
            words = re.findall(r"[a-z-]+", typed.removeprefix("thaw "))
            found: click.Command = main
            while isinstance(found, click.Group):
                assert words[0] in found.commands, sentence
                found = found.commands[words.pop(0)]
            if " of thaw " not in sentence:
                assert set(re.findall(r"--[a-z][a-z-]*", typed)) <= {*_options(found), "--help"}, sentence


def _options(command: click.Command) -> set[str]:
    return {name for each in command.params for name in (*each.opts, *each.secondary_opts)}


def _commands(group: click.Group) -> list[click.Command]:
    found: list[click.Command] = []
    for command in group.commands.values():
        found += _commands(command) if isinstance(command, click.Group) else [command]
    return found


@pytest.mark.parametrize("state", STATES)
def test_whatever_is_possible_in_a_state_can_be_typed(state: str) -> None:
    """The answer to what the state does not take names a command for each thing that it does, and that fits the lead."""
    lead = life_in(state).lead
    said = way_out("no_transition", "record_call", {}, "V-1", lead)
    assert said.count("thaw ") == len(set(possible(lead.state)) - {"send_breakup"})
    assert "{" not in said
    if "record_return" in possible(lead.state):
        other = way_out("no_transition", "record_call", {}, "V-1", msgspec.structs.replace(lead, promised=False))
        assert ("note-returned" in said, "note-returned" in other) == (True, state == "note_sent")


def test_only_what_fits_is_offered() -> None:
    """A breakup once it is decided and both halves are out; a returned call's note only where a note promised it."""
    life = life_in("no_response")
    ready_to_break_up(life)
    assert "breakup send V-1" in way_out("no_transition", "record_call", {}, "V-1", life.lead)
    assert way_out("mode_open", "waive_mode", {"modes_open": ""}, "V-1").startswith("nothing is left to waive")
    assert way_out("modes_tried", "send_breakup", {"modes_open": "introduction"}, "V-1") == "thaw introduction V-1 1"
    one = way_out("modes_tried", "send_breakup", {"modes_open": "post introduction"}, "V-1")
    assert one.startswith("thaw introduction V-1 1; wait for the next attempt")
    assert "--mode post" in one
    assert "--mode MODE" in way_out("modes_tried", "send_breakup", {"modes_open": "post email"}, "V-1")
    steps = ("thaw importance V-1 NUMBER",)
    said = way_out("everything_tried", "confirm_cut_bait", {}, "V-1", life.lead, steps)
    assert said == "thaw importance V-1 NUMBER; or --override TEXT, with why not"


@pytest.mark.parametrize("check", sorted(KNOWN_CHECKS | set(RULES)))
def test_a_check_that_nobody_vouched_for_says_how(check: str) -> None:
    """By an option to vouch, by a text where a program reads it, by an override where that counts."""
    said = way_out(f"check.{check}", "mark_note_sent", {"verdict": None}, "V-1")
    assert f"--attest {check}" in said
    assert ("--override" in said) == (check not in NOT_OVERRIDDEN)
    failed = way_out(f"check.{check}", "mark_note_sent", {"verdict": False}, "V-1")
    assert "--attest" not in failed
    assert ("--override" in failed) == (check not in NOT_OVERRIDDEN)
    assert failed


def test_what_is_refused_otherwise_has_its_own_way() -> None:
    """The same rule asks for another option of another command."""
    assert way_out("check.purpose", "record_strategy", {"verdict": False}, "V-1") == "another --strategy TEXT"
    assert way_out("call_reachable", "record_call", {"opted_out": True}, "V-1") == "choose another mode"
    assert way_out("call_reachable", "record_call", {"opted_out": False}, "V-1") == "put the number into the CRM"
    assert "--real-reason" in way_out("reason_evidence", "record_decline", {}, "V-1")
    assert "thaw reason real" in way_out("reason_evidence", "record_reason", {}, "V-1")
    assert "waive V-1" in way_out("modes_tried", "send_breakup", {"modes_open": "email"}, "V-1")
    assert "waive" not in way_out("modes_tried", "send_breakup", {}, "V-1")
    assert "--override" in way_out("check.new_and_relevant", "queue_nurture_mail", {"verdict": False}, "V-1")
    assert "--override" not in way_out("check.new_and_relevant", "send_nurture_touch", {"verdict": None}, "V-1")
    assert way_out("merged", "record_call", {"into": "A-2"}, "V-1") == "do it with that lead: thaw lead A-2"
    assert way_out("into_not_merged", "merge_lead", {"into": "A-2", "merged": "B-3"}, "V-1") == "thaw merge V-1 --into B-3"

    assert way_out("into_not_merged", "merge_lead", {"into": "b", "merged": "c"}, "V-1") == "thaw merge V-1 --into c"
    assert "{" not in way_out("merged", "send_invitation", {}, "V-1")
    assert way_out("a_rule_of_a_later_release", "x", {}, "V-1") == ""


@pytest.mark.parametrize("rule", sorted(WAYS_OUT))
def test_nothing_is_left_to_be_filled_in(rule: str) -> None:
    """Whatever the refusal says of its inputs, no name in braces reaches whoever types."""
    for inputs in ({}, {"into": "A-2", "merged": None}, {"into": "A-2", "merged": "B-3", "modes_open": "email"}):
        assert "{" not in way_out(rule, "record_call", inputs, "V-1")


@pytest.mark.parametrize("check", [*INVITATION_CHECKS, *sorted(BY_LAW), "right_name"])
def test_a_letter_of_a_campaign_is_written_otherwise(check: str) -> None:
    """Nobody vouches for a letter or overrides what is wrong with it."""
    said = way_out(f"check.{check}", "send_invitation", {}, "V-1")
    assert said
    assert "--attest" not in said
    assert "--override" not in said
