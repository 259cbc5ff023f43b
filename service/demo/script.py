"""The scripted rep: what Dana does with the day's sheet. Every outcome is drawn from the seed, the lead and the attempt.

A draw depends on nothing else, so the order in which leads are worked through changes nothing.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from workflows.calendars import Calendar
from workflows.checks import OF_BREAKUPS
from workflows.commands import (
    BookMeeting,
    Command,
    ConfirmCutBait,
    LeaveBreakupVoicemail,
    MarkNoteSent,
    MarkWon,
    Mode,
    RecordCall,
    RecordDecline,
    RecordMeeting,
    RecordOffer,
    Reference,
    SendBreakup,
    SendBreakupEmail,
    SendNurtureTouch,
    SendTouch,
    StartNurture,
)
from workflows.cut_bait import card, most_attempts, owed_of, room_of
from workflows.homework import is_studied
from workflows.law import lawful_modes
from workflows.law_table import CURRENT
from workflows.lead import Lead
from workflows.playbooks import Playbook
from workflows.proposals import NOT_AS_TOUCH, next_mode, next_value_item, touch_planned
from workflows.pursuit_facts import Queue

#: What comes of a call, with its share in percent.
OUTCOMES = (
    ("connected", 22),
    ("voicemail", 34),
    ("no_answer", 18),
    ("gatekeeper", 4),
    ("no", 12),
    ("meeting", 6),
    ("not_now", 4),
)

MINUTES_NOTE, MINUTES_CALL, MINUTES_TOUCH = 8, 12, 6

#: Keeps words in ``documents``, for a lead and under a kind, and returns what the log may say of them.
Keep = Callable[[UUID, str, str], Reference]


class ScriptedRep:
    """Turns leads as they stand into the commands of one day's work."""

    def __init__(
        self,
        seed: int,
        playbook: Playbook,
        calendar: Calendar,
        keep: Keep,
        outcomes: Sequence[tuple[str, int]] = OUTCOMES,
    ) -> None:
        """*outcomes* of a call, each with its share; only what they are to one another counts."""
        self._seed = seed
        self._outcomes = outcomes
        self._playbook = playbook
        self._calendar = calendar
        self._keep = keep

    def work(self, leads: list[Lead], people: Mapping[UUID, dict[str, Any]], today: date) -> Iterator[tuple[Lead, Command]]:
        """Yield the day's commands: calls, notes, touches in other modes, and what else is owed."""
        let_go = self._one_too_many(leads, today)
        for lead in leads:
            if lead.state == "call_due" and lead.call_on is not None and lead.call_on <= today:
                yield lead, self._call(lead, today)
            elif lead.state == "note_due" and lead.note_on == today:
                yield lead, self._note(lead, people[lead.id])
            elif lead.state == "no_response":
                yield from ((lead, command) for command in self._silent(lead, today, let_go == lead.id))
            elif lead.state == "re_engaged" and lead.next_step_on in (None, today):
                yield lead, self._next_step(lead, today)
            elif lead.state == "meeting_booked" and lead.meeting_at and self._calendar.local_day(lead.meeting_at) == today:
                yield lead, self._meeting(lead, today)
            elif lead.state == "nurture" and lead.nurture_touch_owed:
                yield from ((lead, command) for command in self._nurture(lead, today))

    def _note(self, lead: Lead, person: dict[str, Any]) -> Command:
        fact, place, name = person["facts"][0], person["last_meeting_place"], str(person["name"]).split()[0]
        text = (
            f"Dear {name}, we met at {place}, and I still think of what you told me: {fact}. How did that turn out? "
            f"I will call you on {lead.call_on:%A, %-d %B} to hear the rest of it. Yours, Dana"
        )
        return MarkNoteSent(
            medium="hand_written",
            attested=self._playbook.checks.note,
            text=self._keep(lead.id, f"note-{lead.note_on}", text),
            minutes=MINUTES_NOTE,
        )

    def _call(self, lead: Lead, today: date) -> Command:
        names, shares = zip(*self._outcomes, strict=True)
        outcome = self._dice(lead, "call").choices(names, shares)[0]
        later = self._calendar.add_working_days(today, 4)
        if outcome == "no":
            reason = self._dice(lead, "reason").choice(["price", "no_budget", "bad_timing", "no_need_to_change_vendor"])
            return RecordDecline(kind="no", stated_reason=reason, minutes=MINUTES_CALL)
        if outcome == "meeting":
            return BookMeeting(meeting_at=self._calendar.moment(later, 14 * 60), minutes=MINUTES_CALL)
        if outcome == "connected":
            return RecordCall(
                outcome="connected",
                personal_topic_first=True,
                next_step="send-proposal",
                next_step_on=later,
                minutes=MINUTES_CALL,
            )
        if outcome == "not_now":
            return RecordCall(outcome="not_now", revisit_on=today + timedelta(days=120), minutes=MINUTES_CALL)
        return RecordCall(outcome=outcome, minutes=MINUTES_CALL)

    def _one_too_many(self, leads: list[Lead], today: date) -> UUID | None:
        """Return whom to let go where more are owed an attempt than the coming days hold: one a day, who brings least."""
        pursuit = self._playbook.pursuit
        if not pursuit:
            return None
        silent = [lead for lead in leads if lead.state == "no_response"]
        called = [lead for lead in leads if lead.state == "call_due"]
        owed = owed_of(silent, {self._playbook.pin.digest: self._playbook}, self._calendar.end_of(today))
        waiting = Queue(position=0, alike=(), next_lead=None, owed=owed, room=room_of(called, self._playbook))
        cards = [
            (card(lead, self._playbook, pursuit, waiting, lead.modes), lead.id)
            for lead in silent
            if lead.attempts >= self._playbook.attempts.min_before_breakup and lead.cut_bait is None
        ]
        proposed = [(shown.return_per_hour, id_) for shown, id_ in cards if "over_capacity" in shown.grounds]
        return min(proposed)[1] if proposed else None

    def _silent(self, lead: Lead, today: date, let_go: bool) -> Iterator[Command]:
        if touch_planned(lead, today):
            mode = next_mode(lead, self._playbook, today, CURRENT, without=NOT_AS_TOUCH)
            item = next_value_item(lead, self._playbook)
            if mode and item:
                yield SendTouch(mode=mode, value_item=item, attested=self._playbook.checks.touch, minutes=MINUTES_TOUCH)
        elif (let_go or lead.attempts >= most_attempts(lead, self._playbook)) and lead.cut_bait is None:
            if not {"call", "email"} <= set(lawful_modes(lead, today, CURRENT)):
                # One half of a breakup could not go out.
                yield StartNurture()
                return
            solution = self._keep(lead.id, "solution", "The two-bedroom plan with the south terrace")
            benefit = self._keep(lead.id, "benefit", "No stairs, and room for the family at weekends")
            yield RecordOffer(solution=solution, benefit=benefit)
            reason = self._keep(lead.id, "reason", "Nobody has answered, by whatever way")
            why = self._keep(lead.id, "override", "Nobody whom we could ask knows them")
            yield ConfirmCutBait(choice="breakup", reason=reason, override=why)
            yield LeaveBreakupVoicemail(attested=OF_BREAKUPS[LeaveBreakupVoicemail], minutes=3)
            vouched = OF_BREAKUPS[SendBreakupEmail]
            yield SendBreakupEmail(monitored_reply_address=True, attested=vouched, minutes=3)
        elif lead.breakup_voicemail_at and lead.breakup_email_at:
            yield SendBreakup()

    def _next_step(self, lead: Lead, today: date) -> Command:
        if self._dice(lead, f"next step {today}").random() < 0.5:
            day = self._calendar.add_working_days(today, 3)
            return BookMeeting(meeting_at=self._calendar.moment(day, 10 * 60), minutes=MINUTES_TOUCH)
        return RecordDecline(kind="no", stated_reason="bad_timing", minutes=MINUTES_TOUCH)

    def _meeting(self, lead: Lead, today: date) -> Command:
        throw = self._dice(lead, f"meeting {lead.meeting_at}").random()
        if throw < 0.4:
            return MarkWon()
        if throw < 0.7:
            return RecordDecline(kind="meeting_cancelled", stated_reason="no_budget")
        step_on = self._calendar.add_working_days(today, 5)
        return RecordMeeting(next_step="send-contract", next_step_on=step_on, minutes=45)

    def _nurture(self, lead: Lead, today: date) -> Iterator[Command]:
        asset = next_value_item(lead, self._playbook)
        lawful = lawful_modes(lead, today, CURRENT)
        mode: Mode = "email" if "email" in lawful else "post"
        # Nobody does homework here: who said no is left in peace.
        if asset and mode in lawful and is_studied(lead, self._playbook, "touch"):
            yield SendNurtureTouch(mode=mode, asset=asset, attested=self._playbook.checks.nurture, minutes=2)

    def _dice(self, lead: Lead, throw: str) -> random.Random:
        return random.Random(f"{self._seed}:{lead.id}:{throw}:{lead.attempts}")  # noqa: S311  # a script, no secret
