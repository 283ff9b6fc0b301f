"""`receiver schema`: prints the JSON Schema of process.toml."""

import click

from receiver.config import schema


@click.command()
def command() -> None:
    """Print the JSON Schema of process.toml, for editors.

    Save it beside the site and begin a process.toml with `#:schema ../../process.schema.json`: editors that
    know TOML then show every key with its meaning, its default and its choices.
    """
    click.echo(schema.text(), nl=False)
