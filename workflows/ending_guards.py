"""Guards on giving up and on keeping in touch: breakups, nurture and drops."""

from datetime import date, datetime, timedelta

from workflows import horizon, time_zones
from workflows.commands import Command, Drop, SendBreakupEmail, SendNurtureTouch, StartNurture
from workflows.context import Facts, Refused
from workflows.cut_bait import open_modes
from workflows.law_guards import lawful_now
from workflows.mail import asset_of
from workflows.mail_commands import QueueBreakupMail, QueueNurtureMail, SendMail
from workflows.pursuit_guards import modes_to_try
from workflows.sentences import spoken, words

_DECLINED_DROPS = ("never_qualified", "duplicate", "out_of_business", "deceased")


def breakup_halves(facts: Facts, _: Command) -> Refused | None:
    """Refuse a breakup of which one half is missing."""
    voicemail, email = facts.lead.breakup_voicemail_at, facts.lead.breakup_email_at
    if voicemail and email:
        return None
    missing = " and ".join(name for name, at in (("the voicemail", voicemail), ("the email", email)) if at is None)
    reason = f"A breakup is a voicemail reinforced by an email; {missing} is missing."
    inputs = {"voicemail": voicemail is not None, "email": email is not None}
    return Refused(rule="breakup_halves", reason=reason, inputs=inputs)


def breakup_halves_together(facts: Facts, _: Command) -> Refused | None:
    """Refuse halves that are too far apart to be felt as one."""
    voicemail, email = facts.lead.breakup_voicemail_at, facts.lead.breakup_email_at
    most = facts.playbook.breakup.max_gap_working_hours
    if voicemail is None or email is None:
        return None
    minutes = working_minutes(facts, min(voicemail, email), max(voicemail, email))
    if minutes <= most * 60:
        return None
    reason = f"Voicemail and email are more than {most} working hours apart; do the older one again."
    return Refused(rule="breakup_halves_together", reason=reason, inputs={"minutes": minutes, "max_minutes": most * 60})


def breakup_mail_open(facts: Facts, command: Command) -> Refused | None:
    """Refuse a second mail of one breakup, unless the first has become too old for the voicemail that came after it."""
    voicemail, email = facts.lead.breakup_voicemail_at, facts.lead.breakup_email_at
    if email is None or (voicemail and voicemail > email and breakup_halves_together(facts, command)):
        return None
    reason = f"The mail of this breakup went out on {spoken(horizon.local_day(facts.calendar, email))} already."
    return Refused(rule="breakup_mail_open", reason=reason, inputs={"sent_at": email.isoformat()})


