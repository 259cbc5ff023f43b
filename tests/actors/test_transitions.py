"""The actors: one for each transition, six of them by the names that everybody uses."""

import actors.campaign_transitions
import actors.deliveries
import actors.transitions
from actors.bell import queue_of
from actors.broker import DELIVERIES_QUEUE, broker
from workflows.actor_names import ACTORS, DELIVERIES


def test_there_is_an_actor_for_every_transition_and_no_other() -> None:
    """What the core names is what the broker knows, each on the queue that the bell rings, none with Dramatiq's retries."""
    assert set(ACTORS) == set(broker.actors)
    assert {name: queue_of(name) for name in ACTORS} == {name: actor.queue_name for name, actor in broker.actors.items()}
    assert DELIVERIES == {name for name in ACTORS if queue_of(name) == DELIVERIES_QUEUE}
    assert {"mail_sending": actors.deliveries.mail_sending} == {name: broker.actors[name] for name in DELIVERIES}
    assert {0} == {actor.options["max_retries"] for actor in broker.actors.values()}


def test_the_six_named_transitions_are_functions_of_the_module() -> None:
    """decline, note_sent, call_due, no_response, breakup_sent and nurture are found by name."""
    for name in ("decline", "note_sent", "call_due", "no_response", "breakup_sent", "nurture"):
        assert name == getattr(actors.transitions, name).actor_name
