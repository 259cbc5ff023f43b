"""All of a day's work but the calls: replies, breakups, next steps, notes, reasons, homework and nurture."""

from collections.abc import Iterable
from datetime import date, datetime

from service.next_action import step_of
from service.sheet.desk import Desk
from service.sheet.found import Found, facts, key, met, post_to, reach, unverified
from service.sheet.objections import MOST_SAID
from service.times import shown_day, shown_moment
from service.wording import count, plain, score_line, words
from workflows.checks import OF_BREAKUPS
from workflows.commands import LeaveBreakupVoicemail, MarkNoteSent, Mode, QueueRevival, SendBreakup, SendNurtureTouch
from workflows.cut_bait import NURTURE_MODES
from workflows.events import ReplyReceived
from workflows.homework import is_studied, told_why_at
from workflows.homework_commands import AskWhy
from workflows.law import lawful_modes, refuses
from workflows.law_table import CURRENT
from workflows.lead import Lead
from workflows.priority import rank
from workflows.proposals import next_value_item


def replies(desk: Desk) -> Iterable[Found]:
    """Yield the leads that answered, the one who has waited longest first."""
    answered: list[tuple[datetime, Lead, ReplyReceived]] = []
    for lead in desk.of("re_engaged"):
        last = desk.contacts.get(lead.id)
        # Once its next step is due, it is an overdue next step.
        if last and isinstance(last.data, ReplyReceived) and not desk.due(lead, "next_step"):
            answered.append((last.occurred_at, lead, last.data))
    for at, lead, reply in sorted(answered, key=lambda each: (each[0], each[1].id)):
        yield Found(
            lead=lead,
            kind="reply",
            why=f"answered by {words(reply.channel)} {shown_moment(at, desk.zone)}: {_meant(reply)}",
            notes=(_wrote(desk, lead), _say_what(desk, lead, reply), reach(desk, lead), facts(desk, lead)),
            commands=(*((_read(desk, lead, reply),) if reply.intent == "unread" else ()), *_ways_on(desk, lead)),
        )


def _meant(reply: ReplyReceived) -> str:
    return "nobody has read it yet" if reply.intent == "unread" else reply.intent


def _wrote(desk: Desk, lead: Lead) -> str:
    text = desk.reply_texts.get(lead.id)
    return f"they wrote: “{plain(text, MOST_SAID)}”" if text else ""


def _say_what(desk: Desk, lead: Lead, reply: ReplyReceived) -> str:
    return f"say what they want: {_read(desk, lead, reply)}" if reply.intent == "unread" else ""


def _read(desk: Desk, lead: Lead, reply: ReplyReceived) -> str:
    return f"thaw reply {key(desk, lead)} --channel {reply.channel} --intent WORD"


def _ways_on(desk: Desk, lead: Lead) -> tuple[str, ...]:
    typed = key(desk, lead)
    return (
        f"thaw meeting book {typed} --at DAYTHH:MM",
        f"thaw decline {typed} --kind no --stated-reason WORD",
        f"thaw won {typed}",
    )


def breakups(desk: Desk) -> Iterable[Found]:
    """Yield breakups that were decided or begun."""
    for lead in desk.of("no_response"):
        typed, voicemail, email = key(desk, lead), lead.breakup_voicemail_at, lead.breakup_email_at
        commands: tuple[str, ...]
        if voicemail and email:
            why, commands = "both halves are out: close it", (f"thaw breakup send {typed}",)
        elif voicemail:
            why = f"voicemail left {shown_moment(voicemail, desk.zone)}; the email is missing"
            mail = f"thaw breakup email {typed} --monitored"
            commands = (f"{mail} --attest-all", f"{mail} --text-file FILE")
        elif email or lead.cut_bait == "breakup":
            why = f"email out {shown_moment(email, desk.zone)}; the voicemail is missing" if email else "decided: break up"
            commands = (f"thaw breakup voicemail {typed} --attest-all", f"thaw breakup voicemail {typed} --text-file FILE")
        else:
            continue
        unlawful = refuses(lead, "email", desk.day, CURRENT) if not email and "email" in lead.modes else None
        if unlawful:
            why = f"{why}, and its mail may not be sent: {unlawful.reason}"
            commands = (f"thaw nurture start {typed}",)
        tries = None if unlawful else _next_of_breakup(lead)
        yield Found(lead=lead, kind="breakup", why=why, notes=(reach(desk, lead),), commands=commands, tries=tries)


def _next_of_breakup(lead: Lead) -> SendBreakup | LeaveBreakupVoicemail | None:
    """Return what comes next of a breakup, where the machine may refuse it."""
    if not lead.breakup_voicemail_at:
        return LeaveBreakupVoicemail(attested=OF_BREAKUPS[LeaveBreakupVoicemail])
    return SendBreakup() if lead.breakup_email_at else None


