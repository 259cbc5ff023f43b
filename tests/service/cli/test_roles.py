"""What an auditor's own login sees of the service, and what it is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from migrations.access import AUDITOR, OPENED, ROLES, SERVICE
from tests.logins import Logins
from tests.service.world import MONDAY, WHY, World
from workflows.lead import lead_id

#: Every command that only reads; LEAD stands for a lead.
READS = (
    ("replay", "LEAD"), ("replay", "LEAD", "--at", "2026-01-06", "--as", "occurred"), ("diff", "LEAD", "1", "2"),
    ("lead", "LEAD"), ("leads", "--at", "2026-01-06"), ("why", "LEAD", "1"), ("why-not", "LEAD", "--on", "2026-01-06"),
    ("rederive", "LEAD"), ("rederive", "--all"), ("verify",), ("rebuild", "--check"), ("dead", "list"), ("roles",),
    ("operations",), ("explain", "LEAD"), ("erasures", "list"), ("replay", "rep:dan"), ("why", "rep:dan"),
    ("rederive", "rep:dan"), ("operations", "--lead", "LEAD"), ("accountability", "--leads", "overrides"),
)  # fmt: skip


@pytest.fixture
def lived(world: World) -> World:
    """Two leads with a history of a week, under the ids that an import gives."""
    world.rep()
    for external_id in ("V-0000", "V-0001"):
        world.take_in(id_=lead_id("crm", external_id))
    world.at(MONDAY + timedelta(days=7))
    return world


@pytest.fixture
def audited(lived: World, logins: Logins, tmp_path: Path) -> World:
    """The same, from a machine where nothing is named but the database, with an auditor's login."""
    lived.environ["THAW_DATABASE_URL"] = logins.url(lived.environ["THAW_DATABASE_URL"], AUDITOR)
    lived.environ["THAW_REDIS_URL"] = ""
    lived.environ["THAW_HOME"] = str(tmp_path / "nothing runs here")
    return lived


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_an_auditors_login_is_enough_to_read(audited: World, command: tuple[str, ...]) -> None:
    """No command that reads writes anything, needs Redis, or needs names and addresses."""
    arguments = ["V-0000" if argument == "LEAD" else argument for argument in command]
    said = audited.ok(*arguments)
    assert "Amberfield" not in said


def test_the_words_behind_an_event_are_closed_to_an_auditor(lived: World, logins: Logins) -> None:
    """That there are words is in the log; what they are is for whoever may see personal data."""
    with lived.worker():
        lived.ok("reply", "V-0000", "--channel", "call", "--words", "my sister's phone is better")
    assert "sister" in lived.ok("why", "V-0000")
    lived.environ["THAW_DATABASE_URL"] = logins.url(lived.environ["THAW_DATABASE_URL"], AUDITOR)
    assert "text       closed to this login\n" in lived.ok("why", "V-0000")
    assert lived.said("why", "V-0000")["texts"] is None


def test_an_auditor_asks_what_if_and_is_told_that_texts_were_not_checked(audited: World) -> None:
    """Nothing is written, and what is closed to the login is said to be left out."""
    shipped = Path(__file__).parents[3] / "workflows" / "shipped" / "five-five-five.toml"
    assert "nothing differs for any of 2 leads" in audited.ok("what-if", shipped)
    assert "texts were not held against their commitments: they are closed to this login\n" in audited.ok("verify")


def test_an_auditor_takes_the_log_away(lived: World, logins: Logins, tmp_path: Path) -> None:
    """What is signed can be exported without a key of one's own; personal data, and a record of it, are beyond the login."""
    lived.ok("keys", "init", "--name", "example.com/thaw")
    lived.ok("checkpoint", "--heads")
    key = lived.ok("keys", "show").strip()
    lived.environ["THAW_DATABASE_URL"] = logins.url(lived.environ["THAW_DATABASE_URL"], AUDITOR)
    lived.environ["THAW_HOME"] = str(tmp_path / "nothing runs here")
    made = lived.said("export", *WHY, "V-0000", "-o", tmp_path / "v.zip")
    assert made["recorded"] is None
    assert "nothing is wrong" in lived.ok("verify-bundle", tmp_path / "v.zip", "--key", key)
    assert "be given thaw_auditor_opened" in lived.refused(2, "export", *WHY, "--all", "--opened", "-o", tmp_path / "w.zip")


