"""Playbooks as text: what is wrong with one and where, what it takes over from others, and what it would do."""

import pytest

from tests.workflows.life import CALENDAR, PLAYBOOK, life_in
from workflows.commands import MigratePlaybook
from workflows.events import PlaybookMigrated
from workflows.handle import calendar_digest
from workflows.law_table import CURRENT
from workflows.playbook_review import follow_ups_a_day, review
from workflows.playbook_text import PlaybookError, Source, read_playbook
from workflows.playbooks import Playbook, decode_playbook
from workflows.rederive import Library, rederive

HEAD = 'schema = 1\nid = "mine"\nversion = "1.0.0"\ntitle = "Mine"\nsource = "us"\n'
LIBRARY = {
    "slow": HEAD.replace("mine", "slow") + "[attempts]\nmax = 4\n[timers]\nnext_attempt_working_days = 4\n",
    "eager": HEAD.replace("mine", "eager") + "[attempts]\nmax = 8\n[breakup]\nmax_gap_working_hours = 2\n",
    "round": HEAD.replace("mine", "round") + 'extends = ["about"]\n',
    "about": HEAD.replace("mine", "about") + 'extends = ["round"]\n',
    "both": HEAD.replace("mine", "both") + 'extends = ["slow"]\n',
}


def find(named: str) -> Source | None:
    """Find in the library of these tests."""
    id_, _, version = named.partition("@")
    return Source(f"{id_}@1.0.0", LIBRARY[id_]) if id_ in LIBRARY and version in ("", "1.0.0") else None


def read(text: str) -> Playbook:
    """Read a playbook that begins as all of these do."""
    lines = text.splitlines(keepends=True)
    own = "".join(line for line in lines if line.startswith("extends"))
    return read_playbook(HEAD + own + "".join(line for line in lines if not line.startswith("extends")), find)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[capacity]\nnotes = 500\n", "line 7, capacity.notes: Expected `int` <= 100; it is 500"),
        ('[capacity]\nnotes = "5"\n', "line 7, capacity.notes: Expected `int`, got `str`; it is '5'"),
        ("[capacity]\nnotez = 5\n", "line 7, capacity.notez: there is no such field; did you mean notes?"),
        (
            "[capacity.minutes]\nzoo = 5\n",
            "capacity.minutes.zoo: there is no such field; [capacity.minutes] has budget, note, call",
        ),
        ("colour = 1\n", "line 6, colour: there is no such field; a playbook has schema, id, version, title, source, extends"),
        ("[capacitiy]\nnotes = 6\n", "line 6, capacitiy: there is no such field; did you mean capacity?"),
        ("[timers]\nnotes = 6\n", "line 7, timers.notes: there is no such field; it belongs into [capacity]"),
        ("[attempts]\nvalue_items = []\n", "attempts.value_items: there is no such field; it belongs before the first section"),
        ('[[invitation.audiences]]\nkeyy = "client"\n', "audiences[0].keyy: there is no such field; did you mean key?"),
        ("[timers]\ntriage_days = -1\n", "line 7, timers.triage_days: Expected `int` >= 0; it is -1"),
        ("[capacity.minutes]\nbudget = 2000\n", "line 7, capacity.minutes.budget: Expected `int` <= 1440; it is 2000"),
        ("[contact_hours]\nopens = 900\ncloses = 600\n", "line 6, contact_hours: opens (900) must come before closes (600)"),
        ("[contact_hours]\nweekdays = []\n", "weekdays must name at least one day"),
        ("[capacity\n", "not TOML"),
        ("schema = " + "9" * 5_000 + "\n", "not TOML that can be read"),
        pytest.param(f"a = {'[' * 5000}\n", "nested too deeply", id="deep"),
        ('extends = ["nobody"]\n', "no playbook 'nobody' is published"),
        ('extends = ["slow@2.0.0"]\n', "no playbook 'slow@2.0.0' is published"),
        ("extends = 5\n", "it must be a list of playbooks"),
        ('extends = ["round"]\n', "round@1.0.0 extends about@1.0.0 extends round@1.0.0 again"),
        (
            '[drop]\nchecklist = ["modes_tried", "prayed"]\n',
            "line 7, drop.checklist[1]: Invalid enum value 'prayed'; it may be connector_tried, importance_answered,",
        ),
        ('[homework]\nblocks = ["fax"]\n', "homework.blocks[0]: Invalid enum value 'fax'; it may be call, note, touch"),
        ('[call]\nscript = ["weather"]\n', "Invalid enum value 'weather'; it may be business, personal_topic, shared_history"),
        ("[importance]\nusual = 6\n", "line 7, importance.usual: Expected `int` <= 5; it is 6"),
        ('[ask]\nimportance = "yes"\n', "line 7, ask.importance: Expected `bool`, got `str`"),
        ('[on_no_response]\ngoto = "nobody"\n', "line 7, on_no_response.goto: the playbook 'nobody' is not published"),
        ('[on_no_response]\ngoto = "slow@9.0.0"\n', "on_no_response.goto: the playbook 'slow@9.0.0' is not published"),
        ('[on_no_response]\ngoto = "mine"\n', "on_no_response.goto: the playbook 'mine' goes to itself"),
        (
            '[on_no_response]\ngoto = "slow.of.dan@1.0.0"\n',
            "line 7, on_no_response.goto: the playbook 'slow.of.dan@1.0.0' was made for the days of one rep, and no lead",
        ),
        ("[on_no_response]\ngoto = 5\n", "line 7, on_no_response.goto: Expected `str | null`, got `int`"),
        ('extends = ["slow", "eager"]\n', "attempts.max: slow@1.0.0 says 4 and eager@1.0.0 says 8"),
    ],
)
def test_what_is_wrong_is_said_with_line_field_and_value(text: str, says: str) -> None:
    """Whoever wrote the file finds the place at once."""
    with pytest.raises(PlaybookError) as error:
        read(text)
    assert says in str(error.value)


