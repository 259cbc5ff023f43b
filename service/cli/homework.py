"""What is found out about a lead, as commands: reasons, homework, strategy, offer, worth, and who knows them."""

import click

from service.cli.forms import Ask, Form, shell_command
from workflows import commands as c
from workflows import homework_commands as h
from workflows import pursuit_commands as p
from workflows.playbook_sections import STRUCTURAL
from workflows.playbooks import Homework

_MINUTES = "Minutes that it took, 0 to 1440."
_REAL = (
    "It, as a short word of your own, such as lost_trust or chose_other: there is no list that it has to be on. What the "
    f"playbook lists as structural counts in the score, as what no revival changes; usually {', '.join(sorted(STRUCTURAL))}."
)
_WORDS = "The prospect's own words; kept outside the log."

REASON = (
    Form(
        "stated",
        c.RecordReason,
        "The reason that they gave.",
        {"reason": "It, as a short word such as no_budget.", "words": _WORDS, "minutes": _MINUTES},
        fixed={"kind": "stated"},
    ),
    Form(
        "real",
        c.RecordReason,
        "Why they really said no: with the call or mail that it comes from, and their words.",
        {
            "reason": _REAL,
            "evidence": "The call or mail, such as 'call of 9 March'; kept outside the log.",
            "words": _WORDS,
            "minutes": _MINUTES,
        },
        fixed={"kind": "real"},
    ),
    Form(
        "ask",
        h.AskWhy,
        "They were asked why they said no.\n\nThe questions are the playbook's; thaw today shows them.",
        {
            "outcome": "Whether they answered.",
            "mode": Ask("How they were asked.", default="call"),
            "answers": Ask("One question and its answer; may be repeated.", option="--answer"),
            "words": _WORDS,
            "minutes": _MINUTES,
        },
    ),
)

FORMS = (
    Form(
        "homework",
        c.CompleteHomework,
        "The account was researched.\n\nEach question of the playbook needs its answer, and at least one recent source. "
        f"Usually they are {', '.join(Homework().fields)}; thaw today --lines shows those of a lead.",
        {
            "answers": Ask("One question and its answer; may be repeated.", option="--answer"),
            "cited": Ask(
                "A source that was read: the day it came out, = and where it stands; may be repeated.", option="--source"
            ),
            "minutes": _MINUTES,
        },
    ),
    Form(
        "strategy",
        c.RecordStrategy,
        "How to go about this account, and what was missed last time.",
        {"strategy": "How.", "missed_last_time": Ask("What was missed.", option="--missed")},
    ),
    Form(
        "need",
        h.AnticipateNeed,
        "Something that they will need, whether or not they see it.\n\nFrom here on it is the first thing to bring them.",
        {
            "item": "A short word for what would be brought, such as roof-check-2027.",
            "need": "What they will need.",
            "rationale": Ask("Why.", option="--because"),
            "minutes": _MINUTES,
        },
    ),
    Form(
        "opportunity",
        h.UncoverOpportunity,
        "A conversation, whatever it was about, showed that there is something to sell.",
        {
            "what": "What.",
            "source": Ask("The conversation, such as 'call of 9 March'; kept outside the log.", option="--from"),
            "minutes": _MINUTES,
        },
    ),
    Form(
        "review",
        h.ReviewDecline,
        "A no was looked at again, as each is once a year.",
        {
            "changed": "Whether something changed, so that it is worth while to ask again.",
            "finding": "What was found; kept outside the log.",
            "minutes": _MINUTES,
        },
    ),
    Form(
        "offer",
        c.RecordOffer,
        "What had been agreed on; a breakup names both.",
        {"solution": "The solution.", "benefit": "What it does for them."},
    ),
    Form(
        "qualify",
        c.Qualify,
        "Whether the lead was good to begin with.",
        {"qualified": "The verdict.", "evidence": "What it rests on; kept outside the log."},
    ),
    Form(
        "importance",
        c.AnswerImportance,
        "How important this sale is, from 1 to 5.",
        {
            "importance": Ask("", argument=True),
            "actions": Ask("What else you are willing to do for it; may be repeated.", option="--action"),
        },
    ),
    Form(
        "connector",
        c.IntroduceConnector,
        "Somebody who knows them was named.",
        {
            "connector": Ask("Who it is; kept outside the log.", option="--who"),
            "relation": Ask("How they know each other, as a short word such as colleague.", default="knows_them"),
            "strength": "How well: 1 (by name) to 3 (friends).",
        },
    ),
    Form("no-connector", p.DenyConnector, "Nobody is known who knows them."),
    Form(
        "introduction",
        p.RequestIntroduction,
        "One of the lead's connectors was asked for an introduction.",
        {"connector": Ask("", argument=True), "minutes": _MINUTES},
    ),
)


COMMANDS = (
    *(shell_command(form) for form in FORMS),
    click.Group("reason", help="Why they said no.", commands=[shell_command(form) for form in REASON]),
)
