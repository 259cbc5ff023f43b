"""One mail, however often it is asked for, and whoever else writes: ids that come again, and touches by hand."""

import pytest

from tests.service.mail.office import Office

AN_ID = "5b1f0a9e-0000-4000-8000-000000000001"


def test_the_same_entry_again_is_the_same_mail(office: Office) -> None:
    """Before it is sent and long after: the same answer, though a mail made now would be another one."""
    again = ("mail", "nurture", "V-0000", "--asset", "guide", "--text", "The guide is out.", "--id", AN_ID)
    with office.world.worker():
        first = office.world.ok(*again)
        assert first == office.world.ok(*again)
    office.deliver()
    with office.world.worker():
        office.world.ok("rep", "set", "dan", "--email", "Daniel Miller <daniel@springfield.example>")
        assert first == office.world.ok(*again)
    office.deliver()
    assert 1 == len(office.server.taken)
    assert f"<{AN_ID}@springfield.example>" == office.server.mails[0].message_id


@pytest.mark.parametrize(
    "other", [("--asset", "b"), ("--text", "Another."), ("--subject", "Another"), ("--kind", "report"), ("--minutes", 3)]
)
def test_another_mail_under_the_same_id_is_refused(office: Office, other: tuple[str, object]) -> None:
    """Whichever word of it is another."""
    typed: dict[str, object] = {"--asset": "guide", "--text": "The guide is out.", "--id": AN_ID}
    with office.world.worker():
        office.world.ok("mail", "nurture", "V-0000", *(word for pair in typed.items() for word in pair))
    office.deliver()
    changed = typed | dict([other])
    said = office.refused(2, "nurture", "V-0000", *(word for pair in changed.items() for word in pair))
    assert f"the id {AN_ID} was used before with another mail; nothing was changed" in said


def test_what_became_of_a_mail_is_said_once(office: Office) -> None:
    """The same id with the same word gives the same answer, and with another word it is refused."""
    office.server.before["DATA"] = office.server.hang_up
    office.nurture()
    office.deliver()
    settle = ("mail", "settle", "V-0000", "--sent", "--id", AN_ID)
    with office.world.worker():
        first = office.world.ok(*settle)
        assert first == office.world.ok(*settle)
    assert "was used before for another command" in office.refused(2, "settle", "V-0000", "--not-sent", "--id", AN_ID)
    assert "there is no mail of which nobody knows" in office.refused(2, "settle", "V-0000", "--sent")


def test_a_touch_by_hand_stops_the_mail_that_waits(office: Office) -> None:
    """A3-4: once a month, whoever was quicker; and the kind of thing is one of the playbook's."""
    office.nurture()
    with office.world.worker():
        office.world.ok("nurture", "touch", "V-0000", "--mode", "email", "--asset", "market-report", "--attest-all")
    office.deliver()
    assert [] == office.server.taken
    assert "once_a_month" == getattr(office.told(office.nurtured)[-1].data, "rule", None)
    office.world.ok("verify")


def test_the_kind_of_thing_is_recorded_with_the_touch(office: Office) -> None:
    office.queue("nurture", "V-0000", "--asset", "may-news", "--kind", "newsletter", "--text", "Here are the news of May.")
    office.deliver()
    assert "newsletter" == getattr(office.told(office.nurtured)[-1].data, "kind", None)


def test_one_message_rung_many_times_is_one_mail(office: Office) -> None:
    """Doubled rings, also while the conversation goes on."""
    office.nurture()
    (ring,) = office.due()
    office.server.before["RCPT"] = lambda: office.deliverer.deliver(ring)
    for _ in range(3):
        office.deliverer.deliver(ring)
    office.world.work()
    assert 1 == len(office.server.taken)
    assert ["mail_queued", "mail_sending", "mail_sent", "nurture_touch_sent"] == office.types(office.nurtured)