def test_a_missing_field_is_named() -> None:
    """A playbook without an id is none."""
    with pytest.raises(PlaybookError, match="missing required field `id`"):
        read_playbook("schema = 1\n", find)


def test_what_it_says_itself_goes_before_what_it_takes_over() -> None:
    """A playbook that extends others is whole: one pin holds everything."""
    mine = read('extends = ["slow", "eager"]\n[attempts]\nmax = 5\n')
    assert (mine.attempts.max, mine.timers.next_attempt_working_days, mine.breakup.max_gap_working_hours) == (5, 4, 2)
    assert mine.extends == ("slow@1.0.0", "eager@1.0.0")
    assert mine.id == "mine"
    assert read('extends = ["both"]\n').extends == ("both@1.0.0", "slow@1.0.0")


def test_where_silence_leads_is_one_version_for_good() -> None:
    """What is published names the newest version of today, whatever comes later; a playbook that extends it takes that over."""
    assert read('[on_no_response]\ngoto = "slow"\n').on_no_response.goto == "slow@1.0.0"
    assert read("").on_no_response.goto is None


def test_a_pin_is_the_digest_of_what_was_published() -> None:
    """A release with more fields reads an old body, and its pin stays."""
    body = '{"id":"old","schema":1,"source":"us","title":"Old","version":"1.0.0"}'
    assert (
        decode_playbook(body).pin.digest != Playbook(schema=1, id="old", version="1.0.0", title="Old", source="us").pin.digest
    )
    assert decode_playbook(body) == Playbook(schema=1, id="old", version="1.0.0", title="Old", source="us")


@pytest.mark.parametrize(
    ("text", "level", "says"),
    [
        ("[capacity]\nnotes = 6\n", "warn", "calls a day 5 < notes a day 6: the backlog would grow by 1 a day"),
        ("[capacity]\nnotes = 0\n", "refuse", "no lead is ever begun"),
        ("[capacity]\ncalls = 0\n", "refuse", "no note is ever written"),
        ("[capacity.minutes]\nbudget = 5\n", "refuse", "Nothing fits into a day of 5 minutes: the least that is done takes 6."),
        ('first_touch = "fax"\n', "refuse", "not with fax"),
        ("[capacity]\nmax_promise_gap_days = 6\n", "refuse", "never within 6 days"),
        ("[attempts]\nmax = 2\n", "refuse", "it is never reached"),
        ('[attempts]\nmodes = ["call"]\n', "refuse", "It is never reached"),
        ('[attempts]\nmodes = ["handwritten_note", "fax"]\n', "refuse", "Name at least one of call, courier, email, other."),
        ('[attempts]\nmodes = ["call", "email", "post"]\n', "refuse", "Nobody is tried by post: an attempt is made by call"),
        ("[capacity]\nfollow_up_touches = 0\n", "refuse", "never tried again. It has to be 1 at least"),
        ("[attempts]\nmax_when_important = 4\n", "refuse", "fewer attempts than others"),
        ("[timers]\nhold_review_days = 0\n", "refuse", "with 0 it would fire without end"),
        ("[timers]\nresponse_window_working_days = 0\n", "refuse", "with 0 it would fire without end"),
        ("[timers]\nnurture_floor_days = 0\n", "refuse", "with 0 it would fire without end"),
        ("[timers]\nqueue_age_days = 0\nrequeue_days = 0\n", "refuse", "from the queue to nurture and back without end"),
        ('[checks]\nnote = ["nice"]\n', "refuse", "There is no check called nice"),
        ("[content]\nform_letter_warn = 900\n", "refuse", "it is never given"),
        ("[content]\nwords_least = 90\n", "refuse", "No text has the right length"),
        ("[capacity.minutes]\nbudget = 90\n", "warn", "and 90 are there"),
        ('value_items = ["report"]\n', "warn", "1 value items are listed"),
        ("[pursuit]\npropose_after = 7\n", "refuse", "it is never shown"),
        ('[pursuit.ways]\nletter = "post"\n', "warn", "nobody is tried this way"),
        ('[pursuit.ways]\nfax = "other"\n', "refuse", "a way is within one"),
        ('[call]\nscript = ["business", "personal_topic"]\n', "refuse", "Something personal comes before business"),
        ('[call]\nscript = ["shared_history"]\n', "refuse", "Something personal comes before business"),
        ('[call]\nscript = ["personal_topic", "personal_topic"]\n', "refuse", "names something twice"),
        ('[homework]\nblocks = ["note", "touch"]\n', "refuse", "name note and call, or neither"),
        ('[drop]\nchecklist = ["modes_tried"]\n', "warn", "asked only where there is [pursuit]"),
        ("[importance]\nhigh_from = 6\n", "warn", "nobody gets attempts.max_when_important"),
        ('first_touch = "call"\n[capacity]\nnotes = 0\n[on_no_response]\ngoto = "slow"\n', "warn", "nobody ever goes there"),
        ("[contact_hours]\nopens = 420\n", "warn", "The law allows calls from 08:00 to 21:00 at most"),
        (
            "[contact_hours]\nweekdays = [1, 7]\n",
            "warn",
            "In US-AL, US-LA, US-MS, US-RI, US-UT no calls are allowed on Sundays",
        ),
    ],
)
def test_a_review_says_what_a_playbook_would_do(text: str, level: str, says: str) -> None:
    """Steps that nobody can reach refuse it; what will surprise is said."""
    remarks = [remark for remark in review(read(text), CURRENT) if says in remark.says]
    assert [remark.level for remark in remarks] == [level]