def working_minutes(facts: Facts, start: datetime, end: datetime) -> int:
    """Count the minutes of the owner's working hours from *start* to *end*; past 30 days they are all counted alike."""
    calendar = facts.calendar
    first = horizon.local_day(calendar, start)
    last = min(horizon.local_day(calendar, end), first + timedelta(days=30))
    total = 0
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if horizon.is_working(calendar, day):
            opens = horizon.moment(calendar, day, calendar.day_starts)
            closes = horizon.moment(calendar, day, calendar.day_ends)
            total += max(0, (min(end, closes) - max(start, opens)) // timedelta(minutes=1))
    return total


def attempts_made(facts: Facts, _: Command) -> Refused | None:
    """Refuse a breakup before enough was tried."""
    least = facts.playbook.attempts.min_before_breakup
    if facts.lead.attempts >= least:
        return None
    reason = f"They were tried {facts.lead.attempts} times; a breakup comes after {least} attempts at the earliest."
    return Refused(rule="attempts_made", reason=reason, inputs={"attempts": facts.lead.attempts, "min": least})


def modes_tried(facts: Facts, _: Command) -> Refused | None:
    """Refuse a breakup before enough ways were tried, or all of them where the playbook wants that (A1-3)."""
    least, tried = facts.playbook.attempts.min_modes_before_breakup, facts.lead.modes_tried
    pursuit, left = facts.playbook.pursuit, open_modes(facts.lead, facts.playbook, modes_to_try(facts))
    if pursuit and pursuit.every_mode_before_breakup and left:
        reason = f"A breakup comes after every permitted mode: try or waive {', '.join(map(words, left))}."
        return Refused(rule="modes_tried", reason=reason, inputs={"modes_tried": " ".join(tried), "modes_open": " ".join(left)})
    if len(tried) >= least:
        return None
    reason = f"They were tried in {len(tried)} way(s); a breakup comes after {least} different ones."
    return Refused(rule="modes_tried", reason=reason, inputs={"modes_tried": " ".join(tried), "min": least})


def offer_known(facts: Facts, _: Command) -> Refused | None:
    """Refuse a breakup that cannot name what was agreed on."""
    if facts.lead.offer_at:
        return None
    reason = "Record the solution and the benefit that you had agreed on; the breakup names both."
    return Refused(rule="offer_known", reason=reason, inputs={"offer_at": None})


def cut_bait_confirmed(facts: Facts, _: Command) -> Refused | None:
    """Refuse a breakup that nobody decided."""
    if facts.lead.cut_bait == "breakup":
        return None
    reason = "Decide on the cut-bait card first: nobody is given up without a person's decision."
    return Refused(rule="cut_bait_confirmed", reason=reason, inputs={"cut_bait": facts.lead.cut_bait})


def monitored_reply_address(_: Facts, command: SendBreakupEmail | QueueBreakupMail) -> Refused | None:
    """Refuse a mail that asks for an answer nobody would read."""
    if command.monitored_reply_address:
        return None
    reason = "The mail asks to simply hit reply, so it must come from an address that somebody reads."
    return Refused(rule="monitored_reply_address", reason=reason, inputs={"monitored_reply_address": False})


def breakup_impossible_or_waived(facts: Facts, command: StartNurture) -> Refused | None:
    """Refuse to skip the breakup without need, decision or reason."""
    lead = facts.lead
    possible = {"call", "email"} <= set(lawful_now(facts))
    if not possible or command.waiver or lead.cut_bait == "nurture":
        return None
    reason = "Break up first, or say why this lead does without: it can be reached both by phone and by mail."
    return Refused(rule="breakup_impossible_or_waived", reason=reason, inputs={"modes": " ".join(lead.modes)})


def new_asset(facts: Facts, command: SendNurtureTouch | QueueNurtureMail | SendMail) -> Refused | None:
    """Refuse to send the same thing twice."""
    asset = asset_of(facts.lead, command)
    if asset is None or asset not in facts.lead.value_items_used:
        return None
    reason = f"They have had {asset} before; send something new."
    return Refused(rule="new_asset", reason=reason, inputs={"asset": asset})


def once_a_month(facts: Facts, command: SendNurtureTouch | QueueNurtureMail | SendMail) -> Refused | None:
    """Refuse a second touch in one calendar month, which is the prospect's where their time zone is known (A3-4)."""
    last = facts.lead.nurture_touched_at if asset_of(facts.lead, command) else None
    last_day = _their_day(facts, last) if last else None
    day = _their_day(facts, facts.occurred_at)
    if last_day is None or (last_day.year, last_day.month) != (day.year, day.month):
        return None
    reason = f"They had something on {spoken(last_day)} already; once a calendar month is enough."
    return Refused(rule="once_a_month", reason=reason, inputs={"last_on": str(last_day)})


def _their_day(facts: Facts, moment: datetime) -> date:
    zone = time_zones.zone_named(facts.lead.timezone) if facts.playbook.pursuit and facts.lead.timezone else None
    return moment.astimezone(zone).date() if zone else horizon.local_day(facts.calendar, moment)


def drop_reason_of_declined(_: Facts, command: Drop) -> Refused | None:
    """Refuse a drop for a reason that does not end a declined lead."""
    if command.reason in _DECLINED_DROPS:
        return None
    reason = "A lead that said no is dropped only if it never was good, is a duplicate, or is no more."
    return Refused(rule="drop_reason", reason=reason, inputs={"reason": command.reason})


def drop_reason_of_nurture(facts: Facts, command: Drop) -> Refused | None:
    """Refuse a drop from nurture while the company exists and a lawful way is left."""
    if command.reason == "out_of_business" or (command.reason == "no_lawful_channel" and not lawful_now(facts)):
        return None
    reason = "Nurture ends only when the company is out of business or no permitted way to reach them is left."
    return Refused(rule="drop_reason", reason=reason, inputs={"reason": command.reason, "modes": " ".join(facts.lead.modes)})
