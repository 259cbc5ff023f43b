"""Offices for methods that begin with no note: keeping in touch every month, and why they said no with the homework after it.

They are lived through like `service.office`: the decisions are the service's own, people and answers are invented. How much of
this work a day holds is said by `workflows.minutes`, as on the day's sheet.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from service.office import Office, reference
from workflows.commands import (
    AnswerImportance,
    Command,
    CompleteHomework,
    Qualify,
    RecordDecline,
    RecordReason,
    RecordReply,
    RecordStrategy,
    RegisterLead,
    SendNurtureTouch,
    StartNurture,
)
from workflows.events import (
    HomeworkCompleted,
    LeadDeclined,
    NurtureFloorReached,
    NurtureStarted,
    NurtureTouchDue,
    NurtureTouchSent,
    RealReasonRecorded,
    Recorded,
    ReplyReceived,
    StrategyRecorded,
)
from workflows.homework_commands import AnticipateNeed, AskWhy, OpenHistory, ReviewDecline, Source
from workflows.homework_events import DeclineReviewed, WhyAsked
from workflows.law import lawful_modes
from workflows.law_table import CURRENT
from workflows.lead import Lead
from workflows.minutes import LeftOver, spent, that_fit
from workflows.playbooks import Playbook

Method = Literal["notes", "keep-in-touch", "real-reason"]

#: How many of a hundred touches or questions are answered, unless somebody says otherwise.
USUALLY_ANSWERED: Mapping[Method, int] = {"notes": 40, "keep-in-touch": 2, "real-reason": 50}

#: What people say instead of why.
_STATED = ("price", "no_budget", "bad_timing", "no_need_to_change_vendor")


class Counted(NamedTuple):
    """A week's work, by the columns of its method."""

    first: date
    counts: dict[str, int]


def method_of(playbook: Playbook) -> Method:
    """Return what a playbook is for: its own id says it, or that of the first one that it extends."""
    for named in (playbook.id, *(each.partition("@")[0] for each in playbook.extends)):
        if named == "keep-in-touch":
            return "keep-in-touch"
        if named == "real-reason":
            return "real-reason"
        if named in ("five-five-five", "multi-channel-revival"):
            return "notes"
    return "notes"


Columns = Mapping[str, Callable[[Recorded], bool]]


class OtherOffice(Office):
    """What both have in common: a day's work within what fits, and a table of its own."""

    def counted(self, first: date, last: date) -> list[Counted]:
        """Return what was done from *first* to *last*, week by week, oldest first, with every column in each."""
        mondays = range(first.toordinal() - first.weekday(), last.toordinal() + 1, 7)
        weeks = {date.fromordinal(each): dict.fromkeys((*self.columns, "minutes"), 0) for each in mondays}
        for recorded in self.log:
            if recorded.state in ("rep", "service"):
                continue
            day = next(iter(self.calendars.values())).local_day(recorded.occurred_at)
            counts = weeks.get(day - timedelta(days=day.weekday()))
            if counts is None or not first <= day <= last:
                continue
            for column, counts_it in self.columns.items():
                counts[column] += counts_it(recorded)
            counts["minutes"] += spent(recorded, self.playbook.capacity.minutes)
        return [Counted(first, weeks[first]) for first in sorted(weeks)]

    columns: ClassVar[Columns] = {}

    def _work(self, rep: str, day: date) -> None:
        if self._worked.get(rep) != day:
            # An office is visited more than once a day; this work is done once.
            self._worked[rep] = day
            self._do(rep, day)

    def _do(self, rep: str, day: date) -> None:
        raise NotImplementedError

    @cached_property
    def _worked(self) -> dict[str, date]:
        return {}

    def _fits(self, waiting: Mapping[str, int]) -> dict[LeftOver, int]:
        costs = self.playbook.capacity.minutes
        return that_fit(waiting, costs.budget, costs)

    def _give(self, rep: str, lead: Lead, *commands: Command) -> None:
        self.hand_in([(lead.id, command) for command in commands], f"rep:{rep}")


