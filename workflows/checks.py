"""Content checks as the machine sees them: verdicts that people or programs give, by which a touch may count as sent."""

from collections.abc import Mapping

import msgspec

from workflows.campaign_commands import SendInvitation
from workflows.commands import (
    AnyCommand,
    Command,
    LeaveBreakupVoicemail,
    MarkNoteSent,
    RecordStrategy,
    Reference,
    SendBreakupEmail,
    SendNurtureTouch,
    SendTouch,
    Slug,
)
from workflows.content import READ_WHOLE, RULES, TextKind, is_remark
from workflows.context import Context, Facts, Refused
from workflows.events import Verdict
from workflows.mail_commands import QueueBreakupMail, QueueNurtureMail
from workflows.playbooks import Playbook
from workflows.sentences import words

_SENTENCES = {
    "personal_fact": "the note uses something personal that we know about the prospect",
    "reminds_who_we_are": "the note says where we met",
    "future_call": "the note says that you will call",
    "not_form_letter": "the note does not read like a form letter",
    "recalls_prior_interest": "it opens with what the prospect was interested in",
    "no_empty_check_in": "it is more than an empty check-in",
    "length": "the note is as long as notes are",
    "one_click_unsubscribe": "the mail can be unsubscribed with one click",
    "postal_address": "the mail carries our postal address",
    "mentions_mail": "the voicemail says that a mail comes with it",
    "breakup_parts": "the mail names the solution and its benefit, says that they were tried {attempts} times and that a no is "
    "fine, and asks for a reply",
}

#: What the halves of a breakup need whatever a playbook says (A1-9). A program sees to it where it has their words; otherwise
#: somebody has to vouch for it.
OF_BREAKUPS: Mapping[type[Command], tuple[Slug, ...]] = {
    LeaveBreakupVoicemail: ("mentions_mail",),
    SendBreakupEmail: ("breakup_parts",),
}


#: The verdict that `workflows.suppression` gives and judges.
SUPPRESSION = "not_suppressed"

#: What every letter of a campaign must pass; `workflows.invitation_checks` makes them.
INVITATION_CHECKS = ("event_left", "event_list", "described", "invitation_opening", "invitation_values", "list_whole")

#: What a playbook may ask for: checks that a program makes, and those that only people can vouch for.
KNOWN_CHECKS = frozenset({*RULES, "one_click_unsubscribe", "postal_address"})


#: What the law asks of a mail: no reason of ours stands above it.
BY_LAW = frozenset({"one_click_unsubscribe", "postal_address"})

#: What no reason lets pass: the law, and that nobody read the text to its end.
NOT_OVERRIDDEN = BY_LAW | {READ_WHOLE}


#: The guards of a breakup's mail that its voicemail, which says that the mail comes, asks as well; first is asked first.
GUARDS_OF_MAIL = ("attempts_made", "modes_tried", "offer_known", "cut_bait_confirmed")


def checked_text(command: AnyCommand) -> tuple[TextKind, Reference] | None:
    """Return the words that *command* sends out or keeps and that content checks read, and of which kind they are."""
    match command:
        case MarkNoteSent(text=Reference() as text):
            return "note", text
        case SendTouch(text=Reference() as text):
            return "touch", text
        case SendBreakupEmail(text=Reference() as text) | QueueBreakupMail(text=text):
            return "breakup_email", text
        case QueueNurtureMail(text=text):
            return "nurture", text
        case LeaveBreakupVoicemail(text=Reference() as text):
            return "breakup_voicemail", text
        case RecordStrategy(strategy=text):
            return "strategy", text
        case SendInvitation(text=text):
            return "invitation", text
    return None


def asked(command: AnyCommand, playbook: Playbook) -> tuple[Slug, ...]:
    """Return the checks that *playbook* asks for before *command* counts as done."""
    checks = playbook.checks
    match command:
        case MarkNoteSent():
            return checks.note
        case SendTouch():
            return checks.touch
        case SendNurtureTouch(mode="email") | QueueNurtureMail():
            return checks.nurture
        case SendInvitation(mode="email"):
            return (*INVITATION_CHECKS, *sorted(BY_LAW))
        case SendInvitation():
            return INVITATION_CHECKS
    return ()


