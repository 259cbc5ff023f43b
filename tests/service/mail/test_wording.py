"""Mail is made of the wording in force, and says which."""

from pathlib import Path

from service.wordings import shipped_wordings
from tests.service.mail.office import Office
from workflows.mail_events import MailQueued

BOTH = ("--as", "manager:ann", "--approved-by", "manager:bob")


def test_mail_is_of_the_newest_wording_and_names_it(office: Office, tmp_path: Path) -> None:
    """A1-9, A3-3: text and footer, in plain text and in HTML; what was queued before keeps its own."""
    office.queue("nurture", "V-0000", "--asset", "guide", "--text", "The guide is out.")
    digests = {}
    for name, text in (
        ("nurture", "Subject: $asset, as promised\n\nGood day $first_name,\n\n$message\n\n$rep\n"),
        ("mail-footer", "You hear from $postal_address.\nLeave us: $unsubscribe\n"),
    ):
        (tmp_path / "wording.txt").write_text(text)
        digests[name] = office.world.said("wording", "publish", name, tmp_path / "wording.txt", *BOTH)["digest"]
    office.deliver()
    office.world.clock.move(office.world.clock().replace(month=office.world.clock().month + 1))
    office.queue("nurture", "V-0000", "--asset", "report", "--text", "The report is out.")
    office.deliver()
    old, new = office.server.mails
    assert "No more mail from us, please: " in old.plain
    assert new.subject == "report, as promised"
    lines = new.plain.splitlines()
    assert lines[:3] == ["Good day Ada,", "", "The report is out."]
    assert lines[-1].startswith("Leave us: https://")
    assert ">Leave us</a>" in new.html
    queued = [each.data for each in office.world.events(office.world.leads[0]) if isinstance(each.data, MailQueued)]
    shipped = {each.name: each.digest for each in shipped_wordings()}
    assert [(each.wording, each.footer) for each in queued] == [
        (f"nurture:{shipped['nurture']}", shipped["mail-footer"]),
        (f"nurture:{digests['nurture']}", digests["mail-footer"]),
    ]
    assert office.world.said("rederive", "--all")["mismatches"] == []
