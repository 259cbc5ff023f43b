"""The rules of mail that the service sends: who may have which mail, when it is tried again, and what each outcome leaves."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET

from workflows import mail_events as e
from workflows.command import Command
from workflows.commands import SendBreakupEmail, SendNurtureTouch
from workflows.context import Facts, Refused
from workflows.lead import Lead, MailState
from workflows.mail_commands import MailPurpose, QueueBreakupMail, QueueNurtureMail, RecordBounce, ReportMail, SendMail

#: Minutes after which a mail is tried again that a server did not take for the time being: in all it is tried for two days.
AGAIN_MINUTES = (5, 15, 60, 180, 360, 720, 1440)

#: A mail that came back for a passing reason, such as a full mailbox, is sent again a day later, up to so many attempts.
BOUNCED_AGAIN = timedelta(days=1)
BOUNCED_ATTEMPTS = 3

#: Outcomes that end what a person or a server was asked about.
_OPEN = frozenset({"sending", "unconfirmed"})
_WAITING = frozenset({"queued", "deferred", "returned"})


def again(attempt: int) -> timedelta | None:
    """Return how long to wait after the conversation number *attempt* (from 1) found nobody who takes it; None: give up."""
    return timedelta(minutes=AGAIN_MINUTES[attempt - 1]) if attempt <= len(AGAIN_MINUTES) else None


def no_mail_under_way(facts: Facts, _: Command) -> Refused | None:
    """Refuse another mail, or a merge, while one is on its way, or may be; one that still waits is replaced, or not sent."""
    mail = facts.lead.mail
    if not mail or mail.status not in _OPEN:
        return None
    reason = "A mail is on its way just now; wait for what comes of it."
    if mail.status == "unconfirmed":
        reason = "Nobody knows whether the last mail went out: look, and say so with `thaw mail settle` first."
    return Refused(rule="no_mail_under_way", reason=reason, inputs={"mail": str(mail.id), "status": mail.status})


def mail_waiting(facts: Facts, command: SendMail) -> Refused | None:
    """Refuse to send a mail that is not the one that waits: another one replaced it, or it has gone out."""
    mail = facts.lead.mail
    if mail and mail.id == command.mail and mail.status in _WAITING:
        return None
    reason = "This mail does not wait to be sent any more."
    inputs = {"mail": str(command.mail), "status": mail.status if mail and mail.id == command.mail else None}
    return Refused(rule="mail_waiting", reason=reason, inputs=inputs)


def mail_under_way(facts: Facts, command: ReportMail) -> Refused | None:
    """Refuse to say what came of a mail that is not on its way."""
    mail = facts.lead.mail
    if mail and mail.id == command.mail and mail.status in _OPEN:
        return None
    reason = "This mail is not on its way; what came of it is known already."
    return Refused(rule="mail_under_way", reason=reason, inputs={"mail": str(command.mail)})


def not_back_yet(facts: Facts, command: RecordBounce) -> Refused | None:
    """Refuse to have the same mail come back twice."""
    mail = facts.lead.mail
    if not mail or mail.id != command.mail or mail.status not in ("bounced", "returned"):
        return None
    reason = "That this mail came back is known already."
    return Refused(rule="not_back_yet", reason=reason, inputs={"mail": str(command.mail), "status": mail.status})


def asset_of(lead: Lead, command: Command) -> str | None:
    """Return what a value touch would bring; None for a mail that came back and brings what counts as brought already."""
    if not isinstance(command, SendMail):
        return getattr(command, "asset", None)
    mail = lead.mail
    if not mail or (mail.status == "returned" and lead.value_items_used[-1:] == (mail.asset,)):
        return None
    return mail.asset


def may_go_on(before: Lead, lead: Lead, command: SendMail, refused: Collection[str]) -> bool:
    """Whether a mail may still be handed over whose conversation began with the lead as it was *before*.

    The list refuses the modes *refused*.
    """
    mail, wanted = lead.mail, "no_response" if command.purpose == "breakup" else "nurture"
    if not mail or mail.id != command.mail or mail.status != "sending" or lead.state != wanted:
        return False
    if (lead.breakup_email_at, lead.nurture_touched_at) != (before.breakup_email_at, before.nurture_touched_at):
        return False  # somebody wrote by hand meanwhile
    return lead.hold is None and not lead.erased_at and "email" in lead.modes and "email" not in refused


def touch_of(command: ReportMail, lead: Lead) -> SendBreakupEmail | SendNurtureTouch | None:
    """Return the touch that a mail which went out amounts to; None when the lead stands where no such touch belongs."""
    mail = lead.mail
    if command.outcome != "sent" or not mail:
        return None
    if mail.purpose == "breakup" and lead.state == "no_response":
        return SendBreakupEmail(monitored_reply_address=True, text=mail.text, minutes=mail.minutes)
    if mail.purpose == "nurture" and lead.state == "nurture" and mail.asset:
        return SendNurtureTouch(mode="email", asset=mail.asset, attested=mail.attested, minutes=mail.minutes, kind=mail.kind)
    return None


def follow_ups(command: Command, lead: Lead, now: datetime) -> tuple[SendMail, ...]:
    """Return what is to be sent, now or later, because *command* was applied to *lead* as it stood before."""
    mail = lead.mail
    match command:
        case QueueBreakupMail(mail=id_):
            return (SendMail(mail=id_, purpose="breakup", attempt=1),)
        case QueueNurtureMail(mail=id_):
            return (SendMail(mail=id_, purpose="nurture", attempt=1),)
        case ReportMail(outcome="deferred") if mail:
            wait = again(mail.attempt) or timedelta(0)
            return (SendMail(mail=mail.id, purpose=mail.purpose, attempt=mail.attempt + 1, not_before=now + wait),)
        case RecordBounce(permanent=False) if mail and mail.id == command.mail and mail.attempt < BOUNCED_ATTEMPTS:
            later = now + BOUNCED_AGAIN
            return (SendMail(mail=mail.id, purpose=mail.purpose, attempt=mail.attempt + 1, not_before=later),)
    return ()


# What events of mail change in a lead; see `workflows.changes`.


def queued(_lead: Lead, _at: datetime, data: e.MailQueued, changes: dict[str, Any]) -> None:
    """Note the mail that waits; one that waited before is replaced."""
    changes["mail"] = MailState(
        id=data.mail,
        purpose=data.purpose,
        status="queued",
        text=data.text,
        asset=data.asset,
        attested=data.attested,
        minutes=data.writing_minutes,
        kind=data.kind,
    )


def sending(lead: Lead, _at: datetime, data: e.MailSending, changes: dict[str, Any]) -> None:
    """Note that its conversation begins."""
    changes["mail"] = _with(lead, data.mail, status="sending", attempt=data.attempt)


def reported(status: str) -> Any:
    """Return the change of an event that ends a conversation with *status*."""

    def change(lead: Lead, _at: datetime, data: Any, changes: dict[str, Any]) -> None:
        changes["mail"] = _with(lead, data.mail, status=status)

    return change


def bounced(lead: Lead, _at: datetime, data: e.MailBounced, changes: dict[str, Any]) -> None:
    """Take the address away that does not exist, and the half of a breakup that never arrived."""
    if data.permanent:
        changes["modes"] = tuple(mode for mode in lead.modes if mode != "email")
    mail = lead.mail
    if mail and mail.id == data.mail:
        again_soon = not data.permanent and mail.attempt < BOUNCED_ATTEMPTS
        # Writing it was counted when it first went out, and is not done twice.
        changes["mail"] = _with(lead, data.mail, status="returned" if again_soon else "bounced", minutes=0)
        if mail.purpose == "breakup":
            changes["breakup_email_at"] = None


def ended_by_erasure(lead: Lead, changes: dict[str, Any]) -> None:
    """Note that nothing more is heard of a mail: what waits does not go out, and what is on its way may have."""
    mail = lead.mail
    if mail and mail.status in ("sending", *_WAITING):
        changes["mail"] = _with(lead, mail.id, status="unconfirmed" if mail.status == "sending" else "refused")


def _with(lead: Lead, id_: object, **what: Any) -> Any:
    mail = lead.mail
    if not mail or mail.id != id_:
        return mail or UNSET
    return MailState(**({name: getattr(mail, name) for name in MailState.__struct_fields__} | what))


# What the events say; see `workflows.outcomes`.


def _queued_says(_: Facts, command: QueueBreakupMail | QueueNurtureMail) -> e.MailQueued:
    purpose: MailPurpose = "nurture" if isinstance(command, QueueNurtureMail) else "breakup"
    return e.MailQueued(
        mail=command.mail,
        purpose=purpose,
        text=command.text,
        wording=command.wording,
        asset=command.asset if isinstance(command, QueueNurtureMail) else None,
        attested=command.attested if isinstance(command, QueueNurtureMail) else (),
        writing_minutes=command.minutes,
        kind=command.kind if isinstance(command, QueueNurtureMail) else UNSET,
        footer=command.footer,
    )


BUILDERS: dict[str, Any] = {
    "mail_queued": _queued_says,
    "mail_sending": lambda _, c: e.MailSending(mail=c.mail, purpose=c.purpose, attempt=c.attempt),
    "mail_sent": lambda _, c: e.MailSent(mail=c.mail, code=c.code, status=c.status),
    "mail_refused": lambda _, c: e.MailRefused(mail=c.mail, code=c.code, status=c.status, reason=c.reason),
    "mail_deferred": lambda _, c: e.MailDeferred(mail=c.mail, code=c.code, status=c.status, reason=c.reason),
    "mail_unconfirmed": lambda _, c: e.MailUnconfirmed(mail=c.mail),
    "mail_bounced": lambda _, c: e.MailBounced(mail=c.mail, permanent=c.permanent, status=c.status),
}

CHANGES: dict[type, Any] = {
    e.MailQueued: queued,
    e.MailSending: sending,
    e.MailSent: reported("sent"),
    e.MailRefused: reported("refused"),
    e.MailDeferred: reported("deferred"),
    e.MailUnconfirmed: reported("unconfirmed"),
    e.MailBounced: bounced,
}
