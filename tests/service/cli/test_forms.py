"""The forms cover what people may ask of the machine, no more and no less."""

from typing import get_args

import click
import msgspec
from click.testing import CliRunner

from service.cli import homework, main, people
from service.cli.forms import Form
from workflows import commands as c
from workflows.campaign_commands import MoveStage, ProposeCold, SendInvitation
from workflows.homework_commands import OpenHistory
from workflows.mail_commands import MailCommand
from workflows.merge_commands import TakeInDuplicate

FORMS: tuple[Form, ...] = (
    *people.FORMS,
    *(form for _, forms in people.GROUPS.values() for form in forms),
    *homework.FORMS,
    *homework.REASON,
)

#: What the machine, the planner and the CRM say, and no person at a shell; an erasure has a command with a ledger of its own.
NOT_FOR_PEOPLE = {
    c.EraseLead, c.RegisterLead, c.UpdateContact, c.ScheduleNote, c.ScheduleCall, c.ScheduleTouch, c.FireTimer,
    c.MigratePlaybook, TakeInDuplicate,
}  # fmt: skip
#: These have commands of their own: they print what is decided on, or send something.
NOT_FOR_PEOPLE |= {OpenHistory, MoveStage, ProposeCold, SendInvitation, *get_args(MailCommand)}

#: Ids that only a CRM has at hand, days that stand in the sources themselves, the way that something was passed on, and when a
#: plan has a call moved.
NOT_ASKED = {
    "RecordReply.campaign_id", "RecordReply.event_id", "CompleteHomework.sources", "RecordReply.through", "OptOut.through",
    "RescheduleCall.not_before",
}  # fmt: skip


def test_every_command_that_people_give_has_a_form() -> None:
    # What contact law asks is typed as `thaw law set` and `thaw law dnc-checked`, which have no field of the command each.
    assert {form.command for form in FORMS} == set(get_args(c.LeadCommand)) - NOT_FOR_PEOPLE - {c.RecordLaw}


def test_every_field_is_asked_for() -> None:
    asked = {f"{form.command.__name__}.{name}" for form in FORMS for name in (*form.fields, *form.fixed, "occurred_at")}
    fields = {f"{form.command.__name__}.{info.name}" for form in FORMS for info in msgspec.structs.fields(form.command)}
    assert fields - asked == NOT_ASKED


def test_no_two_options_of_a_form_are_alike() -> None:
    for command in _leaves(main):
        options = [name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)]
        assert len(options) == len(set(options)), command.name


def test_every_command_and_every_option_says_what_it_is_for() -> None:
    for command in _leaves(main):
        assert command.help, command.name
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name not in ("help", "version"):
                assert parameter.help, f"{command.name} {parameter.opts}"


def test_help_is_printed_without_a_service() -> None:
    runner = CliRunner()
    for arguments in (["--help"], ["call", "--help"], ["breakup", "email", "--help"], ["rep", "set", "--help"]):
        result = runner.invoke(main, arguments, env={"THAW_DATABASE_URL": "nonsense"})
        assert result.exit_code == 0
        assert result.stdout.startswith("Usage: ")


def test_a_flag_that_must_be_answered_has_both_answers() -> None:
    result = CliRunner().invoke(main, ["qualify", "--help"])
    assert "--qualified / --not-qualified  The verdict.  [required]" in result.stdout


def _leaves(group: click.Group) -> list[click.Command]:
    found: list[click.Command] = []
    for command in group.commands.values():
        found += _leaves(command) if isinstance(command, click.Group) else [command]
    return found
