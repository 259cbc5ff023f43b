"""The command line. ``thaw --help`` lists what there is."""

import click

from service.cli import (
    accountability,
    as_of,
    bundle,
    campaign,
    check,
    cold,
    cut_bait,
    dead,
    erase,
    event,
    explain,
    history,
    homework,
    inbound,
    keys,
    law,
    limits,
    look,
    mail,
    operations,
    ops,
    pause,
    people,
    photo,
    playbook,
    playbook_migrate,
    promises,
    rederive,
    replay,
    reps,
    roles,
    run,
    sheet,
    simulate,
    suppressions,
    verify,
    what_if,
    why,
    wording,
)
from service.cli.app import App
from service.cli.demo import demo
from service.cli.imports import import_
from service.cli.sections import SectionedGroup


@click.group(cls=SectionedGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="thaw")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Bring cold leads back to life."""
    ctx.obj = App()


for module in (
    run,
    roles,
    people,
    photo,
    check,
    history,
    homework,
    mail,
    inbound,
    reps,
    limits,
    look,
    replay,
    as_of,
    why,
    explain,
    cut_bait,
    rederive,
    what_if,
    sheet,
    accountability,
    promises,
    ops,
    pause,
    operations,
    dead,
    keys,
    verify,
    playbook,
    wording,
    bundle,
    erase,
    suppressions,
    event,
    campaign,
    cold,
    law,
):
    for command in module.COMMANDS:
        main.add_command(command)
playbook.playbook.add_command(simulate.simulate)
playbook.playbook.add_command(playbook_migrate.migrate)
for command in (demo, import_):
    main.add_command(command)
