"""The command line. ``thaw --help`` lists what there is."""

from collections.abc import Mapping

import click

from service.cli.app import App, OnDemand
from service.cli.sections import SectionedGroup

#: The commands of each module of this package.
MODULES: Mapping[str, tuple[str, ...]] = {
    "accountability": ("accountability",),
    "as_of": ("diff", "leads"),
    "bundle": ("export", "verify-bundle"),
    "campaign": ("campaign",),
    "check": ("check",),
    "cold": ("cold", "stage"),
    "cut_bait": ("cut-bait", "alerts"),
    "dead": ("dead",),
    "demo": ("demo",),
    "erase": ("erase", "erasures"),
    "event": ("event",),
    "explain": ("explain",),
    "history": ("history",),
    "homework": (
        "homework",
        "strategy",
        "need",
        "opportunity",
        "review",
        "offer",
        "qualify",
        "importance",
        "connector",
        "no-connector",
        "introduction",
        "reason",
    ),
    "imports": ("import",),
    "inbound": ("inbound", "unsubscribe-server"),
    "keys": ("keys", "checkpoint"),
    "law": ("law",),
    "limits": ("team",),
    "look": ("lead", "chart"),
    "mail": ("mail",),
    "operations": ("operations",),
    "ops": ("status", "rebuild"),
    "pause": ("pause", "resume"),
    "people": (
        "note-sent",
        "call",
        "decline",
        "reply",
        "touch",
        "note-returned",
        "queue",
        "reschedule",
        "hold",
        "release",
        "reassign",
        "won",
        "drop",
        "merge",
        "opt-out",
        "consent",
        "breakup",
        "nurture",
        "meeting",
    ),
    "photo": ("note-photo",),
    "playbook": ("playbook",),
    "promises": ("promises",),
    "rederive": ("rederive",),
    "replay": ("replay",),
    "reps": ("rep",),
    "roles": ("roles",),
    "run": ("up", "worker", "clock", "servers", "migrate", "settings"),
    "sheet": ("today",),
    "suppressions": ("suppressions",),
    "verify": ("verify",),
    "what_if": ("what-if",),
    "why": ("why", "why-not"),
    "wording": ("wording",),
}


@click.group(cls=SectionedGroup, commands=OnDemand(MODULES), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="thaw")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Bring cold leads back to life."""
    ctx.obj = App()
