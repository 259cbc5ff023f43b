"""What the log says of mail: it verifies, derives again and replays, and a bundle of it convinces a stranger."""

from datetime import timedelta
from pathlib import Path

from tests.service.mail.office import Office
from tests.service.world import WHY
from workflows.mail_commands import RecordBounce


def test_a_history_with_mail_verifies_rederives_and_leaves_the_house(given_up: Office, tmp_path: Path) -> None:
    """Sent, deferred, refused, objected to, come back: nothing differs, here and in the hands of a stranger."""
    office, world = given_up, given_up.world
    office.queue("breakup", "V-0001", "--monitored")
    office.server.answers["RCPT"] = "451 4.7.1 later"
    office.deliver()
    office.server.answers.clear()
    world.at(world.clock() + timedelta(minutes=5))
    office.deliver()
    mail = world.lead(office.silent).mail
    assert mail
    world.hand_in(office.silent, RecordBounce(mail=mail.id, permanent=True, status="5.1.1"), who="inbox")
    office.nurture()
    with world.worker():
        world.ok("opt-out", "V-0000")
    office.deliver()
    assert "mail_bounced" == office.types(office.silent)[-1]
    assert "no_transition" == getattr(office.told(office.nurtured)[-1].data, "rule", None)
    world.ok("keys", "init", "--name", "example.com/thaw")
    world.ok("verify")
    world.ok("rederive", "--all")
    assert "the projections are what the log says" in world.ok("rebuild", "--check")
    assert "mail_sent" in world.ok("replay", "V-0001")
    assert "mail_sending" in world.ok("lead", "V-0001")
    path = tmp_path / "all.zip"
    exported = world.ok("export", *WHY, "--all", "-o", path, "--opened")
    command = exported.partition("python verify.py ")[2].split()
    assert world.ok("verify-bundle", *command).splitlines()[-1] == "verdict      nothing is wrong (exit status 0)"
