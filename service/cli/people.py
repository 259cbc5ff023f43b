"""What people do with a lead, as commands: notes, calls, replies, touches, breakups, nurture, meetings and ends."""

import click

from service.cli.forms import Ask, Form, shell_command
from service.cli.nurture import months
from workflows import commands as c
from workflows import merge_commands as m
from workflows import pursuit_commands as p

_MINUTES = "Minutes that it took, 0 to 1440."
_REVISIT = "The day to come back on, such as 2026-09-01."
_WORDS = "The prospect's own words; kept outside the log."
_ATTEST = Ask("A content check that you vouch for; may be repeated.", option="--attest")
_OVERRIDE = "Why it was sent although a check failed, in 15 characters or more; the manager sees it."
_NOTHING_CAME = "Why neither a decision nor a next step came of it, in 15 characters or more; the manager sees it."
_KEEP = Ask("They asked to keep in touch.", option="--keep-in-touch")

NOTE_SENT = Form(
    "note-sent",
    c.MarkNoteSent,
    "The note is in the post.\n\nFrom here on the call is promised, for as many working days later as the playbook says.",
    {
        "medium": Ask("How it was written.", default="hand_written"),
        "attested": _ATTEST,
        "override": _OVERRIDE,
        "text": "What the note says; kept outside the log.",
        "photo": "A photo of the note instead (JPEG, PNG, HEIC or PDF, 8 MB at most); kept outside the log.",
        "fact": "Which of the personal facts it uses in other words, counted from 1 as `thaw today` lists them.",
        "minutes": _MINUTES,
    },
)

CALL = Form(
    "call",
    c.RecordCall,
    "What came of a call.\n\nA conversation needs a decision, or a next step with its day. If they said no, type thaw decline "
    "instead.",
    {
        "outcome": "How it ended.",
        "personal_topic_first": Ask(
            "It began with something personal; say what with --topic instead.", option="--personal-first"
        ),
        "personal_topic": Ask("Which personal topic it began with; kept outside the log.", option="--topic"),
        "decision": "What they decided, such as 'send the offer'; kept outside the log.",
        "next_step": "What comes next, such as 'visit the site'; kept outside the log.",
        "next_step_on": "The day of the next step.",
        "revisit_on": _REVISIT,
        "keep_in_touch_requested": _KEEP,
        "minutes": _MINUTES,
        "words": _WORDS,
        "override": _NOTHING_CAME,
    },
)

DECLINE = Form(
    "decline",
    c.RecordDecline,
    "They said no, put it on hold, cancelled, or went silent.",
    {
        "kind": "Which of these.",
        "stated_reason": "The reason that they gave, as a short word such as no_budget.",
        "real_reason": "The real one, if they told you; any short word will do, see thaw reason real.",
        "revisit_on": _REVISIT,
        "keep_in_touch_requested": _KEEP,
        "words": _WORDS,
        "minutes": _MINUTES,
    },
)

REPLY = Form(
    "reply",
    c.RecordReply,
    "They wrote or rang first.",
    {
        "channel": "How.",
        "intent": Ask("What they want.", default="interested"),
        "automatic": "It was an automatic answer.",
        "stated_reason": "With a no: the reason that they gave.",
        "revisit_on": _REVISIT,
        "words": _WORDS,
        "introduced_by": "Which of the lead's connectors brought them to us, counted from 1.",
    },
)

TOUCH = Form(
    "touch",
    c.SendTouch,
    "Something went out to them in another mode than a note or a call.",
    {
        "mode": "How.",
        "way": "The way within that mode, one of those that the playbook names.",
        "value_item": "What was new in it, as a short word such as market-report.",
        "attested": _ATTEST,
        "override": _OVERRIDE,
        "text": "What it said; kept outside the log.",
        "minutes": _MINUTES,
    },
)

BREAKUP = (
    Form(
        "voicemail",
        c.LeaveBreakupVoicemail,
        "The first half: the voicemail is left.",
        {"attested": _ATTEST, "override": _OVERRIDE, "text": "What was said; kept outside the log.", "minutes": _MINUTES},
    ),
    Form(
        "waive",
        p.WaiveMode,
        "Do without a mode that is still open before a breakup.",
        {"mode": "Which one, as `thaw cut-bait` lists it.", "reason": "Why; kept outside the log."},
    ),
    Form(
        "email",
        c.SendBreakupEmail,
        "The second half: the mail is out.",
        {
            "monitored_reply_address": Ask("Whether somebody reads the address that it comes from.", option="--monitored"),
            "attested": _ATTEST,
            "override": _OVERRIDE,
            "text": "What it said; kept outside the log.",
            "minutes": _MINUTES,
        },
    ),
    Form(
        "confirm",
        c.ConfirmCutBait,
        "Decide on the cut-bait card.",
        {
            "choice": "What is to be done.",
            "reason": "Why; kept outside the log.",
            "override": "Why they are let go although not everything was tried, in 15 characters or more.",
        },
    ),
    Form("send", c.SendBreakup, "Close the pursuit: both halves are out."),
)

