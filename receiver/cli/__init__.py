"""The command line.

One module per verb, each with a `command`; a verb is loaded only when it is called.
"""

import gc
import os
from importlib import import_module
from typing import Any

import click

from receiver.core.faults import ConfigurationError
from receiver.core.problems import Code, Problem
from receiver.core.settings import SettingsError, describe

SELDOM = 1_000_000  # objects made between two looks for garbage: a check of fifty processes makes fewer that stay
STORAGE = {Code.STORAGE_FAILED, Code.DISK_FULL}
FINDINGS = "receiver.findings"  # of click's `meta`: something was reported that makes a verb end with 1
MISUSE = 2  # how a verb ends that was called wrongly, or that meets a configuration it cannot use

# verb → its module in this folder, and what `receiver --help` says of it
VERBS = {
    "init": ("init", "Make an empty site."),
    "new": ("new", "Draft a process out of what the platform sends."),
    "check": ("check", "Prove the configuration: every fault in one run."),
    "try": ("try_", "Run one delivery offline and show what would become of it."),
    "test": ("test", "Run every sample case and compare it with what it must become."),
    "capture": ("capture", "Make a sample case of a delivery that was kept."),
    "serve": ("serve", "Serve deliveries, under gunicorn."),
    "console": ("console", "Serve the pages for people, beside the service."),
    "user": ("user", "Add, list and remove the users of the console."),
    "send": ("send", "Deliver files to a URL as the platform would, and show the answer."),
    "status": ("status", "Show how the service stands, and what waits."),
    "log": ("log", "Show what was received, the newest first."),
    "show": ("show", "Show everything that is known of one delivery."),
    "replay": ("replay", "Judge kept deliveries anew, by today's configuration."),
    "republish": ("republish", "Publish again what downstream has lost of a delivery."),
    "batch": ("batch", "List the batches, close one by hand, show what is in it."),
    "recover": ("recover", "Finish what a crash left behind."),
    "verify": ("verify", "Prove by digest that disk and ledger agree."),
    "reconcile": ("reconcile", "Compare the platform's list of documents with the ledger."),
    "backup": ("backup", "Copy the ledger while the service goes on."),
    "ledger": ("ledger", "Move the ledger to another database."),
    "prune": ("prune", "Remove what its process keeps no longer."),
    "notify": ("notify", "Send a test notice to whoever is told of faults."),
    "token": ("token", "Make a bearer token."),
    "settings": ("settings", "Show every setting, its value and its meaning."),
    "schema": ("schema", "Print the JSON Schema of process.toml, for editors."),
}


class Verbs(click.Group):
    """The verbs, in the order of the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        gc.set_threshold(SELDOM)
        command: click.Command = import_module(f"{__name__}.{VERBS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, summary) for verb, (_, summary) in VERBS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            super().invoke(ctx)
        except SystemExit as end:
            if end.code:
                raise
        except (SettingsError, ConfigurationError, Problem) as error:
            click.echo(str(error), err=True)
            if isinstance(error, Problem) and error.code in STORAGE:
                click.echo(f"looked at: {_places()}", err=True)
            ctx.exit(MISUSE)
        ctx.exit(1 if ctx.meta.get(FINDINGS) else 0)


def _places() -> str:
    """Report where the service's files are searched.

    Most often the verb has other settings than the service.
    """
    wanted = {f"RECEIVER_{name}" for name in ("DATA", "LEDGER", "OUTPUT")}
    return ", ".join(f"{each.variable}={each.value}" for each in describe() if each.variable in wanted)


@click.group(cls=Verbs, commands={verb: click.Command(verb) for verb in VERBS}, subcommand_metavar="VERB …")
@click.version_option(package_name="receiver", message="%(package)s %(version)s")
@click.option(
    "--env",
    "file",
    type=click.Path(exists=True, dir_okay=False, readable=True),
    help="Take settings and tokens from the service's own environment file, such as /etc/receiver/environment.",
)
def main(file: str | None) -> None:
    """Take in document deliveries and write the records that a next system imports.

    Every verb ends with 0 if all is fine, 1 with findings, 2 if it was called wrongly or the configuration
    cannot be used.
    """
    if file:
        from dotenv import dotenv_values  # loaded only where it is asked for, as verbs are

        values = dotenv_values(file, interpolate=False)  # systemd puts nothing in for `$` either
        os.environ.update({name: value for name, value in values.items() if value is not None})
