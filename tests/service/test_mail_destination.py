"""Checkpoints by mail: what arrives is the note byte for byte, now and then, and what does not arrive is seen."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from models import checkpoints
from models.database import transaction
from service import notary as notary_module
from service.destinations import destinations
from service.keys import KeyFiles, opened
from service.notary import Notary
from service.settings import Settings, SettingsError, read_settings
from tests.desk import Desk
from tests.mailbox import Mailbox, mailbox
from tests.service.world import World, database_template, quiet_logs, world

__all__ = ["database_template", "mailbox", "quiet_logs", "world"]


def environment_of(mailbox: Mailbox, **more: str) -> dict[str, str]:
    return {
        "THAW_CHECKPOINT_MAIL": "audit@example.com",
        "THAW_MAIL_FROM": "thaw@example.com",
        "THAW_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}",
        **more,
    }


@pytest.fixture
def keys(tmp_path: Path) -> KeyFiles:
    files = KeyFiles(Settings(home=str(tmp_path)))
    files.init("example.com/thaw")
    return files


def notary_of(desk: Desk, keys: KeyFiles, environ: Mapping[str, str]) -> Notary:
    return Notary(desk.service, desk.clock, keys, destinations(read_settings(environ)))


def failures(desk: Desk) -> list[tuple[str, int, str]]:
    with transaction(desk.engine) as connection:
        return [(each.destination, each.times, each.error) for each in checkpoints.failures(connection)]


def test_the_note_arrives_byte_for_byte(desk: Desk, keys: KeyFiles, mailbox: Mailbox) -> None:
    """Attached as it was signed, so that what the auditor saves can be opened with the public key."""
    made = notary_of(desk, keys, environment_of(mailbox)).tick()
    assert made
    (mail,) = mailbox.mails
    assert mailbox.envelopes == [("thaw@example.com", "audit@example.com")]
    assert mail["Subject"] == f"Checkpoint of example.com/thaw: {made.size} events"
    assert (mail["Auto-Submitted"], bool(mail["Date"]), bool(mail["Message-ID"])) == ("auto-generated", True, True)
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == f"checkpoint-{made.size}.note"
    content = attached.get_content()
    assert content == made.note
    assert opened(content, keys.known()).size == made.size
    assert mailbox.raw[0].isascii()


def test_a_mailbox_gets_one_now_and_then_and_at_once_when_asked(desk: Desk, keys: KeyFiles, mailbox: Mailbox) -> None:
    """Later checkpoints commit to all before them, so that none is missed by waiting."""
    notary = notary_of(desk, keys, environment_of(mailbox))
    notary.tick()
    desk.queued()
    assert notary.make(wait=True)
    notary.send()
    assert len(mailbox.mails) == 1
    notary.send(at_once=True)
    assert len(mailbox.mails) == 2
    desk.queued()
    notary.make(wait=True)
    desk.ask("ALTER TABLE checkpoint_deliveries DISABLE TRIGGER ALL")
    desk.ask("UPDATE checkpoint_deliveries SET delivered_at = delivered_at - interval '1 day'")
    notary.send()
    notary.send()
    assert len(mailbox.mails) == 3


def test_what_does_not_arrive_is_tried_again_and_remembered_until_it_does(
    desk: Desk, keys: KeyFiles, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused recipient leaves the checkpoint unsent; when the mailbox is back, it goes out once."""
    monkeypatch.setattr(notary_module, "RETRY_SECONDS", -1.0)
    notary = notary_of(desk, keys, environment_of(mailbox))
    mailbox.answers["RCPT"] = "550 no such mailbox"
    for _ in range(2):
        notary.tick()
    error = "127.0.0.1: refused the recipient audit@example.com: 550 no such mailbox"
    assert failures(desk) == [("mail", 2, error)]
    del mailbox.answers["RCPT"]
    for _ in range(2):
        notary.tick()
    assert (len(mailbox.mails), failures(desk)) == (1, [])


def test_a_server_that_fails_holds_up_no_other_destination(
    desk: Desk, keys: KeyFiles, mailbox: Mailbox, tmp_path: Path
) -> None:
    kept = tmp_path / "notes"
    mailbox.answers["DATA"] = "451 full"
    made = notary_of(desk, keys, environment_of(mailbox, THAW_CHECKPOINT_FILE=str(kept))).tick()
    assert made
    assert kept.read_text() == f"{made.note}\n"
    assert failures(desk) == [("mail", 1, "127.0.0.1: answered 451 full")]


def test_status_shows_what_has_not_arrived(world: World, mailbox: Mailbox, tmp_path: Path) -> None:
    """Where, since when, how often, and in whose words; and nothing of it once it has."""
    world.environ |= environment_of(mailbox, THAW_KEY_FILE=str(tmp_path / "signing.key"))
    world.rep()
    world.ok("keys", "init")
    mailbox.answers["MAIL"] = "550 not from there"
    world.ok("checkpoint")
    said = world.said("status")["checkpoints"]
    assert [(each["destination"], each["times"]) for each in said["unsent"]] == [("mail", 1)]
    shown = world.ok("status")
    assert f"\ncheckpoint  over {said['newest']} events, " in shown
    assert "(1 try): 127.0.0.1: refused the sender thaw@example.com: 550 not from there\n" in shown
    assert "! checkpoints do not arrive where they should" in shown
    del mailbox.answers["MAIL"]
    world.ok("checkpoint")
    assert world.said("status")["checkpoints"]["unsent"] == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"THAW_SMTP_URL": ""}, "THAW_CHECKPOINT_MAIL needs THAW_SMTP_URL and THAW_MAIL_FROM as well"),
        ({"THAW_MAIL_FROM": ""}, "THAW_CHECKPOINT_MAIL needs THAW_SMTP_URL and THAW_MAIL_FROM as well"),
        ({"THAW_CHECKPOINT_MAIL": "audit"}, "THAW_CHECKPOINT_MAIL='audit' is no mail address"),
        ({"THAW_CHECKPOINT_MAIL": "a@b.c, d@e.f"}, "is no mail address; write it like audit@example.com"),
        ({"THAW_MAIL_FROM": "Thaw <thaw@example.com>"}, "is no mail address"),
        ({"THAW_SMTP_URL": "imap://example.com"}, "THAW_SMTP_URL must start with smtps://"),
        ({"THAW_SMTP_URL": "smtp://ann:pw@"}, r"THAW_SMTP_URL=smtp://ann:\*\*\*@ names no host"),
        ({"THAW_SMTP_URL": "smtp://ann:p%C3%B6@example.com"}, "letters beyond ASCII"),
        ({"THAW_CHECKPOINT_MAIL_MINUTES": "0"}, "THAW_CHECKPOINT_MAIL_MINUTES='0'"),
    ],
)
def test_settings_of_mail_that_cannot_work_are_refused_at_once(changed: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read_settings(environment_of(Mailbox(port=25)) | changed)


def test_the_password_of_the_mail_server_is_masked() -> None:
    environ = environment_of(Mailbox(), THAW_SMTP_URL="smtps://ann:hush@example.com:465")
    assert read_settings(environ).shown()["THAW_SMTP_URL"] == "smtps://ann:***@example.com:465"
