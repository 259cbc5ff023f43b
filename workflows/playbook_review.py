"""What a playbook would do: steps that nobody can reach, promises that nobody can keep, days that hold too much.

Arithmetic over the playbook alone, per rep and working day; the answer rates are those of methods.md section 6.3.
"""

from typing import Literal

import msgspec

from workflows.checks import KNOWN_CHECKS
from workflows.law_table import LawTable
from workflows.playbook_sections import Drop
from workflows.playbooks import Playbook
from workflows.sentences import words

#: The share of attempts that somebody answers, at which the load of a day is shown.
ANSWER_RATE = 0.4

#: Modes in which somebody silent may be tried, and those of them in which the same person may be tried again and again without
#: an express consent.
_ATTEMPTS = frozenset({"call", "email", "handwritten_note", "courier", "fax", "other"})
_AGAIN = frozenset({"call", "email", "courier", "other"})


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of one field."""

    level: Literal["refuse", "warn"]
    field: str
    says: str


def review(playbook: Playbook, table: LawTable) -> tuple[Remark, ...]:
    """Return what is wrong with *playbook* or will surprise under the law *table*, what refuses it first."""
    remarks = [
        *_steps(playbook),
        *_checks(playbook),
        *_attempts(playbook),
        *_timers(playbook),
        *_pursuit(playbook),
        *_asking(playbook),
        *_capacity(playbook),
        *_law(playbook, table),
    ]
    return tuple(sorted(remarks, key=lambda remark: remark.level != "refuse"))


def follow_ups_a_day(playbook: Playbook, answer_rate: float) -> tuple[float, float]:
    """Return the later attempts and the breakups that a rep's promised calls bring a day, in the steady state.

    Each attempt is answered with probability *answer_rate* (0 to 1); the last one that is not leads to a breakup.
    """
    silent = 1 - answer_rate
    first = min(playbook.capacity.notes, playbook.capacity.calls)
    stop = playbook.attempts.max
    return first * sum(silent**number for number in range(1, stop)), first * silent**stop


def _law(p: Playbook, table: LawTable) -> list[Remark]:
    (floor,) = (row for row in table.hours if row.region == "*")
    opens, closes = floor.weekday or (0, 0)
    remarks = []
    if p.contact_hours.opens < opens or p.contact_hours.closes > closes:
        says = f"The law allows calls from {opens // 60:02}:00 to {closes // 60:02}:00 at most; a playbook may narrow that"
        remarks.append(_warn("contact_hours", f"{says}, and what is wider here has no effect."))
    if 7 in p.contact_hours.weekdays:
        closed = ", ".join(row.region for row in table.hours if row.sunday is None)
        remarks.append(_warn("contact_hours.weekdays", f"In {closed} no calls are allowed on Sundays: there it has no effect."))
    return remarks


def _refuse(field: str, says: str) -> Remark:
    return Remark(level="refuse", field=field, says=says)


def _warn(field: str, says: str) -> Remark:
    return Remark(level="warn", field=field, says=says)


def _steps(p: Playbook) -> list[Remark]:
    remarks = []
    if p.first_touch not in ("handwritten_note", "call"):
        remarks.append(_refuse("first_touch", f"A pursuit begins with a handwritten_note or a call, not with {p.first_touch}."))
    if p.first_touch == "handwritten_note" and not p.capacity.notes:
        remarks.append(
            _refuse("capacity.notes", "The first touch is a note, and no day has room for one: no lead is ever begun.")
        )
    if p.first_touch == "handwritten_note" and not p.capacity.calls:
        remarks.append(
            _refuse("capacity.calls", "A note needs the slot of its call, and no day has one: no note is ever written.")
        )
    if p.first_touch == "call" and not p.capacity.follow_up_touches:
        remarks.append(
            _refuse("capacity.follow_up_touches", "The first touch is a call of this class, and no day has room for one.")
        )
    least_gap = p.capacity.call_after_note_days + 2 * (p.capacity.call_after_note_days // 5)
    if p.capacity.max_promise_gap_days < least_gap and p.capacity.long_gap != "accept":
        working, most = p.capacity.call_after_note_days, p.capacity.max_promise_gap_days
        says = f"A call {working} working days later is never within {most} days: no note is ever written."
        remarks.append(_refuse("capacity.max_promise_gap_days", says))
    if p.capacity.long_gap == "colleague" and "future_call" not in p.checks.note:
        says = "A colleague may call instead of the writer, and no check sees to it that the note names them: add future_call."
        remarks.append(_refuse("checks.note", says))
    return remarks


def _checks(p: Playbook) -> list[Remark]:
    asked = {"note": p.checks.note, "touch": p.checks.touch, "nurture": p.checks.nurture}
    unknown = [(kind, check) for kind, checks in asked.items() for check in checks if check not in KNOWN_CHECKS]
    remarks = [_refuse(f"checks.{kind}", f"There is no check called {check}.") for kind, check in unknown]
    limits = p.content
    if limits.form_letter_warn > limits.form_letter_refuse:
        remarks.append(_refuse("content.form_letter_warn", "The warning comes after the refusal: it is never given."))
    if limits.words_least > limits.words_most or limits.words_most > limits.words_refused_above:
        remarks.append(_refuse("content.words_most", "No text has the right length: least, most and refused_above must rise."))
    return remarks


def _attempts(p: Playbook) -> list[Remark]:
    remarks, attempts = [], p.attempts
    if attempts.max < attempts.min_before_breakup:
        says = f"A breakup needs {attempts.min_before_breakup} attempts and {attempts.max} are the most: it is never reached."
        remarks.append(_refuse("attempts.max", says))
    if attempts.max_when_important < attempts.max:
        remarks.append(_refuse("attempts.max_when_important", "An important lead gets fewer attempts than others."))
    if len(set(attempts.modes)) < attempts.min_modes_before_breakup:
        says = f"A breakup needs {attempts.min_modes_before_breakup} modes and {len(set(attempts.modes))} are there."
        remarks.append(_refuse("attempts.modes", f"{says} It is never reached."))
    for mode in sorted(set(attempts.modes) - _ATTEMPTS):
        says = f"Nobody is tried by {words(mode)}: an attempt is made by {', '.join(map(words, sorted(_ATTEMPTS)))}."
        remarks.append(_refuse("attempts.modes", says))
    if not _AGAIN & set(attempts.modes):
        says = "Who had a note gets no other, and faxes need a consent of their own: nobody could be tried again."
        remarks.append(_refuse("attempts.modes", f"{says} Name at least one of {', '.join(map(words, sorted(_AGAIN)))}."))
    later = attempts.max - 1
    if later and not p.capacity.follow_up_touches and p.first_touch != "call":
        says = f"No day has room for any of the {later} later attempts: who does not answer is never tried again."
        remarks.append(_refuse("capacity.follow_up_touches", f"{says} It has to be 1 at least; 5 is usual."))
    if len(p.value_items) < later:
        says = f"{later} later attempts need something new each, and {len(p.value_items)} value items are listed"
        remarks.append(_warn("value_items", f"{says}: attempts end when they are used up."))
    return remarks


def _timers(p: Playbook) -> list[Remark]:
    """Return which timers would fire again in the moment in which they have fired, and fill the log without end."""
    timers = p.timers
    again = ("hold_review_days", "response_window_working_days", "nurture_floor_days")
    says = "It runs anew when it has run out: with 0 it would fire without end. It has to be 1 at least."
    remarks = [_refuse(f"timers.{field}", says) for field in again if not getattr(timers, field)]
    if not timers.queue_age_days and not timers.requeue_days:
        says = "Leads would go from the queue to nurture and back without end: this or queue_age_days has to be 1 at least."
        remarks.append(_refuse("timers.requeue_days", says))
    return remarks


def _pursuit(p: Playbook) -> list[Remark]:
    """Return what is wrong with how far the silent are pursued."""
    remarks, pursuit = [], p.pursuit
    if not pursuit:
        return []
    if pursuit.propose_after > p.attempts.max:
        says = f"The card comes after {pursuit.propose_after} attempts and {p.attempts.max} are the most: it is never shown."
        remarks.append(_refuse("pursuit.propose_after", says))
    for way, mode in pursuit.ways.items():
        if mode not in p.attempts.modes:
            remarks.append(
                _warn(f"pursuit.ways.{way}", f"{mode} is not among the modes of attempts: nobody is tried this way.")
            )
        if way in p.attempts.modes:
            remarks.append(_refuse(f"pursuit.ways.{way}", "It has the name of a mode; a way is within one."))
    return remarks


def _asking(p: Playbook) -> list[Remark]:
    """Return what is wrong with calls, homework, and letting go."""
    remarks, script, blocks = [], p.call.script, p.homework.blocks
    said = [topic for topic in script if topic in ("personal_topic", "business")]
    if said[:1] != ["personal_topic"]:
        says = "Something personal comes before business (A4-11): name personal_topic, and before business."
        remarks.append(_refuse("call.script", says))
    twice = (("call.script", script), ("homework.blocks", blocks), ("drop.checklist", p.drop.checklist))
    remarks += [_refuse(field, "It names something twice.") for field, said_ in twice if len(set(said_)) < len(said_)]
    if ("note" in blocks) != ("call" in blocks):
        says = "A note promises a call, and both wait in one queue: name note and call, or neither."
        remarks.append(_refuse("homework.blocks", says))
    if not p.pursuit and p.drop.checklist != Drop().checklist:
        remarks.append(_warn("drop.checklist", "It is asked only where there is [pursuit]: here it has no effect."))
    if p.importance.high_from == 6 and p.attempts.max_when_important > p.attempts.max:
        remarks.append(_warn("importance.high_from", "6 is never: nobody gets attempts.max_when_important."))
    if p.on_no_response.goto and not (p.capacity.notes and p.capacity.calls):
        remarks.append(_warn("on_no_response.goto", "No call is promised here: nobody ever goes there."))
    return remarks


def _capacity(p: Playbook) -> list[Remark]:
    remarks, capacity = [], p.capacity
    if capacity.notes > capacity.calls:
        grows = capacity.notes - capacity.calls
        says = f"calls a day {capacity.calls} < notes a day {capacity.notes}: the backlog would grow by {grows} a day"
        remarks.append(_warn("capacity.notes", f"{says}, so only {capacity.calls} notes are ever planned."))
    touches, breakups = follow_ups_a_day(p, ANSWER_RATE)
    if touches > capacity.follow_up_touches:
        says = (
            f"At {ANSWER_RATE:.0%} answered, {touches:.1f} later attempts fall due a day and {capacity.follow_up_touches} fit"
        )
        remarks.append(_warn("capacity.follow_up_touches", f"{says}: leads wait, and are proposed for giving up earlier."))
    costs = capacity.minutes
    if costs.budget < (least := min(costs.note, costs.call, costs.follow_up)):
        says = f"Nothing fits into a day of {costs.budget} minutes: the least that is done takes {least}."
        remarks.append(_refuse("capacity.minutes.budget", says))
    minutes: float = capacity.notes * costs.note + capacity.calls * costs.call
    minutes += min(touches, capacity.follow_up_touches) * costs.follow_up + breakups * costs.breakup
    if minutes > costs.budget:
        says = f"A full day takes {minutes:.0f} minutes and {costs.budget} are there"
        remarks.append(_warn("capacity.minutes.budget", f"{says}: notes and follow-ups are left out."))
    return remarks