NURTURE = (
    Form(
        "start",
        c.StartNurture,
        "Hand the lead over to long-term nurture.",
        {"waiver": "Why it does without a breakup; kept outside the log."},
    ),
    Form(
        "touch",
        c.SendNurtureTouch,
        "The month's value touch went out.",
        {
            "mode": "How.",
            "asset": "What was sent, as a short word such as market-report-may.",
            "kind": "What sort of thing it is, such as newsletter or report.",
            "attested": _ATTEST,
            "minutes": _MINUTES,
        },
    ),
    Form(
        "skip",
        p.SkipNurture,
        "Leave this month's touch out, and say why.",
        {"reason": "Why, as a short word such as nothing_new.", "words": "Why, at length; kept outside the log."},
    ),
)

MEETING = (
    Form(
        "book",
        c.BookMeeting,
        "A meeting is in the calendar.",
        {"meeting_at": Ask("When it will be, such as 2026-03-09T14:30.", option="--at"), "minutes": _MINUTES},
        happened="--booked-at",
    ),
    Form(
        "held",
        c.RecordMeeting,
        "The meeting took place.\n\nIt needs a decision, or a next step with its day.",
        {
            "decision": "What they decided; kept outside the log.",
            "next_step": "What comes next; kept outside the log.",
            "next_step_on": "The day of the next step.",
            "minutes": _MINUTES,
            "override": _NOTHING_CAME,
        },
    ),
)

ENDS = (
    Form("won", c.MarkWon, "The deal is won."),
    Form(
        "drop",
        c.Drop,
        "Cut a lead loose for good; a manager decides that (--as manager:NAME).",
        {"reason": "Why.", "words": "Why, at length; kept outside the log."},
    ),
    Form(
        "merge",
        m.MergeLead,
        "The lead is a duplicate of another, which goes on alone; a manager decides that (--as manager:NAME).\n\n"
        "What the person objected to, when they were last written to or called, and the last no hold for the other lead from "
        "then on. The history of the duplicate stays as it is; a call that was promised under it is not made.",
        {"into": "The lead that goes on: its id, the first 8 digits of it, or the CRM's id for it."},
    ),
    Form(
        "opt-out",
        c.OptOut,
        "They want no more contact.\n\nWithout --channel: none at all, from this moment on.",
        {"channel": "Only in this mode.", "words": "What they said; kept outside the log."},
    ),
    Form(
        "consent",
        c.RegrantConsent,
        "They agreed to contact again, with evidence; a manager records that (--as manager:NAME).",
        {
            "evidence": "What they said and where it stands; kept outside the log.",
            "modes": Ask("A mode that they agreed to; may be repeated.", option="--mode"),
        },
    ),
)

PLANS = (
    Form("note-returned", c.RecordReturn, "The note came back: the promise is void, and the lead waits for an address."),
    Form(
        "queue",
        c.QueueRevival,
        "Put the lead in the queue.",
        {
            "reason": Ask("Why now, as a short word such as job_change, event or revisit.", default="stale"),
            "override": "Why it is pursued although nobody has qualified it, in 15 characters or more; the manager sees it.",
        },
    ),
    Form(
        "reschedule",
        c.RescheduleCall,
        "Move a promised call to another working day.",
        {"call_on": Ask("The new day.", option="--to"), "reason": "Why."},
    ),
    Form(
        "hold",
        c.Hold,
        "Freeze the lead: its timers keep what is left of them.",
        {"reason": "Why.", "until": "The day on which it goes on by itself."},
    ),
    Form("release", c.Release, "Thaw a lead that is on hold."),
    Form("reassign", c.Reassign, "Give the lead to another rep.", {"owner": Ask("", argument=True)}),
)


def _group(name: str, says: str, forms: tuple[Form, ...], looks: tuple[click.Command, ...]) -> click.Group:
    return click.Group(name, help=says, commands=[*map(shell_command, forms), *looks])


FORMS = (NOTE_SENT, CALL, DECLINE, REPLY, TOUCH, *PLANS, *ENDS)
GROUPS = {
    "breakup": ("A voicemail reinforced by a mail, and then no more.", BREAKUP),
    "nurture": ("Long-term value touches.", NURTURE),
    "meeting": ("Meetings, booked and held.", MEETING),
}

#: Commands of a group that only look.
LOOKS: dict[str, tuple[click.Command, ...]] = {"nurture": (months,)}

COMMANDS = (
    *(shell_command(form) for form in FORMS),
    *(_group(name, says, forms, LOOKS.get(name, ())) for name, (says, forms) in GROUPS.items()),
)
