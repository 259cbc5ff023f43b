"""Checks of a mail's own bytes, which no one has to vouch for: can it be unsubscribed, and does it say where we are."""

import re
from collections.abc import Mapping
from uuid import UUID

from models.texts import Written
from workflows.campaign_commands import SendInvitation
from workflows.commands import AnyCommand, Reference
from workflows.events import Scalar, Verdict
from workflows.mail_commands import QueueBreakupMail, QueueNurtureMail
from workflows.mail_text import Read, header, read_mail, text_of

#: The kind under which a whole mail is kept as a document.
MAIL = "mail"

_SOURCE = "the mail's bytes, version 1"
_ONE_CLICK = "List-Unsubscribe=One-Click"


def mail_verdicts(words: Mapping[UUID, Written], command: AnyCommand, postal_address: str) -> tuple[Verdict, ...]:
    """Return what the bytes of the mail say, among *words*, that *command* wants sent; nothing where it was erased."""
    mail = mail_of(command)
    written = words.get(mail.document_id) if mail else None
    return mail_checks(read_mail(written.body.encode()), postal_address) if written else ()


def mail_of(command: AnyCommand) -> Reference | None:
    """Return the whole mail that *command* sends or wants sent."""
    match command:
        case QueueBreakupMail(text=text) | QueueNurtureMail(text=text) | SendInvitation(mode="email", text=text):
            return text
    return None


def letter_of(command: SendInvitation, written: Written) -> str:
    """Return the words of an invitation: of one by mail, those of the mail."""
    return read_mail(written.body.encode()).words if command.mode == "email" else written.body


def mail_checks(mail: Read, postal_address: str) -> tuple[Verdict, ...]:
    """Return the verdicts on *mail*, which has to carry *postal_address* in each of its parts."""
    return (_unsubscribe(mail), _postal(mail, postal_address))


def _unsubscribe(mail: Read) -> Verdict:
    """By RFC 8058 with one click where there is an https address; else by a mail to us, which needs no click of a page."""
    listed = header(mail.headers, "List-Unsubscribe")
    targets = re.findall(r"<([^<>]*)>", listed)
    web = any(target.startswith("https://") for target in targets)
    one_click = header(mail.headers, "List-Unsubscribe-Post") == _ONE_CLICK
    by_mail = any(target.startswith("mailto:") for target in targets)
    inputs: dict[str, Scalar] = {"https": web, "one_click": one_click, "mailto": by_mail}
    passed = one_click if web else by_mail
    reason = None if passed else "It has no List-Unsubscribe header that a mail program can use."
    return _verdict("one_click_unsubscribe", passed, inputs, reason)


def _postal(mail: Read, postal_address: str) -> Verdict:
    wanted = " ".join(postal_address.split())
    said = [" ".join(part.split()) for part in (mail.plain, text_of(mail.html)) if part.strip()]
    passed = bool(wanted) and bool(said) and all(wanted in part for part in said)
    reason = None if passed else "It does not carry our postal address." if wanted else "THAW_POSTAL_ADDRESS is not set."
    return _verdict("postal_address", passed, {"known": bool(wanted), "parts": len(said)}, reason)


def _verdict(check: str, passed: bool, inputs: dict[str, Scalar], reason: str | None) -> Verdict:
    return Verdict(
        check=check,
        passed=passed,
        source=_SOURCE,
        inputs=inputs,
        level="pass" if passed else "refuse",
        score=None,
        reason=reason,
    )
