"""`receiver settings`: shows every setting with its value and its meaning."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence

import click

from receiver.core.settings import Setting, Settings, describe, unknown_variables

HEADING = Setting("VARIABLE", "VALUE", "DEFAULT", "MEANING")
MIN_MEANING = 30  # characters: on a narrow terminal the lines get longer rather than the words stacked


@click.command()
def command() -> None:
    """Show every setting, its value and its meaning.

    Settings are environment variables. Ends with 2 and one line for each value that cannot be used.
    """
    for line in _table([HEADING, *describe()]):
        click.echo(line)
    settings = Settings.from_environment()
    if not unknown_variables():
        return
    from receiver.site.config.site import unread_variables  # loads much, for a question that seldom comes up

    for warning in unread_variables(settings.site):
        click.echo(f"warning: {warning}", err=True)


def _table(settings: Sequence[Setting]) -> Iterator[str]:
    variable, value, default = (max(len(setting[column]) for setting in settings) for column in range(3))
    indent = variable + value + default + 6
    width = max(shutil.get_terminal_size().columns - indent, MIN_MEANING)
    for setting in settings:
        first, *others = textwrap.wrap(setting.doc, width)
        yield f"{setting.variable:{variable}}  {setting.value:{value}}  {setting.default:{default}}  {first}"
        yield from (f"{'':{indent}}{other}" for other in others)
