"""As recorded and as occurred: the same where nothing was late, and each true to the log where something was."""

from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.workflows.life import DECLINE, OPEN_REPLY, ROADS, VOICEMAIL, Life, life_in, ready_to_break_up, register, sent_command
from tests.workflows.player import Player
from workflows.as_of import happened_by, in_order
from workflows.events import Recorded
from workflows.fold import FoldError, fold
from workflows.lead import Lead


def _folded(history: list[Recorded]) -> list[Lead]:
    lead, states = None, []
    for recorded in history:
        lead = fold(lead, recorded)
        states.append(lead)
    return states


class AsOf(Player):
    """Lives a random life, late entries included, and looks back on it."""

    def teardown(self) -> None:
        """Whatever was late, each event is folded once, in the order of occurrence, and where nothing was both senses agree."""
        if not self.history:
            return
        recorded = _folded(self.history)
        for moment in {each.occurred_at for each in self.history}:
            happened = in_order(happened_by(self.history, moment))
            behind = happened[1:]
            assert happened[0].recorded.version == 1
            assert [each.recorded.occurred_at for each in behind] == sorted(each.recorded.occurred_at for each in behind)
            by_then = {each.version for each in self.history if each.occurred_at <= moment} | {1}
            assert {each.recorded.version for each in happened} == by_then
            if all(each.occurred_at == each.recorded_at for each in self.history):
                assert happened[-1].after == recorded[len(happened) - 1]
                assert not any(each.odd for each in happened)
        super().teardown()


TestAsOf = AsOf.TestCase
TestAsOf.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("state", sorted(ROADS))
def test_the_senses_agree_where_nothing_was_late(state: str) -> None:
    """At every event of a life that was logged as it happened, both folds are the same lead."""
    history = life_in(state).history
    for number, lead in enumerate(_folded(history), start=1):
        moment = history[number - 1].occurred_at
        happened = in_order(happened_by(history, moment, number))
        assert lead == happened[-1].after
        assert "" == "".join(each.odd for each in happened)


@given(st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_any_order_can_be_folded(random: Random) -> None:
    """However late the entries were, the fold has an answer: times are made up here, events are not."""
    life = life_in("no_response")
    ready_to_break_up(life)
    shuffled = [replace(each, occurred_at=each.occurred_at - timedelta(hours=random.randrange(2000))) for each in life.history]
    last = max(each.occurred_at for each in shuffled)
    happened = in_order(happened_by(shuffled, last))
    assert len(shuffled) == len(happened)
    assert life.lead.version == happened[-1].after.version
    assert all(a.after.version <= b.after.version for a, b in pairwise(happened))


def test_a_late_entry_stands_where_it_happened() -> None:
    """A note that was logged on Wednesday and posted on Monday was in the post on Tuesday."""
    life = life_in("note_due")
    posted = life.now
    life.wait(days=2)
    life.must(replace(sent_command(), occurred_at=posted))
    tuesday = posted + timedelta(days=1)
    assert "note_due" == _folded([each for each in life.history if each.recorded_at <= tuesday])[-1].state
    assert "note_sent" == in_order(happened_by(life.history, tuesday))[-1].after.state


def test_an_event_that_could_not_have_followed_is_folded_and_named() -> None:
    """The call came due because nobody knew of the reply yet; the log says so, and nothing is left out or made up."""
    life = life_in("note_sent")
    replied = life.now + timedelta(days=1)
    life.fire("call_after_note")
    life.must(replace(OPEN_REPLY, occurred_at=replied))
    happened = in_order(happened_by(life.history, life.now))
    assert ["reply_received", "call_due"] == [type(each.recorded.data).__struct_config__.tag for each in happened[-2:]]
    assert "" == happened[-2].odd
    assert "event 5 (call_due, T12) does not lead from re_engaged to call_due" in happened[-1].odd
    assert ("call_due", "re_engaged") == (happened[-1].after.state, life.lead.state)
    assert life.lead.version == happened[-1].after.version


def test_an_event_that_leaves_the_state_alone_leaves_it_in_every_order() -> None:
    """A refusal that was recorded while the lead was queued does not queue it where it stands before."""
    life = life_in("queued")
    life.do(VOICEMAIL)
    refused = replace(life.history[-1], occurred_at=life.history[0].occurred_at - timedelta(days=1))
    history = [replace(each, occurred_at=each.occurred_at + timedelta(hours=each.version)) for each in life.history[:-1]]
    happened = in_order(happened_by([*history, refused], history[-1].occurred_at))
    assert ["registered", "registered", "queued"] == [each.after.state for each in happened]


def test_what_happened_before_the_registration_comes_after_it() -> None:
    """An import registers leads that said no long before; on a day between, they had said no."""
    life = Life()
    life.must(register(), "import")
    long_ago = life.now - timedelta(days=300)
    life.must(replace(DECLINE, occurred_at=long_ago), "import")
    assert [] == happened_by(life.history, long_ago - timedelta(seconds=1))
    happened = in_order(happened_by(life.history, long_ago))
    assert [1, 2] == [each.recorded.version for each in happened]
    assert "declined" == happened[-1].after.state


def test_nothing_is_folded_without_a_registration() -> None:
    """The middle of a history is no lead."""
    with pytest.raises(FoldError):
        in_order(life_in("queued").history[1:])