def asked_besides(command: AnyCommand, context: Context) -> tuple[Slug, ...]:
    """Return the checks that *command* needs whatever the playbook says; none in a decision from before they were asked for."""
    return () if context.asked is msgspec.UNSET else OF_BREAKUPS.get(type(command), ())


def asks_as_mail(command: Command, context: Context) -> bool:
    """Tell whether *command* is asked what a breakup's mail is: a voicemail is, but for decisions from before that was so."""
    asked = context.asked
    before = asked is msgspec.UNSET or (asked is not None and not set(GUARDS_OF_MAIL).issubset(asked))
    return isinstance(command, LeaveBreakupVoicemail) and not before


def asked_of_breakup(command: AnyCommand, context: Context) -> tuple[Slug, ...]:
    """Return all that is asked of a half of a breakup beside the playbook's checks, as it stands with its event."""
    return (*asked_besides(command, context), *(GUARDS_OF_MAIL if asks_as_mail(command, context) else ()))


def settled(command: AnyCommand, context: Context) -> tuple[Verdict, ...]:
    """Return the verdict on each check that is asked for or was made of the words, of those that have one.

    A computed verdict outranks a person's word, but for a remark on a photo, which goes with it; an override passes what is
    missing or failed. Both say so as its source.
    """
    checks = (*asked(command, context.playbook), *asked_besides(command, context))
    attested = getattr(command, "attested", ()) or ()
    override = isinstance(getattr(command, "override", None), Reference)
    # What the suppression list says is no matter of wording, and nobody overrides it.
    computed = {verdict.check: verdict for verdict in context.verdicts if verdict.check != SUPPRESSION}
    if not checks and not computed:
        return ()
    verdicts = []
    for check in dict.fromkeys((*checks, *computed)):
        verdict = computed.get(check)
        if verdict is None and check in attested:
            verdict = Verdict(check=check, passed=True, source=f"attested by {context.actor}")
        elif verdict and is_remark(verdict) and check in attested:
            verdict = msgspec.structs.replace(verdict, passed=True, source=f"attested by {context.actor}")
        if override and verdict is None and check not in BY_LAW:
            verdict = Verdict(check=check, passed=True, source="overridden")
        elif override and verdict and not verdict.passed and check not in NOT_OVERRIDDEN:
            verdict = msgspec.structs.replace(verdict, passed=True, source="overridden")
        if verdict:
            verdicts.append(verdict)
    return tuple(verdicts)


def content_checks(facts: Facts, command: Command) -> Refused | None:
    """Refuse words of which a check that is asked for has no verdict, or any check a bad one."""
    verdicts = {verdict.check: verdict for verdict in settled(facts.command, facts.context)}
    needed = (*asked(facts.command, facts.playbook), *asked_besides(facts.command, facts.context))
    # Of a text that was not read there is nothing else to say.
    first = (READ_WHOLE,) if READ_WHOLE in verdicts else ()
    for check in dict.fromkeys((*first, *needed, *verdicts)):
        verdict = verdicts.get(check)
        claim = _SENTENCES.get(check, words(check)).format(attempts=facts.lead.attempts)
        if verdict is None:
            reason = f"Nobody has confirmed that {claim}: it was neither attested nor overridden."
            return Refused(rule=f"check.{check}"[:80], reason=reason, inputs={"check": check, "verdict": None})
        if not verdict.passed:
            failed = verdict.reason or f"The check whether {claim} failed ({verdict.source})."
            may_pass = hasattr(command, "override") and check not in NOT_OVERRIDDEN
            way_out = "Change it, or override with a reason." if may_pass else "Change it."
            if is_remark(verdict):
                way_out = f"Attest that {claim}, or {way_out[0].lower()}{way_out[1:]}"
            inputs = {**verdict.inputs, "check": check, "verdict": False, "source": verdict.source}
            return Refused(rule=f"check.{check}"[:80], reason=f"{failed} {way_out}", inputs=inputs)
    return None
