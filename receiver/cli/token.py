"""`receiver token`: makes a bearer token."""

import hashlib
import secrets

import click

LENGTH = 32  # bytes: 256 bits, 43 characters; nobody guesses 128


@click.command()
@click.argument("new", type=click.Choice(["new"]), required=False)
def command(new: str | None) -> None:  # noqa: ARG001 (said or not, that is what it does)
    """Make a random bearer token, and the line that lets it in.

    The token goes to the platform; it is shown once and kept nowhere. The line goes under [auth] in process.toml,
    which holds only its SHA-256. While a token is rotated, both stand there. The token alone is on standard output,
    so that RECEIVER_TOKEN=$(receiver token) is it; the line is on standard error.
    """
    token = secrets.token_urlsafe(LENGTH)
    click.echo(token)
    click.echo(f'process.toml:  tokens = ["sha256:{hashlib.sha256(token.encode("ascii")).hexdigest()}"]', err=True)