def next_steps(desk: Desk) -> Iterable[Found]:
    """Yield conversations whose next step is due, the longest overdue first, and meetings nobody said anything about."""
    due = [lead for lead in desk.of("re_engaged") if desk.due(lead, "next_step")]
    for lead in sorted(due, key=lambda lead: (lead.timers["next_step"].due_at, lead.id)):
        step = step_of(lead, desk.steps) or "a decision or a next step"
        day = shown_day(desk.local_day(lead.timers["next_step"].due_at))
        notes = (reach(desk, lead), facts(desk, lead))
        yield Found(lead=lead, kind="next_step", why=f"{step}, due {day}", notes=notes, commands=_ways_on(desk, lead))
    for lead in desk.of("meeting_booked"):
        if lead.meeting_at and lead.meeting_at <= desk.now:
            command = f"thaw meeting held {key(desk, lead)} --next-step TEXT --next-step-on DAY"
            why = f"what came of the meeting of {shown_moment(lead.meeting_at, desk.zone)}?"
            yield Found(lead=lead, kind="next_step", why=why, commands=(command,))


def notes(desk: Desk) -> Iterable[Found]:
    """Yield the notes to write, best score first."""
    # What is not written today goes back to the queue, so that a later day has only its own.
    earliest = date.min if desk.is_today else desk.day
    due = [lead for lead in desk.of("note_due") if lead.note_on and earliest <= lead.note_on <= desk.day]
    scored = sorted(
        (lead for lead in due if lead.score),
        key=lambda lead: rank(lead.score, lead.last_contact_at, lead.id) if lead.score else (),
    )
    for lead in [*scored, *(lead for lead in due if not lead.score)]:
        promised_on = desk.promised_on(lead)
        away = desk.calendar.absence_on(promised_on)
        covers = "makes your calls while you are away" if away else "covers for you until you are back"
        who = f"{lead.call_by}, who {covers}," if lead.call_by else "you"
        promise = f"say that {who} will call on {shown_day(promised_on)}"
        yield Found(
            lead=lead,
            kind="note",
            why=f"score {score_line(lead.score)}" if lead.score else "chosen by the planner",
            notes=(facts(desk, lead), met(desk, lead), promise, post_to(desk, lead)),
            commands=(
                f"thaw note-sent {key(desk, lead)} --attest-all",
                f"thaw note-sent {key(desk, lead)} --attest-all --text-file FILE",
                f"thaw note-sent {key(desk, lead)} --attest-all --photo FILE --sentence TEXT --sentence TEXT",
            ),
            tries=MarkNoteSent(medium="hand_written", attested=desk.playbook_of(lead).checks.note),
        )


def reasons(desk: Desk) -> Iterable[Found]:
    """Yield those to ask why they really said no, the longest due first."""
    for lead in _declined(desk, "reason_probe"):
        said = f"; they said {words(lead.decline.stated_reason)}" if lead.decline else ""
        said += "; reason unverified" if unverified(desk, lead) else ""
        real = f"thaw reason real {key(desk, lead)} --reason WORD --evidence TEXT --words TEXT"
        told = told_why_at(lead)
        if told:
            why = f"record why they really said no: they answered {shown_moment(told, desk.zone)}{said}"
            yield Found(lead=lead, kind="reason", why=why, commands=(f"thaw history {key(desk, lead)}", real))
            continue
        questions = desk.playbook_of(lead).reason.questions
        answers = " ".join(f"--answer {question}=TEXT" for question in questions)
        yield Found(
            lead=lead,
            kind="reason",
            why=f"ask why they really said no{said}",
            notes=(reach(desk, lead), facts(desk, lead), f"ask: {', '.join(map(words, questions))}" if questions else ""),
            commands=(
                f"thaw reason ask {key(desk, lead)} --outcome answered {answers}",
                f"thaw reason ask {key(desk, lead)} --outcome not_reached",
                real,
            ),
            tries=AskWhy(outcome="not_reached", answers={}),
        )


def homework(desk: Desk) -> Iterable[Found]:
    """Yield the accounts to find out about, the longest due first."""
    for lead in _declined(desk, "homework"):
        fields = desk.playbook_of(lead).homework.fields
        answers = " ".join(f"--answer {field}=TEXT" for field in fields)
        yield Found(
            lead=lead,
            kind="homework",
            why=f"{count(len(fields), 'question')} about the account, a recent source, and what they will need",
            commands=(
                f"thaw history {key(desk, lead)}",
                f"thaw need {key(desk, lead)} --item WORD --need TEXT --because TEXT",
                f"thaw homework {key(desk, lead)} {answers} --source DAY=ADDRESS",
                f"thaw strategy {key(desk, lead)} --strategy TEXT --missed TEXT",
            ),
        )


def reviews(desk: Desk) -> Iterable[Found]:
    """Yield the leads whose no is to be looked at again, the longest due first."""
    for lead in desk.reviews:
        said = f": they said {words(lead.decline.stated_reason)}" if lead.decline else ""
        on = f" on {shown_day(desk.local_day(lead.decline.at))}" if lead.decline else ""
        yield Found(
            lead=lead,
            kind="review",
            why=f"look at their no again{said}{on}",
            notes=(reach(desk, lead), met(desk, lead)),
            commands=(
                f"thaw history {key(desk, lead)}",
                f"thaw review {key(desk, lead)} --changed --finding TEXT",
                f"thaw review {key(desk, lead)} --not-changed --finding TEXT",
            ),
        )

    yield from _revisits(desk)


