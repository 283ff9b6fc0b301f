"""`receiver schema`: prints the schema of process.toml, or the OpenAPI document."""

import click

from receiver.site.config import schema


@click.command()
@click.option("--openapi", is_flag=True, help="Print the OpenAPI document of the delivery API instead.")
def command(openapi: bool) -> None:
    """Print the JSON Schema of process.toml, for editors.

    Save it beside the site and begin a process.toml with `#:schema ../../process.schema.json`: editors that
    know TOML then show every key with its meaning, its default and its choices.
    """
    click.echo(_openapi() if openapi else schema.text(), nl=False)


def _openapi() -> str:
    from receiver.web import openapi

    return openapi.text()