class KeepInTouch(OtherOffice):
    """Leads in nurture: each month something useful, by mail where that may go out, by post otherwise."""

    columns: ClassVar[Columns] = {
        "owed": lambda each: isinstance(each.data, NurtureTouchDue),
        "by mail": lambda each: isinstance(each.data, NurtureTouchSent) and each.data.mode == "email",
        "by post": lambda each: isinstance(each.data, NurtureTouchSent) and each.data.mode == "post",
        "gaps": lambda each: isinstance(each.data, NurtureTouchDue) and bool(each.data.gap),
        "too long silent": lambda each: isinstance(each.data, NurtureFloorReached),
        "replies": lambda each: isinstance(each.data, ReplyReceived),
    }

    def _registration(self, rep: str, number: int, start: date) -> RegisterLead:
        cold = RecordDecline(kind="went_silent", stated_reason="not_stated")
        return replace(super()._registration(rep, number, start), then=(cold, StartNurture()))

    def _do(self, rep: str, day: date) -> None:
        owed = [lead for lead in self._standing(rep, "nurture") if lead.nurture_touch_owed and not lead.hold]
        for lead in owed[: self._fits({"nurture": len(owed)})["nurture"]]:
            lawful = lawful_modes(lead, day, CURRENT)
            mode = next((mode for mode in ("email", "post") if mode in lawful), None)
            if mode in ("email", "post"):
                asset = f"letter-{day:%Y-%m}"
                self._give(rep, lead, SendNurtureTouch(mode=mode, asset=asset, attested=self.playbook.checks.nurture))
                if self._throw(lead, "touch", day) < self.answer_rate:
                    self._give(rep, lead, RecordReply(channel=mode))


class RealReason(OtherOffice):
    """New noes every day: asked why on the next, then the history, what they will need, the homework and a strategy."""

    columns: ClassVar[Columns] = {
        "noes": lambda each: isinstance(each.data, LeadDeclined),
        "asked": lambda each: isinstance(each.data, WhyAsked),
        "answered": lambda each: isinstance(each.data, WhyAsked) and each.data.outcome == "answered",
        "real reasons": lambda each: isinstance(each.data, RealReasonRecorded),
        "homework": lambda each: isinstance(each.data, HomeworkCompleted),
        "strategies": lambda each: isinstance(each.data, StrategyRecorded),
        "reviews": lambda each: isinstance(each.data, DeclineReviewed),
        "to nurture": lambda each: isinstance(each.data, NurtureStarted),
    }

    def _registration(self, rep: str, number: int, start: date) -> RegisterLead:
        return replace(super()._registration(rep, number, start), then=(), qualified=None)

    def _do(self, rep: str, day: date) -> None:
        done = [lead for lead in self._standing(rep, "declined") if not lead.hold]
        due: dict[LeftOver, list[Lead]] = {
            "reason": [lead for lead in done if self._due(rep, lead, "reason_probe", day)],
            "homework": [lead for lead in done if lead.reason_probed_at and self._due(rep, lead, "homework", day)],
            "review": [lead for lead in self._everybody(rep) if self._due(rep, lead, "review", day)],
        }
        fits = self._fits({kind: len(leads) for kind, leads in due.items()})
        for lead in due["reason"][: fits["reason"]]:
            self._ask(rep, lead, day)
        for lead in due["homework"][: fits["homework"]]:
            self._study(rep, lead, day)
        for lead in due["review"][: fits["review"]]:
            changed = self._throw(lead, "review", day) < self.answer_rate
            self._give(rep, lead, ReviewDecline(changed=changed, finding=reference(lead.id, "finding", "")))
        for lead in self._standing(rep, "registered")[: self.playbook.capacity.reason_probes]:
            said = _STATED[int(self._throw(lead, "no", day) * len(_STATED))]
            self._give(rep, lead, RecordDecline(kind="no", stated_reason=said))

    def _ask(self, rep: str, lead: Lead, day: date) -> None:
        if self._throw(lead, "why", day) >= self.answer_rate:
            self._give(rep, lead, AskWhy(outcome="not_reached", answers={}))
            return
        answers = {question: reference(lead.id, question, "") for question in self.playbook.reason.questions}
        words = reference(lead.id, "words", "")
        self._give(
            rep,
            lead,
            AskWhy(outcome="answered", answers=answers, words=words),
            RecordReason(kind="real", reason="lost_trust", evidence="call", words=words),
        )

    def _study(self, rep: str, lead: Lead, day: date) -> None:
        asked, read = self.playbook.homework, day - timedelta(days=30)
        where = reference(lead.id, "source", "")
        cited = tuple(Source(published_on=read, where=where) for _ in range(max(1, asked.min_sources)))
        self._give(
            rep,
            lead,
            OpenHistory(),
            *(
                AnticipateNeed(item=f"need-{number}", need=where, rationale=where)
                for number in range(len(lead.needs or ()), asked.min_needs)
            ),
            CompleteHomework(
                answers={field: reference(lead.id, field, "") for field in asked.fields},
                sources=tuple(source.published_on for source in cited),
                cited=cited if asked.cite_sources else UNSET,
            ),
            RecordStrategy(strategy=reference(lead.id, "strategy", ""), missed_last_time=reference(lead.id, "missed", "")),
            Qualify(qualified=True),
            AnswerImportance(importance=3),
        )
