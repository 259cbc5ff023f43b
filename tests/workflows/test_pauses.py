"""What is paused is a fold of the service's own stream."""

from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.life import START, WORDS
from workflows.actor_names import ACTORS
from workflows.operations import KeyInForce, Operation, WorkPaused, WorkResumed
from workflows.pauses import EVERYTHING, NEVER_PAUSED, fold_pauses
from workflows.service_stream import service_event

names = st.lists(st.sampled_from(["call_due", "day_planned", "note_sent", EVERYTHING]), min_size=1, unique=True).map(tuple)
acts = st.one_of(
    st.builds(WorkPaused, actors=names, reason=st.just(WORDS)),
    st.builds(WorkResumed, actors=names, reason=st.none()),
    st.just(KeyInForce(key="a+b+c", replaces=None)),
)


@given(st.lists(acts, max_size=12))
def test_what_is_paused_was_paused_last_and_not_resumed_since(history: list[Operation]) -> None:
    """For each actor the newest act that names it decides, where resuming everything names all; and that is named."""
    events = [service_event(act, number, now=START, actor="ops:ann") for number, act in enumerate(history, start=1)]
    expected: dict[str, int] = {}
    for number, act in enumerate(history, start=1):
        for actor in ("call_due", "day_planned", "note_sent", EVERYTHING):
            if isinstance(act, WorkPaused) and actor in act.actors:
                expected[actor] = number
            elif isinstance(act, WorkResumed) and (actor in act.actors or EVERYTHING in act.actors):
                expected.pop(actor, None)
    assert expected == {actor: pause.version for actor, pause in fold_pauses(events).items()}


def test_what_is_never_paused_is_an_actor() -> None:
    """The names are those of actors that carry commands."""
    assert set(ACTORS) >= NEVER_PAUSED
