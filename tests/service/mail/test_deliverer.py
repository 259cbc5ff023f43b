"""What becomes of a mail's message when workers die, people are erased, and many conversations go on at once."""

from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from actors.bell import Bell
from actors.committer import MAX_DELIVERIES
from actors.deliverer import CONVERSATIONS
from models import deliveries
from models.database import transaction
from models.messages import Ring
from service.settings import read_settings
from service.wiring import connect
from tests.service.mail.office import Office
from workflows.codec import canonical
from workflows.commands import Hold
from workflows.events import event_type


class _Rung(Bell):
    """Keeps what is to be rung."""

    def __init__(self) -> None:
        self.rings: list[Ring] = []

    def ring_soon(self, rings: Any) -> None:
        """Note it."""
        self.rings += rings


def test_what_is_to_follow_a_mail_is_rung_at_once(office: Office) -> None:
    """As after any other message, and not half a minute later by the clock."""
    office.nurture()
    (ring,) = office.due()
    office.world.sql(
        'UPDATE messages SET "then" = %(then)s WHERE id = %(id)s',
        then=canonical([Hold(reason="manual")]).decode(),
        id=ring.message_id,
    )
    office.deliverer._bell = bell = _Rung()
    office.deliverer.deliver(ring)
    assert ["held", "mail_reported"] == sorted(each.actor_name for each in bell.rings)


def test_a_mail_that_ends_its_worker_each_time_comes_to_an_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries are counted before the work; as with any other message, people see it among the dead."""
    office.nurture()
    (ring,) = office.due()

    def die(_: Ring) -> list[Ring]:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(office.deliverer._applier, "begin", die)
        for number in range(1, MAX_DELIVERIES + 2):
            with pytest.raises(SystemExit):
                office.deliverer.deliver(ring._replace(number=number))
    office.deliverer.deliver(ring._replace(number=MAX_DELIVERIES + 2))
    assert "it seems to end its worker each time" in office.world.ok("dead", "show", ring.message_id)
    office.world.ok("dead", "retry", ring.message_id, "--reason", "mended")
    office.deliver()
    assert 1 == len(office.server.taken)


def test_all_conversations_of_a_process_have_sessions(office: Office) -> None:
    """Each holds one as long as it lasts, and needs a second one to record what came of it; nobody waits for another's."""
    service = connect(read_settings(office.world.environ))
    with ExitStack() as held:
        for _ in range(CONVERSATIONS):
            assert held.enter_context(deliveries.alone(service.engine, uuid4()))
            held.enter_context(transaction(service.engine))
        held.enter_context(transaction(service.engine))


@pytest.mark.parametrize(("command", "status"), [("RCPT", "unconfirmed"), ("DATA", "unconfirmed"), (None, "refused")])
def test_a_mail_ends_with_an_erasure(office: Office, command: str | None, status: str) -> None:
    """Nothing more is recorded of the person, so it is said at once what is known of the mail: it waits no more."""

    def erase() -> None:
        with office.world.worker():
            office.world.ok("erase", "V-0000", "--reason", "asked for it", "--by", "pia")

    office.nurture()
    if command:
        office.server.before[command] = erase
        office.deliver()
    else:
        erase()
        office.deliver()
    shown = office.world.said("mail", "show", office.nurtured)
    assert (status, None) == (shown["status"], shown["mail"])
    assert "lead_erased" in {event_type(each.data) for each in office.world.events(office.nurtured)}
    assert (1 if command == "DATA" else 0) == len(office.server.taken)
    office.world.ok("verify")
    assert "the projections are what the log says" in office.world.ok("rebuild", "--check")
    assert msgspec.UNSET is not office.world.lead(office.nurtured).mail
