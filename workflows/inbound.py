"""What a mail that comes in is: an answer of a person, of a program, a mail of ours that came back, or an objection.

Only headers and the sender's own words count. What is quoted of our own mail, with its link to unsubscribe, says nothing.
"""

import re
from collections.abc import Iterator
from datetime import date
from email.message import Message
from typing import Literal

import msgspec

from workflows.mail_text import Read, content_of, header, parts_of, read_mail
from workflows.objections import Aim, aim_of
from workflows.prose import normal, words_of
from workflows.return_date import return_date

Kind = Literal["reply", "out_of_office", "automatic", "bounce", "delayed", "unsubscribe", "opt_out"]

#: More of a mail is not read as an answer.
_MOST_CHARACTERS = 20_000

_TOKEN = re.compile(r"\s*unsubscribe\s+([A-Za-z0-9_-]{20,200})\s*", re.IGNORECASE)
_OUR_ID = re.compile(r"<([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@[^<>@\s]+>", re.IGNORECASE)

_MESSAGE_ID = re.compile(r"(?im)^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]+>)")

_QUOTE_BEGINS = re.compile(
    r"^(?:on .{3,200}\bwrote:|am .{3,200} schrieb .{0,80}:|le .{3,200} a écrit ?:|-{2,} ?(?:original|forwarded) message ?-{2,}"
    r"|_{10,}|from: .+|begin forwarded message:|-- ?)$",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"\bout of (?:the )?office\b|\baway from (?:the|my) (?:office|desk)\b|\bon (?:annual |parental |maternity |sick )?leave\b"
    r"|\bon (?:my )?(?:vacation|holidays?)\b|\blimited access to (?:my )?e-?mails?\b|\bi am (?:currently )?away\b"
)
_AWAY_SUBJECT = re.compile(
    r"^(?:re: *)?(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|away)\b", re.IGNORECASE
)


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail is, as far as its bytes tell."""

    kind: Kind
    sender: str
    message_id: str
    mails: tuple[str, ...] = ()
    """The ids of mails of ours that it is about, the newest last."""
    token: str | None = None
    """Of an objection by mail: who objects."""
    until: date | None = None
    """Of an absence: the first day on which they are there again."""
    permanent: bool | None = None
    status: str | None = None
    """Of a mail that came back (RFC 3463)."""
    aim: Aim | None = None
    """Of an objection in words: what it is to."""
    words: str = ""
    """What the sender wrote, without what is quoted and the signature."""


def understood(raw: bytes, today: date) -> Incoming:
    """Return what the mail *raw* (RFC 5322) is, read on *today*."""
    mail = read_mail(raw)
    about = _ids(header(mail.headers, "References"), header(mail.headers, "In-Reply-To"))
    failed = _delivery_status(mail.message)
    if failed is not None:
        action, status = failed
        about = (*about, *_returned_ids(mail.message))
        kind: Kind = "bounce" if action == "failed" else "delayed"
        # A full mailbox is emptied again, whatever servers call it.
        permanent = status.startswith("5.") and status != "5.2.2"
        return _incoming(mail, kind, mails=about, permanent=permanent, status=status)
    token = _TOKEN.fullmatch(mail.subject)
    if token:
        return _incoming(mail, "unsubscribe", token=token[1], mails=about)
    words = own_words(mail.words[:_MOST_CHARACTERS])
    automatic = _from_a_program(mail)
    away = bool(_AWAY.search(normal(words)) or _AWAY_SUBJECT.match(mail.subject))
    until = return_date(f"{mail.subject}\n{words}", today) if away else None
    # What a program writes is nobody's wish.
    if not automatic and (aim := aim_of(mail.subject, words)):
        return _incoming(mail, "opt_out", mails=about, words=words or mail.subject, aim=aim)
    if away and (automatic or (until is not None and _reads_like_a_notice(words))):
        return _incoming(mail, "out_of_office", mails=about, until=until, words=words)
    if automatic:
        return _incoming(mail, "automatic", mails=about, words=words)
    return _incoming(mail, "reply", mails=about, words=words)


def _incoming(mail: Read, kind: Kind, **found: object) -> Incoming:
    return Incoming(kind=kind, sender=mail.sender, message_id=mail.message_id, **found)  # type: ignore[arg-type]  # as above


def own_words(text: str) -> str:
    """Return what of *text* its sender wrote: nothing from where a quotation or signature begins, and no quoted line."""
    kept: list[str] = []
    lines = text.replace("\r\n", "\n").split("\n")
    for at, line in enumerate(lines):
        stripped = line.strip()
        both = f"{stripped} {lines[at + 1].strip()}" if at + 1 < len(lines) else stripped
        if line.rstrip("\r") == "-- " or _QUOTE_BEGINS.match(stripped) or (stripped and _QUOTE_BEGINS.match(both)):
            break
        if not stripped.startswith(">"):
            kept.append(line.rstrip())
    return "\n".join(kept).strip()


def _from_a_program(mail: Read) -> bool:
    """Whether headers say that no person wrote it (RFC 3834, and what was usual before it)."""
    said = {name: header(mail.headers, name).lower() for name in ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence")}
    if said["Auto-Submitted"].partition(";")[0].strip() not in ("", "no"):
        return True
    others = ("X-Autoreply", "X-Autorespond", "X-Autoresponder")
    if said["X-Auto-Response-Suppress"] not in ("", "none") or any(header(mail.headers, name) for name in others):
        return True
    bulk = said["Precedence"] in ("bulk", "junk", "list", "auto_reply")
    daemon = mail.sender.partition("@")[0].lower() in ("mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply")
    return bulk or daemon or header(mail.headers, "Return-Path") == "<>"


def _reads_like_a_notice(words: str) -> bool:
    """Whether a text without a word to us in it is a notice: short, and asking nothing."""
    return "?" not in words and len(words_of(words)) <= 120


def _ids(*headers: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found.lower() for each in headers for found in _OUR_ID.findall(each)))


def _delivery_status(message: Message) -> tuple[str, str] | None:
    """Return action and status of a report on delivery (RFC 3464), the worst of its recipients; None for other mail."""
    found = [
        fields for part in parts_of(message) if part.get_content_type() == "message/delivery-status" for fields in _fields(part)
    ]
    told = [(action, status) for action, status in found if action]
    failed = next(((action, status) for action, status in told if action == "failed"), None)
    return failed or (told[0] if told else None)


def _fields(part: Message) -> Iterator[tuple[str, str]]:
    payload = part.get_payload()
    for group in payload if isinstance(payload, list) else ():
        if not isinstance(group, Message):
            continue
        status = re.search(r"[245]\.\d{1,3}\.\d{1,3}", header(group, "Status"), re.ASCII)
        yield header(group, "Action").lower(), status[0] if status else "5.0.0"


def _returned_ids(message: Message) -> tuple[str, ...]:
    """Return the ids of our mails that a report holds, whole or by their headers."""
    found: list[str] = []
    for part in parts_of(message):
        kind, payload = part.get_content_type(), part.get_payload()
        if kind == "message/rfc822" and isinstance(payload, list):
            found += [id_ for each in payload if isinstance(each, Message) for id_ in _ids(header(each, "Message-ID"))]
        elif kind in ("message/rfc822-headers", "text/rfc822-headers"):
            # Of the first kind, which is none (RFC 6522), the reader makes a mail of its own all the same.
            within = payload[0] if isinstance(payload, list) and payload else None
            named = _MESSAGE_ID.search(content_of(part))
            found += _ids(header(within, "Message-ID") if isinstance(within, Message) else named[1] if named else "")
    return tuple(found)
