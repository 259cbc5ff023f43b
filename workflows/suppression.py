"""The suppression list as decisions see it: who wants to hear nothing from us, in which modes, whatever lead they are under.

An entry stands under an identifier of the person: a keyed hash that `service.pepper` makes. What the entries of one lead's
person add up to comes to a decision as a `Verdict` in the context, and is recorded with it.
"""

from collections.abc import Iterable
from datetime import date
from typing import Literal, get_args

import msgspec

from workflows.campaign_commands import SendInvitation
from workflows.commands import (
    Command,
    MarkNoteSent,
    Mode,
    ScheduleNote,
    ScheduleTouch,
    SendBreakupEmail,
    SendNurtureTouch,
    SendTouch,
)
from workflows.context import Context, Facts, Refused
from workflows.events import Scalar, Verdict
from workflows.homework_commands import AskWhy
from workflows.mail_commands import QueueBreakupMail, QueueNurtureMail, SendMail
from workflows.sentences import spoken, words

#: The check whose verdict says what the list holds against a person.
CHECK = "not_suppressed"

#: What an entry may stand under: a mail address; a telephone line; a name with a line, or with a postal address; the CRM's id.
Kind = Literal["email", "phone", "person", "post", "crm"]
Reason = Literal["opted_out", "erased", "added"]

MODES: frozenset[Mode] = frozenset(get_args(Mode))

#: A line may be shared, by a household or behind a switchboard: it says something of itself, and nothing of a person.
_LINE: frozenset[Mode] = frozenset({"call", "text_message", "fax"})

#: An objection to post covers a note, which comes by post.
_POST: frozenset[Mode] = frozenset({"post", "handwritten_note"})


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: since *since*, nothing in *channel* (absent: nothing at all) to whom the identifier of *kind* belongs."""

    kind: Kind
    channel: Mode | None
    reason: Reason
    since: date


def reach(kind: Kind) -> frozenset[Mode]:
    """Return the modes of which an identifier of *kind* can say anything."""
    return _LINE if kind == "phone" else MODES


def covered(channel: Mode | None) -> frozenset[Mode]:
    """Return the modes that an objection to *channel* covers; absent, it is to all."""
    if channel is None:
        return MODES
    return _POST if channel == "post" else frozenset({channel})


def verdict(entries: Iterable[Entry]) -> Verdict:
    """Return what *entries*, all that concern one person, say."""
    found = list(entries)
    refused = {mode for entry in found for mode in covered(entry.channel) & reach(entry.kind)}
    if not refused:
        return Verdict(check=CHECK, passed=True, source="suppressions")
    inputs: dict[str, Scalar] = {
        "modes": " ".join(sorted(refused)),
        "reasons": " ".join(sorted({entry.reason for entry in found})),
        "since": min(entry.since for entry in found).isoformat(),
    }
    return Verdict(check=CHECK, passed=False, source="suppressions", inputs=inputs)


def refused_modes(context: Context) -> frozenset[str]:
    """Return the modes that the list refuses; none for a decision that was made before there was a list."""
    found = _found(context)
    return refused_by(found) if found else frozenset()


def refused_by(found: Verdict) -> frozenset[str]:
    """Return the modes that the verdict *found* refuses."""
    return frozenset(str(found.inputs["modes"]).split()) if not found.passed else frozenset()


def _found(context: Context) -> Verdict | None:
    return next((verdict for verdict in reversed(context.verdicts) if verdict.check == CHECK), None)


def keeps_out(context: Context) -> bool:
    """Whether the list refuses the person in every mode."""
    return refused_modes(context) >= MODES


def not_suppressed(facts: Facts, command: Command) -> Refused | None:
    """Refuse a touch in a mode in which the person objected, under this lead or another."""
    found = _found(facts.context)
    refused = refused_by(found) if found else frozenset()
    mode = next((mode for mode in _modes_of(command) if mode in refused), None)
    if found is None or mode is None:
        return None
    since = spoken(date.fromisoformat(str(found.inputs["since"])))
    reason = f"This person is on the suppression list since {since}: nothing goes out by {words(mode)}."
    return Refused(rule=CHECK, reason=reason, inputs={**found.inputs, "mode": mode})


def _modes_of(command: Command) -> tuple[Mode, ...]:
    """Return the modes in which *command* reaches the person, or promises to."""
    match command:
        case ScheduleNote() | MarkNoteSent():
            return "handwritten_note", "call"
        case (
            SendTouch(mode=mode)
            | ScheduleTouch(mode=mode)
            | SendNurtureTouch(mode=mode)
            | SendInvitation(mode=mode)
            | AskWhy(mode=mode)
        ):
            return (mode,)
        case SendBreakupEmail() | QueueBreakupMail() | QueueNurtureMail() | SendMail():
            return ("email",)
    return ("call",)
