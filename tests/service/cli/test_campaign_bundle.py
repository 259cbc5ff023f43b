"""What goes out to auditors of a campaign: its streams are in the bundle, proved, and said not to be derived there."""

from pathlib import Path
from uuid import uuid4

from models.verify_beside import verify_beside
from tests.models.test_verify_merges import tampered
from tests.service.campaigns import ANN, Office
from tests.service.world import WHY, World
from workflows.commands import EraseLead, Reference


def test_an_auditor_gets_campaigns_with_the_log(world: World, tmp_path: Path) -> None:
    """A0-16: the log that the results add up to is one that anybody can verify: letters derived, campaigns named as not."""
    world.environ["THAW_HOME"] = str(tmp_path / "home")
    with world.worker():
        office = Office(world)
        prospect, erased = office.declined(), office.declined()
        office.event()
        office.start()
        world.ok("campaign", "send", "spring")
        world.work()
        for lead in (prospect, erased):
            world.ok("campaign", "rsvp", "spring", lead, "spring-training", "--words", "We would love to come.", *ANN)
        world.work()
        reason = Reference(document_id=uuid4(), commitment="0" * 64)
        world.hand_in(erased, EraseLead(reason=reason))
    world.ok("keys", "init", "--name", "example.com/thaw")
    for opened in ((), ("--opened",)):
        path = tmp_path / f"all{len(opened)}.zip"
        lines = world.ok("export", *WHY, "--all", "-o", path, *opened).splitlines()
        command = lines[-1].partition("python verify.py ")[2].split()
        said = world.ok("verify-bundle", *command)
        assert "verdict      nothing is wrong (exit status 0)" in said
        assert "they are decisions of campaigns and sales events, which this verifier does not make again" in said
    one = tmp_path / "one.zip"
    lines = world.ok("export", *WHY, str(prospect), "-o", one, "--opened").splitlines()
    assert "nothing is wrong" in world.ok("verify-bundle", *lines[-1].partition("python verify.py ")[2].split())
    office.sound()
    # What people said with their answers is theirs, though it stands in the campaign's stream, and goes with them.
    with world.engine.connect() as connection:
        assert [] == verify_beside(connection)
        with tampered(connection, f"UPDATE documents SET lead_id = '{erased}' WHERE kind = 'words'"):
            codes = {each.code for each in verify_beside(connection)}
        with tampered(connection, "DELETE FROM documents WHERE kind = 'words'"):
            codes |= {each.code for each in verify_beside(connection)}
    assert {"erasure_undone", "text_differs", "text_missing"} == codes