def test_an_auditor_holds_the_ledger_against_the_log(lived: World, logins: Logins, tmp_path: Path) -> None:
    """With a copy of the ledger the login tells who is back: of leads by the log, for contacts are closed to it."""
    lived.ok("erase", "V-0000", "--reason", "asked for it by letter")
    path = tmp_path / "copy.ledger"
    path.write_bytes((Path(lived.environ["THAW_HOME"]) / "erasures.ledger").read_bytes())
    lived.environ["THAW_ERASURE_LEDGER"] = str(path)
    lived.environ["THAW_DATABASE_URL"] = logins.url(lived.environ["THAW_DATABASE_URL"], AUDITOR)
    id_ = str(lead_id("crm", "V-0000"))
    (shown,) = lived.said("erasures", "list")["erasures"]
    assert (shown["lead_id"], shown["stands"], shown["in_ledger"]) == (id_, "erased", True)
    assert "erased on 2026-01-12" in lived.ok("lead", "V-0000")
    lived.sql("UPDATE leads SET erased_at = NULL WHERE id = %(id)s", id=id_)
    assert f"{id_}  2026-01-12  BACK in this database" in lived.refused(1, "erasures", "list")


def test_status_tells_what_there_is_without_redis(audited: World) -> None:
    said = audited.refused(3, "status")
    assert "redis       Redis is not named in THAW_REDIS_URL\n" in said
    assert "leads       2: " in said


@pytest.mark.parametrize("typed", ["V-0000", "crm:V-0000", lead_id("crm", "V-0000"), lead_id("crm", "V-0000").hex[:8]])
def test_an_auditor_finds_a_lead_by_the_crms_id_without_seeing_contacts(audited: World, typed: object) -> None:
    """Our id follows from the CRM's, which is all that the auditor was told on the telephone."""
    assert audited.said("lead", typed)["lead"]["id"] == str(lead_id("crm", "V-0000"))


def test_a_lead_that_nobody_knows_is_unknown_to_an_auditor_too(audited: World) -> None:
    assert "no lead is known as 'V-9999'" in audited.refused(2, "replay", "V-9999")


def test_an_auditor_who_may_see_names_sees_them(audited: World, logins: Logins) -> None:
    audited.sql(f'GRANT {OPENED} TO "{logins.name(AUDITOR)}"')
    try:
        assert "Ada Amberfield (crm:V-0000)" in audited.ok("replay", "V-0000")
    finally:
        audited.sql(f'REVOKE {OPENED} FROM "{logins.name(AUDITOR)}"')


@pytest.mark.parametrize(
    "command", [("importance", "V-0000", "4"), ("rebuild",), ("dead", "retry", "--all", "--reason", "x")], ids=" ".join
)
def test_an_auditor_changes_nothing(audited: World, command: tuple[str, ...]) -> None:
    before = audited.said("verify")["events"]
    assert "`thaw roles` says what each may do" in audited.refused(3, *command)
    assert audited.said("verify")["events"] == before


def test_roles_says_who_has_them_and_who_asks(lived: World, logins: Logins) -> None:
    said = lived.said("roles")
    assert said["login"]["roles"] == [SERVICE]
    assert not said["login"]["owner"]
    assert {role: logins.name(role) in members for role, members in said["members"].items()} == dict.fromkeys(ROLES, True)
    assert said["lacking"]["statements"] == []
    assert said["privileges"]["events"] == {SERVICE: ["INSERT", "SELECT"], AUDITOR: ["SELECT"], OPENED: []}
    told = lived.ok("roles")
    assert f"this login           {logins.name(SERVICE)}: {SERVICE}\n" in told
    assert "CREATE ROLE ada LOGIN PASSWORD '…'; GRANT thaw_auditor TO ada;\n" in told


def test_what_the_roles_lack_is_printed_with_the_statements(lived: World) -> None:
    lived.sql(f"REVOKE SELECT ON events FROM {AUDITOR}")
    result = lived.thaw("roles")
    assert result.exit_code == 0
    assert f"!   GRANT SELECT ON events TO {AUDITOR};\n" in result.stderr
