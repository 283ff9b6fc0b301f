"""`receiver notify`: tries whether those who get notices can be reached."""

from datetime import UTC, datetime

import click

from receiver.authoring.cases.cases import processes
from receiver.core.settings import Settings
from receiver.operations.notify import alerts, sending
from receiver.operations.notify.conditions import Symptom
from receiver.operations.notify.notices import Condition, Event


@click.command()
@click.argument("name", metavar="PROCESS")
@click.option("--dry-run", is_flag=True, help="Send nothing: show what would be sent.")
def command(name: str, dry_run: bool) -> None:
    """Send a test notice as PROCESS names it under [notify]; tell if it arrived.

    It is sent once, from here, with the environment of this terminal; nothing is noted. Ends with 1 if it does
    not arrive.
    """
    process = processes(Settings.from_environment(), [name])[name]
    config = process.config.notify
    if not config.wanted:
        raise click.UsageError(f"{name} tells nobody: name a command or a webhook under [notify] in its process.toml")
    now = datetime.now(UTC)
    symptom = Symptom("whoever reads this would be told of faults")
    notice = alerts.notice(Event.TEST, process, Condition.TEST, now, now, symptom)
    click.echo(notice.json().decode().rstrip())
    if dry_run:
        return
    try:
        sending.once(config, notice)
    except sending.NotSentError as error:
        raise click.ClickException(str(error)) from None
    click.secho("sent", fg="green")
