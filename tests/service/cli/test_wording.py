"""Wording from the command line: published by one and approved by another, used from then on, and named by its digest."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from models.database import transaction
from service.playbooks import publish_shipped
from service.wordings import shipped_wordings
from tests.service.bundle.rules import follow
from tests.service.sheets import sheet, week
from tests.service.world import MONDAY, WHY, World
from tests.workflows.life import CALENDAR, PLAYBOOK, WORDS, Life, register
from workflows import commands as c
from workflows import homework_commands as h
from workflows.codec import digest
from workflows.events import NoteSent, Verdict
from workflows.operations import WordingPublished
from workflows.phrase_lists import TEXT
from workflows.service_stream import SERVICE_ID
from workflows.wordings import FORMS, NAMES

__all__ = ["week"]

BOTH = ("--as", "manager:ann", "--approved-by", "manager:bob")
LATE = "You were to hear from me on $promised_day. That is on me.\n"
BREAKUP = (
    "Subject: One last line\n\nHello $first_name,\n\nI tried $attempts times, as $solution was to bring you $benefit.\n"
    "If it is a no, that is fine. Please just reply.\n"
)


def file(tmp_path: Path, text: str) -> Path:
    (tmp_path / "wording.txt").write_text(text)
    return tmp_path / "wording.txt"


def text_of(name: str) -> str:
    return next(each.text for each in shipped_wordings() if each.name == name)


def test_what_ships_is_in_force(world: World) -> None:
    """Each name once, and the release again changes nothing."""
    listed = world.said("wording", "list")
    assert sorted(NAMES) == [each["name"] for each in listed]
    assert all(each["in_force"] and each["shipped"] for each in listed)
    publish_shipped(world.engine)
    assert listed == world.said("wording", "list")
    assert world.said("wording", "show", "phrases")["text"] == TEXT
    assert "# field unsubscribe: must be there" in world.thaw("wording", "show", "mail-footer").stderr


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_is_shown_can_be_published_again(world: World, tmp_path: Path, name: str) -> None:
    """Shown into a file, edited or not, it is a wording: what is said about it does not go into the file."""
    shown = world.ok("wording", "show", name)
    assert shown == text_of(name)
    assert "in force already, word for word" in world.ok("wording", "publish", name, file(tmp_path, shown), *BOTH)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "breakup",
            BREAKUP.replace("$benefit", "$benefits"),
            "line 5, $benefits: there is no such field; did you mean $benefit?",
        ),
        ("breakup", BREAKUP.replace("Hello", "Hello {{name}} and"), "line 3, {{name}}: a mark that a mail merge left behind"),
        ("breakup", BREAKUP.replace("$benefit", "gains"), "$benefit is missing: the breakup names it (A1-9)"),
        ("breakup", BREAKUP.replace("If it is a no, that is fine. ", ""), "it does not say that a no is fine"),
        ("breakup", BREAKUP.replace("Please just reply", "Goodbye"), "it does not ask to reply"),
        ("breakup", BREAKUP.replace("Subject: ", ""), "line 1: it begins with `Subject: `"),
        ("nurture", "Subject: $message\n\nHello.\n", "$message is missing"),
        ("mail-footer", "Springfield Homes, No more mail: $unsubscribe\n", "$postal_address is missing: the law asks for it"),
        ("mail-footer", "$postal_address\nBye\n", "$unsubscribe is missing: the law asks for it in every mail"),
        ("late-call", "I am sorry, $5 off.\n", "line 1, $: write $$ for the sign itself"),
        # `$$name` is the sign and the word, and no field.
        ("mail-footer", "Sincerely $$unsubscribe$$postal_address\n", "$postal_address is missing: the law asks for it"),
        ("late-call", "x $$promised_day$$promised_day\n", "$promised_day is missing: it says what was promised"),
        ("breakup", BREAKUP.replace("Subject: ", "Subject: " + "x" * 200), "line 1: the subject has "),
        ("late-call", "On \u202e$promised_day\n", "line 1, U+202E: nobody could print it"),
        ("late-call", "On $promised_day\u2028\n", "line 1, U+2028: nobody could print it"),
        ("late-call", "", "it has 0 characters"),
        ("late-call", "On $promised_day\x1b[2J\n", "line 1, U+001B: nobody could print it"),
        ("invite-client", text_of("invite-declined"), "A client is told that it came to nothing."),
        ("invite-declined", text_of("invite-declined").replace("{events}", ""), "{events} is missing: the list of events"),
        ("invite-declined", "Dear {nmae}\n", "line 1, {nmae}: there is no such field; did you mean {name}?"),
        ("invite-client", text_of("invite-client").replace("{name}", "{name\n}"), "{: no field of this line has it"),
        ("phrases", "idle = [\n", "not TOML"),
        ("phrases", "idle = " + "9" * 5_000, "not TOML"),
        (
            "phrases",
            TEXT.replace("mentions_mail", "mentions_post"),
            "mentions_post: there is no such list; there are idle, mentions_mail, empty",
        ),
        ("phrases", TEXT.replace('"bump this"', '"Bump this"'), "bumping_this: 'Bump this' is never found"),
        ("phrases", TEXT.replace('"bump this"', "5"), "empty"),
        ("phrases", TEXT.replace('"about"', '"about us"'), "idle: 'about us' is not one word"),
        ("late", LATE, "there is no wording called 'late'; did you mean late-call?"),
    ],
)
def test_what_could_not_be_sent_is_refused(world: World, tmp_path: Path, name: str, text: str, says: str) -> None:
    """With line and field, and nothing of it is kept."""
    assert says in world.refused(2, "wording", "publish", name, file(tmp_path, text), *BOTH)
    assert len(world.said("wording", "list")) == len(NAMES)


def test_two_people_publish_it_and_the_newest_is_used(week: World, tmp_path: Path) -> None:
    """The call sheet begins a late call with the wording in force; to go back is to publish what was."""
    late = file(tmp_path, LATE)
    assert "only a manager publishes a wording" in week.refused(
        2, "wording", "publish", "late-call", late, "--as", "rep:dan", *BOTH[2:]
    )
    assert "a second person" in week.refused(2, "wording", "publish", "late-call", late, *BOTH[:3], "manager:Ann")
    said = week.said("wording", "publish", "late-call", late, *BOTH)
    assert said["new"]
    assert not week.said("wording", "publish", "late-call", late, *BOTH)["new"]
    (published,) = (event for event in week.events(SERVICE_ID) if isinstance(event.data, WordingPublished))
    assert isinstance(published.data, WordingPublished)
    assert (published.actor, published.data.approved_by, published.data.digest) == (
        "manager:ann",
        "manager:bob",
        said["digest"],
    )
    assert f"published the wording late-call, SHA-256 {said['digest']}" in week.ok("operations")
    week.at(MONDAY + timedelta(days=15))
    opens = {note for item in sheet(week).items for note in item.notes if note.startswith("open with")}
    assert opens == {"open with: “You were to hear from me on Tue 2026-01-13. That is on me.”"}
    before = f"late-call@{next(e for e in shipped_wordings() if e.name == 'late-call').digest[:8]}"
    assert "+You were to hear from me" in week.ok("wording", "diff", before, "late-call")
    assert week.ok("wording", "diff", "late-call", late) == "they say the same\n"
    publish_shipped(week.engine)
    assert week.said("wording", "show", "late-call")["text"] == LATE
    week.ok("wording", "publish", "late-call", file(tmp_path, text_of("late-call")), *BOTH)
    assert "I am sorry" in week.said("wording", "show", "late-call")["text"]
    assert "no wording 'late-call@000000'" in week.refused(2, "wording", "show", "late-call@000000")


def test_a_published_wording_never_changes(world: World) -> None:
    """Neither the service nor anybody else may change it."""
    with transaction(world.service) as connection, pytest.raises(Exception, match=r"permission denied|append-only"):
        connection.exec_driver_sql("UPDATE wordings SET body = 'x'")


def test_phrases_are_those_in_force_and_stand_in_the_decision(world: World, tmp_path: Path) -> None:
    """What the checks look for changes with the lists; each decision names those that it was made by, and derives again."""
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    note = (
        "Dear {},\nhow are the bees on your roof since the Oakwood open house? Hope you are well. I'll call you next week.\nDan"
    )
    shipped = next(each for each in shipped_wordings() if each.name == "phrases")
    with world.worker():
        world.ok("note-sent", "V-0000", "--text", note.format("Ada"))
    lists = TEXT.replace("[empty]\n", '[empty]\nhoping_well = ["hope you are well"]\n')
    said = world.said("wording", "publish", "phrases", file(tmp_path, lists), *BOTH)
    touch = ("check", "V-0001", "--kind", "touch", "--text", "Dear Bela, hope you are well. Best, Dan")
    assert "hoping well" in world.refused(1, *touch)
    assert "checking in" not in world.refused(1, *touch)
    with world.worker():
        world.ok("note-sent", "V-0001", "--text", note.format("Bela"), "--override", "They wrote the same to me last week.")
    used = [
        recorded.used.wording
        for id_ in world.leads
        for recorded in world.events(id_)
        if isinstance(recorded.data, NoteSent) and recorded.used
    ]
    assert used == [{"phrases": shipped.digest}, {"phrases": said["digest"]}]
    assert world.said("rederive", "--all")["mismatches"] == []
    assert world.said("verify")["findings"] == []
    world.environ["THAW_HOME"] = str(tmp_path / "home")
    world.ok("keys", "init", "--name", "example.com/thaw")
    bundle = tmp_path / "v.zip"
    key = world.ok("export", *WHY, "V-0001", "-o", bundle).split("--key ")[1].split()[0]
    assert world.ok("verify-bundle", bundle, "--key", key).endswith("verdict      nothing is wrong (exit status 0)\n")
    with zipfile.ZipFile(bundle) as opened:
        held = [name for name in opened.namelist() if name.startswith("wordings/")]
        assert held == [f"wordings/{said['digest']}.txt"]
        assert opened.read(held[0]).decode() == lists


def findings(world: World) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(world.thaw("verify", "--json").stdout.splitlines()[-1])["findings"]
    return found


def test_a_wording_that_was_changed_behind_the_log_is_found(world: World, tmp_path: Path) -> None:
    """Whoever owns the tables can change one; `thaw verify` says so, and of one that is gone, too."""
    world.ok("wording", "publish", "late-call", file(tmp_path, LATE), *BOTH)
    assert world.said("verify")["findings"] == []
    unguarded = "SET LOCAL session_replication_role = replica"
    world.sql(f"{unguarded}; UPDATE wordings SET body = body || '!' WHERE name = 'late-call' AND NOT shipped")
    (found,) = findings(world)
    assert (found["code"], "late-call" in found["sentence"]) == ("wording_differs", True)
    world.sql(f"{unguarded}; DELETE FROM wordings WHERE name = 'late-call' AND NOT shipped")
    (found,) = findings(world)
    assert "and none is kept" in found["sentence"]


def test_a_bundle_holds_the_wording_that_checks_used() -> None:
    """The verifier misses one that is not there, and finds a phrase that is in no list that was used."""
    playbooks, calendars = [PLAYBOOK], [CALENDAR]
    life = Life()
    life.wording = {"phrases": digest(TEXT.encode())}
    life.must(register(), "import")
    life.must(h.OpenHistory())
    life.verdicts = (
        Verdict(check="purpose", passed=True, source="content check purpose version 1", inputs={"phrase": "bumping_this"}),
    )
    life.must(c.RecordStrategy(strategy=WORDS, missed_last_time=WORDS))
    assert life.history[-1].used
    assert life.history[-1].used.wording == life.wording
    found, _ = follow(life.history, playbooks=playbooks, calendars=calendars, wordings=[TEXT])
    assert found == []
    missed, _ = follow(life.history, playbooks=playbooks, calendars=calendars)
    assert "is not in the bundle" in missed[0]
    other = TEXT.replace("bumping_this", "bumping_it")
    life.wording = {"phrases": digest(other.encode())}
    life.must(c.RecordStrategy(strategy=WORDS, missed_last_time=WORDS))
    wrong, _ = follow(life.history, playbooks=playbooks, calendars=calendars, wordings=[TEXT, other])
    assert "bumping_this" in wrong[0]


def test_every_form_says_what_it_is_for() -> None:
    """The list names each."""
    assert all(form.says and set(form.required) <= set(form.fields) for form in FORMS.values())
