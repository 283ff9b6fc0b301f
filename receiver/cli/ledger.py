"""`receiver ledger`: moves the ledger to another database."""

import click

from receiver.cli.terminal import show_table
from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.site import in_force
from receiver.store import ledger
from receiver.store.copying import copy
from receiver.store.rows import Roots


@click.group()
def command() -> None:
    """Move the ledger to another database."""


@command.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy_command(source: str, target: str) -> None:
    """Copy the ledger FROM one URL TO another.

    URLs are such as sqlite:var/ledger.db and postgresql://receiver@db/receiver.

    The service must be stopped, on all hosts. TO is created, and must be empty. Each table is read again on both sides
    and compared. Sessions of the console are not taken along. Then set RECEIVER_LEDGER to TO and start the service; the
    way back is the same.
    """
    settings = Settings.from_environment()
    with in_force.joining(settings.local) as first:
        if not first:
            raise Problem(Code.STORAGE_FAILED, "the service runs here: stop it first")
        roots = Roots.of(settings)
        ledger.create(target, roots)
        opened = ledger.Ledger(source, roots), ledger.Ledger(target, roots)
        try:
            copied = list(copy(*opened))
        finally:
            for each in opened:
                each.close()
    show_table([(each.table, str(each.rows), each.sha256[:12]) for each in copied], ("TABLE", "ROWS", "SHA-256"))
