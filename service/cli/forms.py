"""From a command of the machine to a command of the shell: a `Form` names the fields to ask for, and their types do the rest.

Each field becomes an option (or an argument) of the type that it has in `workflows.commands`. Every form also asks for the
lead, who it was, when it was, and the message id that makes a repeat harmless.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import NoneType
from typing import Any, NamedTuple, get_args
from uuid import uuid4

import click
import msgspec
from msgspec import inspect
from msgspec.structs import FieldInfo

from models.database import Connection
from service.cli.answers import hand_in
from service.cli.app import App, InputError
from service.cli.draft import Draft
from service.cli.photo import PHOTO, SENTENCE, sentences_of
from service.cli.typed import DAY, PAIR, SLUG, SOURCE, TEXT, TEXT_FILE, WHO
from workflows.commands import Command, Reference
from workflows.merging import STILL_TAKEN


class Ask(NamedTuple):
    """How a field is asked for."""

    help: str
    option: str = ""
    """Empty: the field's name."""
    default: str | None = None
    """For a field that the command itself has no default for."""
    argument: bool = False
    """Asked for behind the lead, without an option."""


@dataclass(frozen=True)
class Form:
    """One command of the shell."""

    name: str
    command: type[Command]
    help: str
    fields: Mapping[str, str | Ask] = field(default_factory=dict)
    """The fields to ask for, in the order of the help text."""
    fixed: Mapping[str, object] = field(default_factory=dict)
    """Fields that the name of the shell command says."""
    happened: str = "--at"
    """The option for when it happened."""

    def asks(self) -> Iterator[tuple[FieldInfo, Ask]]:
        """Yield the fields to ask for, each with its type."""
        known = {info.name: info for info in msgspec.structs.fields(self.command)}
        for name, ask in self.fields.items():
            yield known[name], ask if isinstance(ask, Ask) else Ask(ask)

    def option(self, name: str) -> str:
        """Return what is typed for the field called *name*."""
        if name == "occurred_at":
            return self.happened
        ask = self.fields.get(name)
        return ask.option if isinstance(ask, Ask) and ask.option else f"--{name.replace('_', '-')}"


def shell_command(form: Form) -> click.Command:
    """Return the command of the shell that *form* describes."""

    def run(app: App, /, **typed: Any) -> None:
        typed["message_id"] = typed["message_id"] or uuid4()
        hand_in(
            app,
            typed["message_id"],
            lambda connection: _filled(form, connection, app.service.now(), typed),
            wait=not typed["no_wait"],
            as_json=typed["as_json"],
        )

    parameters = [parameter for info, ask in form.asks() for parameter in _parameters(form, info, ask)]
    arguments = [parameter for parameter in parameters if isinstance(parameter, click.Argument)]
    options = [parameter for parameter in parameters if isinstance(parameter, click.Option)]
    return click.Command(
        form.name,
        callback=click.make_pass_decorator(App)(run),
        params=[click.Argument(["lead"]), *arguments, *options, *common_options(form.happened)],
        help=form.help,
        short_help=form.help.partition("\n")[0],
    )


def common_options(happened: str = "--at", who: str = "the lead's owner") -> list[click.Parameter]:
    """Return the options that all commands share with which people record something; *who* did it if nobody is named."""
    return [
        click.Option(
            [happened, "occurred"],
            metavar="WHEN",
            help="When it happened: 2026-03-09T14:30 or 2026-03-09 by the rep's clock, yesterday, today. Default: now.",
        ),
        click.Option(
            ["--as", "who"],
            type=WHO,
            metavar="WHO",
            help=f"Who did it: rep:NAME or manager:NAME. Default: {who}.",
        ),
        click.Option(
            ["--id", "message_id"],
            type=click.UUID,
            metavar="UUID",
            help="Id of this entry; the same again changes nothing more.",
        ),
        click.Option(["--no-wait"], is_flag=True, help="Hand it in, and do not wait for the answer."),
        click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object instead of text."),
    ]