def _revisits(desk: Desk) -> Iterable[Found]:
    """Yield those whose day to come back on has come and whom nothing queues by itself, with all that is missing."""
    for lead in desk.of("nurture"):
        if lead.revisit_on is None or lead.revisit_on > desk.day:
            continue
        lacking = tuple(_lacking(desk, lead))
        asked = lead.timers.get("revisit")
        if not lacking and asked and desk.local_day(asked.due_at) <= desk.day:
            continue
        missing = f"missing before the queue: {', '.join(what for what, _ in lacking)}" if lacking else "nothing is missing"
        if asked and not lacking:
            missing += f", and the service looks again on {shown_day(desk.local_day(asked.due_at))}: queue it now, if you like"
        yield Found(
            lead=lead,
            kind="homework",
            why=f"to come back on {shown_day(lead.revisit_on)}, and that day is here; {missing}",
            commands=(*(command for _, command in lacking), f"thaw queue {key(desk, lead)} --reason revisit"),
        )


def _lacking(desk: Desk, lead: Lead) -> Iterable[tuple[str, str]]:
    """Yield what keeps a lead in nurture out of the queue, in the order in which to get it, each with what to type."""
    typed = key(desk, lead)
    refused = {each.rule: each.reason for each in desk.all_refusals(lead, QueueRevival(reason="revisit"))}
    if refused.pop("qualified", None):
        yield "whether it was good to begin with", f"thaw qualify {typed} --qualified --evidence TEXT"
    old = refused.pop("homework_fresh", None) is not None
    if refused.pop("account_studied", None) or old:
        yield from _study(desk, lead, refresh=old)
    for reason in refused.values():
        yield reason.rstrip("."), f"thaw lead {typed}"


def _study(desk: Desk, lead: Lead, *, refresh: bool = False) -> Iterable[tuple[str, str]]:
    """Yield what is missing before somebody who said no is contacted, homework that is to be done again (*refresh*) too."""
    typed, rules = key(desk, lead), desk.playbook_of(lead).homework
    if refresh or not lead.homework_at:
        if len(lead.needs or ()) < rules.min_needs:
            yield "what they will need", f"thaw need {typed} --item WORD --need TEXT --because TEXT"
        answers = " ".join(f"--answer {field}=TEXT" for field in rules.fields)
        homework = f"thaw homework {typed} {answers} --source DAY=ADDRESS"
        yield f"homework of the last {rules.fresh_for_days} days", homework
    if rules.study_first and lead.strategy_at is None:
        if not lead.history_at:
            yield "a look at the account's history", f"thaw history {typed}"
        yield "a strategy", f"thaw strategy {typed} --strategy TEXT --missed TEXT"


def _declined(desk: Desk, timer: str) -> list[Lead]:
    due = [lead for lead in desk.of("declined") if desk.due(lead, timer)]
    return sorted(due, key=lambda lead: (lead.timers[timer].due_at, lead.id))


def nurture(desk: Desk) -> Iterable[Found]:
    """Yield the value touches that are owed, the longest owed first."""
    for lead in desk.of("nurture"):
        if not lead.nurture_touch_owed:
            continue
        if not is_studied(lead, desk.playbook_of(lead), "touch"):
            study = tuple(_study(desk, lead))
            why = f"this month's touch is owed, and waits for {', '.join(what for what, _ in study)}: they said no"
            yield Found(lead=lead, kind="nurture", why=why, commands=tuple(command for _, command in study))
            continue
        permitted = [mode for mode in lawful_modes(lead, desk.day, CURRENT) if mode in NURTURE_MODES]
        value = next_value_item(lead, desk.playbook_of(lead))
        if not permitted or value is None:
            lacking = _no_mode(desk, lead) if not permitted else "no new value item is left"
            commands = (f"thaw lead {key(desk, lead)}",)
            yield Found(lead=lead, kind="nurture", why=f"a touch is owed, but {lacking}", commands=commands)
            continue
        mode: Mode = "email" if "email" in permitted else "post"
        yield Found(
            lead=lead,
            kind="nurture",
            why=f"this month's touch is owed: {mode}, {value}",
            notes=(reach(desk, lead),),
            commands=(f"thaw nurture touch {key(desk, lead)} --mode {mode} --asset {value} --attest-all",),
            tries=SendNurtureTouch(mode=mode, asset=value, attested=desk.playbook_of(lead).checks.nurture),
        )


def _no_mode(desk: Desk, lead: Lead) -> str:
    unlawful = refuses(lead, "email", desk.day, CURRENT) if "email" in lead.modes else None
    return f"post is not permitted, and mail is not: {unlawful.reason}" if unlawful else "neither email nor post is permitted"
