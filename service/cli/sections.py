"""The commands of ``thaw --help``, under headings by who types them."""

from collections.abc import Mapping

import click

from service.cli.app import Group

#: Each command stands under one heading; what stands under none is listed last.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Try it": ("demo", "up"),
    "Sales, the day and the book": ("today", "lead", "leads", "promises", "accountability", "check", "import", "cold"),
    "Sales, what happened with a lead": (
        "note-sent",
        "call",
        "reply",
        "touch",
        "meeting",
        "decline",
        "won",
        "opt-out",
        "note-returned",
        "hold",
        "release",
        "reschedule",
        "queue",
        "reassign",
    ),
    "Sales, what is known of an account": (
        "history",
        "note-photo",
        "reason",
        "homework",
        "need",
        "strategy",
        "qualify",
        "importance",
        "connector",
        "no-connector",
        "introduction",
        "offer",
        "opportunity",
        "stage",
        "merge",
        "review",
    ),
    "Sales, letting go, keeping in touch": ("cut-bait", "alerts", "breakup", "nurture", "drop", "consent"),
    "Mail": ("mail", "inbound"),
    "Campaigns": ("event", "campaign"),
    "Law and erasure": ("law", "suppressions", "erase", "erasures"),
    "Playbooks and reps": ("playbook", "wording", "what-if", "rep", "team"),
    "Auditors": (
        "explain",
        "why",
        "why-not",
        "replay",
        "diff",
        "rederive",
        "verify",
        "export",
        "verify-bundle",
        "checkpoint",
        "keys",
        "operations",
        "roles",
        "chart",
    ),
    "Operations": (
        "status",
        "dead",
        "pause",
        "resume",
        "settings",
        "migrate",
        "rebuild",
        "worker",
        "clock",
        "unsubscribe-server",
        "servers",
    ),
}

_REST = "More"

#: Longer first sentences are cut; this many characters fill three lines of a narrow terminal.
_CHARACTERS_MAX = 150


class SectionedGroup(Group):
    """A group that lists its commands by `SECTIONS`, each with the whole first sentence of what it does."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each section with its commands."""
        named = {name for names in SECTIONS.values() for name in names}
        rest = tuple(name for name in self.list_commands(ctx) if name not in named)
        for heading, names in (*SECTIONS.items(), (_REST, rest)):
            found = [(name, command) for name in names if (command := self.get_command(ctx, name)) and not command.hidden]
            if found:
                with formatter.section(heading):
                    # One column for all sections, as wide as the longest name.
                    width = max(map(len, self.commands))
                    formatter.write_dl(
                        [(f"{name:<{width}}", command.get_short_help_str(_CHARACTERS_MAX)) for name, command in found]
                    )
