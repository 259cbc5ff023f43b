"""What to type after a refusal: for each rule the option or the command that answers it.

The sentence of a refusal is part of the log, and says what the rule wants; how that is typed is a matter of the command line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from service.letting_go import to_try_first
from workflows.checks import BY_LAW, NOT_OVERRIDDEN
from workflows.events import Scalar
from workflows.lead import Lead
from workflows.transitions import possible

#: How people type what moves a lead, by the name that the machine has for it.
TYPED: Mapping[str, str] = {
    "book_meeting": "thaw meeting book {key} --at WHEN",
    "drop": "thaw drop {key} --reason WORD --as manager:NAME",
    "mark_note_sent": "thaw note-sent {key} --attest-all",
    "mark_won": "thaw won {key}",
    "opt_out": "thaw opt-out {key}",
    "queue_revival": "thaw queue {key}",
    "record_call": "thaw call {key} --outcome WORD",
    "record_decline": "thaw decline {key} --kind no --stated-reason WORD",
    "record_meeting": "thaw meeting held {key} --next-step TEXT --next-step-on DAY",
    "record_reply": "thaw reply {key} --channel MODE",
    "record_return": "thaw note-returned {key}",
    "regrant_consent": "thaw consent {key} --evidence TEXT --as manager:NAME",
    "reschedule_call": "thaw reschedule {key} --to DAY --reason WORD",
    "send_breakup": "thaw breakup send {key}",
    "send_nurture_touch": "thaw nurture touch {key} --mode email --asset WORD --attest-all",
    "send_touch": "thaw touch {key} --mode MODE --value-item WORD --attest-all",
    "start_nurture": "thaw nurture start {key}",
}

_HOMEWORK = "thaw homework {key} --answer QUESTION=TEXT --source DAY=WHERE"
_STRATEGY = "thaw strategy {key} --strategy TEXT --missed TEXT"
_NEED = "thaw need {key} --item WORD --need TEXT --because TEXT"
_CONFIRM = "thaw breakup confirm {key} --choice breakup --reason TEXT"
_IN_CRM = "put it into the CRM, and take it in with thaw import FILE"
_NEXT = "thaw lead {key} says what comes next"
_EVENT = "thaw event show {key} says how it stands"
_MAIL = "thaw mail show {key} says how it stands"

#: By rule. In capitals stands what is to be filled in; ``{key}`` is what to type for the lead, the campaign or the event, and
#: other names in braces are inputs of the refusal.
WAYS_OUT: Mapping[str, str] = {
    "account_studied": f"{_HOMEWORK}, and {_STRATEGY}",
    "actions_listed": "--action TEXT, once for each action",
    "active_prospect": "work on it as a deal; thaw cold lists deals that do not move",
    "already_announced": "another NAME; thaw event list has those that are known",
    "already_planned": "another NAME; thaw campaign list has those that are known",
    "already_registered": _NEXT,
    "another_lead": "--into LEAD with the lead that goes on",
    "another_owner": "thaw reassign {key} OWNER with another rep; thaw rep list has them",
    "another_playbook": _NEXT,
    "approved": _EVENT,
    "asset_kind_known": "--kind WORD with one of these, or without it",
    "attempts_left": _CONFIRM,
    "attempts_made": "wait for the next attempt; where a breakup is decided already, "
    "thaw breakup confirm {key} --choice nurture --reason TEXT",
    "attendable": _EVENT,
    "audience": "--audience declined or --audience client of a plan; of a letter thaw campaign send NAME writes it anew",
    "audience_size": "thaw campaign plan NAME --from DAY --to DAY of a shorter period, or --audience declined or client",
    "before_it_was_due": "--at DAY, with the day on which it really happened",
    "breakup_halves": "thaw breakup voicemail {key} --attest-all, and thaw breakup email {key} --monitored --attest-all",
    "breakup_halves_together": "thaw breakup voicemail {key} --attest-all, "
    "or thaw breakup email {key} --monitored --attest-all, once more",
    "breakup_impossible_or_waived": f"--waiver TEXT, or {_CONFIRM}",
    "breakup_mail_open": "thaw breakup send {key}, once the voicemail is left",
    "calendar_horizon": "thaw rep set {key}",
    "calendar_known": "thaw rep set NAME gives the rep a longer calendar",
    "call_reachable": "put the number into the CRM",
    "call_slot_free": "another day; thaw today shows what is taken of the next ones",
    "colleague_covers": "thaw rep set NAME --absence FIRST:LAST --cover REP names who covers the absence",
    "connector_answered": "thaw connector {key} --who TEXT, or thaw no-connector {key}",
    "connector_known": "thaw connector {key} --who TEXT",
    "consent_evidence": "--evidence TEXT",
    "consent_expired": "thaw law set {key} --consent email --evidence TEXT, or --purchased-on DAY, if that is known",
    "consent_over": "thaw law show {key}",
    "contact_hours": "thaw law show {key}",
    "cut_bait_confirmed": _CONFIRM,
    "cut_bait_reason": "--reason TEXT",
    "decision_or_next_step": "--decision TEXT, or --next-step TEXT --next-step-on DAY, or --override TEXT with why neither",
    "described": "thaw event describe NAME --text TEXT --as WHO; thaw event list has their names",
    "description_kept": "thaw event describe {key} --text TEXT --as WHO",
    "description_length": "--text TEXT of thaw event describe, or --description TEXT of thaw event add, of that length",
    "do_not_call": "thaw law dnc-checked {key} --on DAY --clear, if a newer look-up says so",
    "do_not_call_check": "thaw law dnc-checked {key} --on DAY --clear, or --listed",
    "drawn": "thaw campaign draw {key} --as WHO",
    "drop_reason": "another --reason, if it is true; thaw drop --help lists them",
    "eligible_event": "thaw event approve NAME --by WHO --on DAY --as WHO, once the host said so",
    "email_reachable": _IN_CRM,
    "erased": "nothing: nobody is to be known by it any more",
    "event_type": "--kind WORD with one of these",
    "everything_tried": "--override TEXT; thaw cut-bait says what is still open",
    "express_consent": "thaw law set {key} --consent MODE --evidence TEXT, once they agreed",
    "first_touch_is_note": "thaw queue {key}: the planner chooses how to begin",
    "fresh_relationship": "thaw queue {key}: the planner begins with a note",
    "hand_written": "--medium hand_written, if it was",
    "has_seat": _EVENT,
    "held": _NEXT,
    "history_opened": "thaw history {key}",
    "hold_ends_ahead": "--until DAY with a later one, or without it",
    "homework_answered": "--answer QUESTION=TEXT, once for each of them",
    "homework_fresh": _HOMEWORK,
    "homework_sources": "--source DAY=WHERE, with the day on which it came out",
    "human_reply": "thaw hold {key} --reason WORD --until DAY",
    "idle": "thaw cold lists the deals that are",
    "importance_allows": "--as manager:NAME, by who is one",
    "importance_answered": "thaw importance {key} NUMBER",
    "invited": "thaw reply {lead_id} --channel MODE",
    "later_date_or_keep_in_touch": "--revisit-on DAY, or --keep-in-touch",
    "later_day": "--to DAY with a later one; --reason prospect_asked where they asked for an earlier one",
    "letter_open": "thaw campaign letters {key} says who gets one",
    "mail_under_way": _MAIL,
    "mail_waiting": _MAIL,
    "manager_lets_go": "--as manager:NAME, by who is one",
    "manager": "--as manager:NAME, by who is one",
    "meeting_ahead": "--at WHEN with another time, still to come",
    "mode_left": _IN_CRM,
    "mode_open": "--mode MODE with one that is open",
    "mode_permitted": "choose another mode",
    "modes_tried": "wait for the next attempt, which takes another mode, or thaw breakup waive {key} --mode MODE --reason TEXT",
    "monitored_reply_address": "--monitored, if somebody reads that address",
    "needs_anticipated": _NEED,
    "new_answer": "another --answer, if they said something else",
    "new_asset": "--asset WORD with another one",
    "new_mode": "wait for the next attempt, which takes another mode",
    "new_need": "--item WORD with another one",
    "new_value": f"--value-item WORD with something new; {_NEED} adds something",
    "newer_calendar": "thaw rep set {key}, once more",
    "newer_check": "nothing: the newer one counts",
    "next_step_overdue": "wait for that day",
    "no_mail_under_way": f"{_MAIL}; thaw mail settle {{key}} --sent, or --not-sent, where nobody knows",
    "not_back_yet": _MAIL,
    "not_cancelled": _EVENT,
    "not_for_a_rep": "thaw rep show {key}",
    "not_held": "thaw release {key}",
    "not_in_the_future": "once it has happened, with the day on which it did",
    "not_started": "thaw campaign results {key}",
    "not_suppressed": "leave it; thaw suppressions check {key} says since when",
    "note_promised": "thaw lead {key} says how it stands",
    "note_reachable": _IN_CRM,
    "note_slot_free": "another day; thaw today shows what is taken of the next ones",
    "note_wanted": "leave the note unwritten; thaw reply or thaw decline, if they said so",
    "note_was_sent": "thaw lead {key} says how it stands",
    "nurture_mode": "--mode email, or --mode post",
    "nurture_owed": "thaw nurture months {key} says what went out in which month",
    "offer_known": "thaw offer {key} --solution TEXT --benefit TEXT",
    "once_a_month": "wait for the next month",
    "one_invitation": "thaw campaign letters NAME says when",
    "one_more_is_new": f"another --choice, or {_NEED}",
    "one_seat": _EVENT,
    "over": "thaw event cancel {key} --reason TEXT --as WHO",
    "into_known": "--into LEAD with a lead that is known; thaw cold and thaw lead have them",
    "into_not_erased": "leave it: nobody is known behind that lead",
    "into_not_merged": "thaw merge {key} --into {merged}",
    "merged": "do it with that lead: thaw lead {into}",
    "not_taken_in": "nothing: it is done",
    "owned": "thaw reassign {key} OWNER",
    "owner_present": "wait for that day",
    "owner_was_present": "wait: it is asked again by itself",
    "period": "--from DAY --to DAY, the earlier one first",
    "person": "--as rep:NAME, or --as manager:NAME",
    "personal_topic_first": "--topic TEXT with what it was, or --personal-first",
    "photo_sentences": "--sentence TEXT, twice",
    "planned_day": "another day, on which the rep works",
    "plausible_date": "the day once more, as in 2026-03-09",
    "promise_day": "thaw queue {key}: the planner chooses the day",
    "promise_gap": "thaw queue {key}: the planner chooses the day",
    "qualified": "thaw qualify {key} --qualified --evidence TEXT, or --override TEXT of thaw queue",
    "questions_known": "--answer QUESTION=TEXT with those of the playbook, and only with --outcome answered",
    "reason_evidence": "--words TEXT, and --evidence TEXT of thaw reason real",
    "reason_probed": "thaw reason real {key} --reason WORD --evidence TEXT --words TEXT",
    "region_unknown": "thaw law set {key} --region US-FL, with where they live, or --consent email --evidence TEXT",
    "register_answer": "thaw law dnc-checked {key} --on DAY --clear, or --listed",
    "rested": "wait for that day",
    "rotation": "wait for other people's turn to be over",
    "said_no": "thaw decline {key} --kind no --stated-reason WORD, if they did",
    "seats_taken": "--seats NUMBER with more, or thaw event give-back {key} LEAD --as WHO",
    "sources_cited": "--source DAY=WHERE",
    "stale": _NEXT,
    "step_kept": f"{_NEXT}; or thaw playbook migrate A B --map STEP=STEP",
    "step_mapped": "thaw playbook migrate A B --dry-run",
    "strategy_recorded": _STRATEGY,
    "texts_left": _EVENT,
    "to_tell": "thaw campaign tell {key} says who is to be told",
    "touch_gap": "wait for that day",
    "touch_mode": "thaw call {key} --outcome WORD, or thaw note-sent {key}",
    "unknown_campaign": "thaw campaign plan {key} --as WHO",
    "unknown_event": "thaw event add {key} --help",
    "unknown_lead": "thaw import FILE",
    "upcoming": "another time, still to come; --starts of thaw event add",
    "wants_contact": "thaw lead {key} says since when",
    "way_known": "--way WORD with one of them, or without it",
}

#: Of letters, which are written from a wording for each audience and from what is known of the person.
_OF_LETTERS: Mapping[str, str] = {
    "described": WAYS_OUT["described"],
    "event_left": WAYS_OUT["eligible_event"],
    "event_list": "thaw campaign send NAME, once more: it is written anew",
    "invitation_values": "put it into the CRM, and take it in with thaw import FILE",
}
_WORDING = "--declined-wording FILE or --client-wording FILE with another wording"

_POSTAL = "the setting THAW_POSTAL_ADDRESS"

#: What fits only some leads of a state.
_FITS: Mapping[str, Callable[[Lead], bool]] = {
    "record_return": lambda lead: lead.state == "note_sent" or lead.promised,
    "send_breakup": lambda lead: lead.cut_bait == "breakup" and None not in (lead.breakup_voicemail_at, lead.breakup_email_at),
}

_WITH_OVERRIDE = frozenset(
    {
        "mark_note_sent",
        "send_touch",
        "send_breakup_email",
        "leave_breakup_voicemail",
        "queue_breakup_mail",
        "queue_nurture_mail",
    }
)


def way_out(
    rule: str, command: str, inputs: Mapping[str, Scalar], key: str, lead: Lead | None = None, first: Sequence[str] = ()
) -> str:
    """Return what to type after *rule* refused *command*; empty where nothing is known of the rule.

    *key* is what is typed for whatever the command is about, and *lead* is that, where it is one. *first* are the steps that
    come before it is let go.
    """
    if rule == "no_transition":
        return "; ".join(TYPED[name] for name in _fitting(lead)).replace("{key}", key) if lead else ""
    if said := _of_letting_go(rule, tuple(str(inputs.get("modes_open") or "").split()), key, first):
        return said
    if rule.startswith("check."):
        return _of_check(rule.removeprefix("check."), command, judged=inputs.get("verdict") is not None)
    if rule in ("call_reachable", "email_reachable", "note_reachable") and inputs.get("opted_out"):
        rule = "mode_permitted"
    if rule == "reason_evidence" and command == "record_decline":
        return "--words TEXT, or without --real-reason"
    if rule == "modes_tried":
        rule = "new_mode"
    if rule == "homework_answered" and (missing := str(inputs.get("missing") or "")):
        return " ".join(f"--answer {question}=TEXT" for question in missing.split())
    if rule == "merged" and command == "send_invitation":
        return "nothing: the person is drawn as the lead that goes on"
    said = WAYS_OUT.get(rule, "").replace("{key}", key)
    for name in ("into", "merged", "lead_id"):
        said = said.replace(f"{{{name}}}", str(inputs.get(name) or "ID"))
    return said


def _of_letting_go(rule: str, modes_open: tuple[str, ...], key: str, first: Sequence[str]) -> str:
    """Return what is typed for what nobody tried yet; empty for other rules, and where that is not known."""
    if rule == "everything_tried" and first:
        return f"{'; '.join(first)}; or --override TEXT, with why not"
    if rule == "modes_tried":
        return "; ".join(to_try_first(modes_open, key))
    return "" if rule != "mode_open" or modes_open else f"nothing is left to waive; {_NEXT}".replace("{key}", key)


def _fitting(lead: Lead) -> Iterator[str]:
    """Yield what moves a lead in its state and fits this one, too."""
    return (name for name in possible(lead.state) if name not in _FITS or _FITS[name](lead))


def _of_check(check: str, command: str, *, judged: bool) -> str:
    """Return how to pass a content check that failed, or of which nobody has said anything yet."""
    if command in ("send_invitation", "start_campaign"):
        return _POSTAL if check in BY_LAW else _OF_LETTERS.get(check, _WORDING)
    vouch = f"--attest {check}, or --attest-all"
    if check in BY_LAW or command == "send_nurture_touch":
        return _POSTAL if judged else vouch
    text = "--strategy TEXT" if command == "record_strategy" else "--text TEXT"
    ways = f"another {text}" if judged else f"{vouch}, or {text}, which is then read for it"
    may_pass = command in _WITH_OVERRIDE and check not in NOT_OVERRIDDEN
    return f"{ways}, or --override TEXT with why it is sent all the same" if may_pass else ways