def _parameters(form: Form, info: FieldInfo, ask: Ask) -> Iterator[click.Parameter]:
    wanted, optional = _without_none(info.type)
    required = info.required and not optional and ask.default is None
    kind = inspect.type_info(wanted)
    if ask.argument:
        yield click.Argument([info.name], type=_click_type(wanted, kind))
        return
    names = [form.option(info.name), info.name]
    match kind:
        case inspect.BoolType() if required:
            word = names[0].removeprefix("--")
            yield click.Option([f"{names[0]}/--not-{word}", info.name], required=True, help=ask.help)
        case inspect.BoolType():
            yield click.Option(names, is_flag=True, help=ask.help)
        case inspect.VarTupleType(item_type=inspect.StructType(cls=cls)) if cls is not Reference:
            yield click.Option(names, type=SOURCE, multiple=True, required=required, help=ask.help)
        case inspect.VarTupleType() | inspect.DictType():
            yield click.Option(names, type=_click_type(wanted, kind), multiple=True, help=ask.help)
        case _:
            # A text may come from a file instead, so that neither option is required by itself.
            in_file = wanted is Reference and info.name == "text"
            # click takes a default of None for a default, and then requires nothing.
            given: dict[str, Any] = {"default": ask.default, "show_default": True} if ask.default else {}
            type_ = PHOTO if info.name == "photo" else _click_type(wanted, kind)
            yield click.Option(names, type=type_, required=required and not in_file, help=ask.help, **given)
            if in_file:
                yield click.Option(["--text-file", "text_file"], type=TEXT_FILE, help="A file that holds that text.")
            if info.name == "photo":
                yield click.Option(["--sentence", "sentences"], type=TEXT, multiple=True, help=SENTENCE)
    if info.name == "attested":
        yield click.Option(["--attest-all"], is_flag=True, help="Vouch for all the checks that the playbook asks for.")


def _click_type(wanted: Any, kind: inspect.Type) -> click.ParamType[Any]:
    match kind:
        case inspect.LiteralType():
            return click.Choice(get_args(wanted))
        case inspect.IntType(ge=least, le=most):
            return click.IntRange(least, most)
        case inspect.DateType():
            return DAY
        case inspect.VarTupleType(item_type=item):
            return _click_type(get_args(wanted)[0], item)
        case inspect.DictType():
            return PAIR
        case inspect.StructType():
            return TEXT
        case inspect.StrType(pattern=pattern) if pattern and pattern.startswith("^[a-z0-9]"):
            return SLUG
    return click.STRING


def _without_none(wanted: Any) -> tuple[Any, bool]:
    arguments = get_args(wanted)
    if isinstance(inspect.type_info(wanted), inspect.UnionType) and Reference in arguments:
        # What a program says in a code word, a person says in words, and those are kept outside the log.
        return Reference, NoneType in arguments or msgspec.UnsetType in arguments
    absent = {NoneType, msgspec.UnsetType}
    if not absent.isdisjoint(arguments):
        (only,) = (argument for argument in arguments if argument not in absent)
        return only, True
    return wanted, False


def _filled(form: Form, connection: Connection, now: datetime, typed: Mapping[str, Any]) -> Any:
    merged_too = issubclass(form.command, STILL_TAKEN)
    return _fill(form, Draft.start(connection, now, typed, form.happened, merged_too=merged_too), typed)


def _fill(form: Form, draft: Draft, typed: Mapping[str, Any]) -> Any:
    values: dict[str, Any] = {"occurred_at": draft.occurred_at, **form.fixed}
    for info, _ in form.asks():
        value = _value(form, draft, info, typed)
        if value is not None:
            values[info.name] = value
    if "cited" in values:
        # The days by which the rules judge sources stand beside them, as before sources said where they stand.
        values["sources"] = tuple(source.published_on for source in values["cited"])
    try:
        command = msgspec.convert(values, form.command)
    except msgspec.ValidationError as error:
        raise InputError(_wrong_field(form, error)) from error
    return draft.submission(command)


def _value(form: Form, draft: Draft, info: FieldInfo, typed: Mapping[str, Any]) -> Any:
    wanted, _ = _without_none(info.type)
    given = typed[info.name]
    if info.name == "attested":
        return draft.attested(form.command, given, every=typed["attest_all"])
    if info.name == "owner":
        return draft.new_owner(given)
    if info.name == "into":
        return draft.into(given)
    if info.name == "text" and (sentences := sentences_of(typed)):
        return draft.keep("--sentence", info.name, sentences)
    if wanted is Reference:
        return draft.text(form.option(info.name), info.name, given, typed.get("text_file") if info.name == "text" else None)
    match inspect.type_info(wanted):
        case inspect.VarTupleType(item_type=inspect.StructType(cls=cls)) if cls is Reference:
            kept = (draft.text(form.option(info.name), f"{info.name}.{n}", text) for n, text in enumerate(given, start=1))
            return tuple(kept) or None
        case inspect.DictType():
            return draft.texts(form.option(info.name), info.name, given)
        case inspect.VarTupleType(item_type=inspect.StructType()):
            return draft.sources(form.option(info.name), info.name, given)
        case inspect.DateTimeType():
            return draft.moment(form.option(info.name), given)
    return given


def _wrong_field(form: Form, error: msgspec.ValidationError) -> str:
    """Say which option does not fit; the types of the options leave little to be found here."""
    said, _, path = str(error).partition(" - at `$.")
    name = path.rstrip("`").partition("[")[0]
    return f"{form.option(name)}: {said}" if name else f"{form.name}: {said}"
