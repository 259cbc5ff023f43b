"""What reps did and promised, counted twice: by the report, and by a question in SQL."""

import csv
import io
from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from models.database import transaction
from service.cli.accountability import COLUMNS
from tests.service.world import MONDAY, World
from workflows.accountability import ENDS, FIGURES
from workflows.calendars import Absence
from workflows.commands import BookMeeting, Command, MarkNoteSent, RecordCall, RecordDecline

_DAY = "((body::jsonb->>'occurred_at')::timestamptz AT TIME ZONE 'America/New_York')::date"

#: Each figure as SQL sees it, over the events of leads; ``day`` is the day in New York.
QUESTIONS = {
    "notes": "type = 'note_sent'",
    "calls": "body::jsonb->'effects'->'used' @> '[{\"kind\": \"promised_call\"}]'",
    "decisions_no": "type = 'lead_declined' AND body::jsonb->'data'->>'kind' = 'no' AND body::jsonb->>'row' <> 'T02'",
    "unverified": "type IN ('note_sent', 'breakup_voicemail_left', 'breakup_email_sent') "
    "AND body::jsonb->'data'->>'text' IS NULL",
    "decisions_yes": """body::jsonb->>'actor' NOT IN ('planner', 'clock', 'import')
        AND (body::jsonb->'data'->>'decision' IS NOT NULL
             OR body::jsonb->>'row' IS NOT NULL AND body::jsonb->>'state' IN ('meeting_booked', 'won'))""",
}

#: What became of each promise: made by the end of the working day after it, made later, or given up without a call.
_PROMISES = f"""
    WITH holidays AS (SELECT (jsonb_array_elements(body::jsonb->'holidays')->>'day')::date AS day FROM calendars),
         working AS (SELECT day::date FROM generate_series('2026-01-01', '2026-04-30', interval '1 day') AS day
                      WHERE extract(isodow FROM day) < 6 AND day NOT IN (SELECT day FROM holidays)),
         calls AS (SELECT stream_id, version, {_DAY} AS made FROM events
                    WHERE body::jsonb->'effects'->'used' @> '[{{"kind": "promised_call"}}]'),
         promises AS (
           SELECT (body::jsonb->'data'->>'call_on')::date AS promised,
                  (SELECT made FROM calls WHERE calls.stream_id = events.stream_id AND calls.version > events.version
                    ORDER BY version LIMIT 1) AS made,
                  EXISTS (SELECT FROM events AS later WHERE later.stream_id = events.stream_id
                             AND later.type = 'call_promise_expired') AS expired
             FROM events WHERE type = 'note_sent')
    SELECT promised,
           count(*) FILTER (WHERE made <= (SELECT min(day) FROM working WHERE day > promised)),
           count(*) FILTER (WHERE made > (SELECT min(day) FROM working WHERE day > promised)),
           count(*) FILTER (WHERE expired)
      FROM promises GROUP BY promised
"""


OUTCOMES: tuple[Command, ...] = (
    RecordCall(outcome="voicemail", minutes=3),
    RecordCall(outcome="no_answer", minutes=1),
    RecordDecline(kind="no", stated_reason="no_budget", minutes=5),
    BookMeeting(meeting_at=MONDAY + timedelta(days=60), minutes=9),
    RecordCall(outcome="connected", personal_topic_first=True, decision="buys", minutes=12),
)
SAID = ("notes", "notes_missed", "minutes", "unverified")
CHECKS = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")


