"""The actors: one for each transition, six of them by the names that everybody uses."""

import actors.campaign_transitions
import actors.transitions
from actors.broker import QUEUE, broker
from workflows.actor_names import ACTORS


def test_there_is_an_actor_for_every_transition_and_no_other() -> None:
    """What the core names is what the broker knows, all on one queue, none with retries of Dramatiq's own."""
    assert set(ACTORS) == set(broker.actors)
    assert {QUEUE} == {actor.queue_name for actor in broker.actors.values()}
    assert {0} == {actor.options["max_retries"] for actor in broker.actors.values()}


def test_the_six_named_transitions_are_functions_of_the_module() -> None:
    """decline, note_sent, call_due, no_response, breakup_sent and nurture are found by name."""
    for name in ("decline", "note_sent", "call_due", "no_response", "breakup_sent", "nurture"):
        assert name == getattr(actors.transitions, name).actor_name