@pytest.mark.parametrize(
    ("rate", "stop", "touches", "breakups"),
    [(0.3, 3, 6.0, 1.7), (0.4, 3, 4.8, 1.1), (0.5, 3, 3.8, 0.6), (0.3, 6, 9.7, 0.6), (0.4, 6, 6.9, 0.2), (0.5, 6, 4.8, 0.1)],
)
def test_the_load_of_follow_ups_is_that_of_the_method(rate: float, stop: int, touches: float, breakups: float) -> None:
    """The table of methods.md section 6.3, row by row."""
    found = follow_ups_a_day(read(f"[attempts]\nmax = {stop}\n"), rate)
    assert found[0] == pytest.approx(touches, abs=0.06)
    assert found[1] == pytest.approx(breakups, abs=0.06)


def moved(**timers: int) -> Playbook:
    """Return the playbook of a life with other durations."""
    text = HEAD.replace("mine", "life").replace("1.0.0", "1.1.0")
    return read_playbook(text + "[timers]\n" + "".join(f"{name} = {value}\n" for name, value in timers.items()), find)


def test_a_lead_moves_to_another_version_by_an_event_only() -> None:
    """Invariant 7: a new version changes nothing for a lead until it is migrated; then its timers run as the new one says."""
    life = life_in("declined")
    before = life.lead.timers
    outcome = life.migrate(moved(triage_days=20, homework_working_days=5, reason_probe_working_days=1))
    assert outcome.answer == "applied"
    (recorded,) = outcome.recorded
    assert isinstance(recorded.data, PlaybookMigrated)
    assert (recorded.data.previous, life.lead.playbook) == (PLAYBOOK.pin, life.playbook.pin)
    assert (before["triage"].due_at - life.lead.timers["triage"].due_at).days == 10
    assert (life.lead.timers["homework"].due_at - before["homework"].due_at).days == 4  # a weekend lies between
    assert life.lead.timers["reason_probe"] == before["reason_probe"]
    assert life.lead.timers["triage"].armed_version == recorded.version
    library = Library({calendar_digest(CALENDAR): CALENDAR}, {each.pin.digest: each for each in (PLAYBOOK, life.playbook)})
    assert rederive(life.history, library).mismatches == ()


def test_a_migration_never_fires_in_the_past() -> None:
    """A timer that would have been due already is due at once."""
    life = life_in("declined").wait(days=25)
    life.migrate(moved(triage_days=3))
    assert life.lead.timers["triage"].due_at == life.now


def test_a_lead_stays_where_its_step_would_be_missing() -> None:
    """Nobody is left standing on a step that is not there."""
    life = life_in("note_sent")
    text = HEAD.replace("mine", "life").replace("1.0.0", "1.1.0") + "[capacity]\nnotes = 0\n"
    outcome = life.migrate(read_playbook(text, find))
    assert (outcome.answer, outcome.rule) == ("refused", "step_kept")
    assert life.lead.playbook == PLAYBOOK.pin


def test_the_same_version_again_is_refused() -> None:
    """Nothing would change."""
    life = life_in("queued")
    assert life.migrate(PLAYBOOK).rule == "another_playbook"
    life = life_in("declined")
    pin = life.playbook.pin
    other = MigratePlaybook(playbook=pin.id, version="9.9.9", digest="0" * 64)
    assert life.do(other, "rep:dan").rule == "manager"