@pytest.fixture
def worked(world: World) -> World:
    """Three weeks of one rep: notes on the first ten working days, and every promised call with some outcome; but nothing is
    done on five days, so that notes are missed and calls come too late."""
    world.rep()
    for _ in range(30):
        world.take_in()
    made = 0
    for number in range(15):
        day = MONDAY + timedelta(days=number + 2 * (number // 5))
        world.at(day)
        if number in (3, 4, 6, 7, 8):
            continue
        for lead in list(world.leads):
            state = world.lead(lead).state
            if state == "note_due" and number < 10:
                world.hand_in(lead, MarkNoteSent(medium="hand_written", attested=CHECKS, minutes=8))
            elif state == "call_due":
                world.hand_in(lead, OUTCOMES[made % len(OUTCOMES)])
                made += 1
    return world


def _days(world: World) -> dict[str, dict[str, int]]:
    lines = world.said("accountability", "--from", "2026-01-01", "--by", "day")["lines"]
    return {line["first"]: line["figures"] for line in lines}


def test_the_report_is_what_the_log_says_in_whatever_form(worked: World) -> None:
    """A4-13, A1-13, A1-15."""
    _equals_a_question_over_the_log(worked)
    _promises_end_once(worked)
    _weeks_and_months_add_up(worked)
    _exported_for_a_spreadsheet(worked)
    _printed_as_a_table(worked)
    _each_figure_down_to_its_leads(worked)


def _equals_a_question_over_the_log(worked: World) -> None:
    days = _days(worked)
    for figure, condition in QUESTIONS.items():
        with transaction(worked.engine) as connection:
            rows = connection.execute(text(f"SELECT {_DAY} AS day, count(*) FROM events WHERE {condition} GROUP BY 1"))
            asked = {day.isoformat(): number for day, number in rows}
        assert asked == {day: counts[figure] for day, counts in days.items() if counts[figure]}, figure
    with transaction(worked.engine) as connection:
        promises = {row[0].isoformat(): tuple(row[1:]) for row in connection.execute(text(_PROMISES))}
    said = {day: (counts["kept"], counts["late"], counts["broken"]) for day, counts in days.items() if counts["promised"]}
    assert promises == said
    assert all(sum(counts[figure] for counts in days.values()) for figure in ("kept", "late", "decisions_yes"))
    with transaction(worked.engine) as connection:
        minutes = connection.scalar(text("SELECT sum((body::jsonb->'data'->>'minutes')::int) FROM events"))
    assert minutes == sum(counts["minutes"] for counts in days.values())


def _promises_end_once(worked: World) -> None:
    days = _days(worked)
    assert all(counts["promised"] == sum(counts[end] for end in ENDS) for counts in days.values())
    total = Counter[str]()
    for counts in days.values():
        total.update(counts)
    assert total["promised"] == total["notes"]
    assert total["late"] > 0


def _each_figure_down_to_its_leads(worked: World) -> None:
    days = _days(worked)
    for figure in FIGURES:
        listed = worked.said("accountability", "--from", "2026-01-01", "--leads", figure)
        sums = Counter[str]()
        for each in listed:
            sums[each["day"]] += each["count"]
        for each in listed[:1]:
            assert f"event {each['version']} at" in worked.ok("why", each["lead_id"], each["version"])
        assert sums == Counter({day: counts[figure] for day, counts in days.items() if counts[figure]}), figure
    assert "choose one" in worked.refused(2, "accountability", "--leads", "late", "--csv")


def test_a_sick_day_that_is_entered_late_is_no_miss(worked: World) -> None:
    """Missed and absent are told apart by the newest calendar; nothing else of the figures moves."""
    before = _days(worked)
    late = next(day for day, counts in before.items() if counts["late"])
    ill = date.fromisoformat(late)
    worked.rep(absences=(Absence(first=ill, last=ill, reason="sick"),))
    after = _days(worked)
    assert after[late]["promises_absent"] == before[late]["late"]
    assert after[late]["late"] == 0
    missed = next(day for day, counts in before.items() if counts["notes_missed"])
    worked.rep(absences=(Absence(first=date.fromisoformat(missed), last=ill, reason="sick"),))
    assert _days(worked)[missed]["notes_absent"] == before[missed]["notes_missed"]


def _weeks_and_months_add_up(worked: World) -> None:
    asked = ("accountability", "--from", "2026-01-01", "--rep", "dan")
    sums = []
    for unit in ("day", "week", "month"):
        total = Counter[str]()
        for line in worked.said(*asked, "--by", unit)["lines"]:
            total.update(line["figures"])
        sums.append(total)
    assert sums[0] == sums[1] == sums[2]
    assert sums[0]["notes"] > 0


def _exported_for_a_spreadsheet(worked: World) -> None:
    rows = list(csv.DictReader(io.StringIO(worked.ok("accountability", "--from", "2026-01-01", "--csv"))))
    assert list(rows[0]) == ["rep", "first", *FIGURES]
    lines = worked.said("accountability", "--from", "2026-01-01")["lines"]
    assert [(row["first"], row["notes"], row["late"]) for row in rows] == [
        (line["first"], str(line["figures"]["notes"]), str(line["figures"]["late"])) for line in lines
    ]


def _printed_as_a_table(worked: World) -> None:
    asked = ("accountability", "--from", "2026-01-05", "--to", "2026-01-09")
    head, line, empty, *legend = worked.ok(*asked).splitlines()
    figures = worked.said(*asked)["lines"][0]["figures"]
    assert head.split() == ["rep", "week", "from", "notes", "missed", "minutes", "unread"]
    assert line.split() == ["dan", "Mon", "2026-01-05", *(str(figures[name]) for name in SAID)]
    assert empty == ""
    assert [each.split()[0] for each in legend] == head.split()[3:]
    assert legend[0] == "  notes       notes in the post"
    assert worked.ok("accountability", "--from", "2027-01-01") == "nothing was done or promised from Fri 2027-01-01 on\n"


def test_every_column_has_a_head_of_its_own_and_a_meaning() -> None:
    """No two columns are called alike, and none is unexplained."""
    heads = [head for _, head, _ in COLUMNS]
    assert len(set(heads)) == len(heads)
    assert all(meaning and max(map(len, heads)) <= 10 for _, _, meaning in COLUMNS)
    assert {figure for figure, _, _ in COLUMNS} <= set(FIGURES)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--from", "2026-02-01", "--to", "2026-01-01"), "--to 2026-01-01 is before --from 2026-02-01"),
        (("--csv", "--json"), "--csv goes neither with --json nor with --leads"),
        (("--leads", "late", "--by", "week"), "--by week goes not with --leads"),
        (("--rep", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_asked_is_said(world: World, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in world.refused(2, "accountability", *arguments)
