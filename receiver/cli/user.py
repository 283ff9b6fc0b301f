"""`receiver user`: who may use the console."""

import sys

import click

from receiver.cli.terminal import show_table
from receiver.core.settings import Settings
from receiver.store import ledger
from receiver.store.accounts import Accounts, Role, User
from receiver.store.ledger import Ledger
from receiver.store.rows import Roots

SHORTEST = 12  # characters of a password: NIST SP 800-63B asks for 8, and names of patients are behind this one
ROLES = click.Choice([role.value for role in Role])


@click.group()
def command() -> None:
    """Add, list and remove the users of the console, and change their passwords."""


@command.command()
@click.argument("name")
@click.option("--role", type=ROLES, required=True, help="auditor: the trail; operator: values, too; owner: processes.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add(name: str, role: str, password_stdin: bool) -> None:
    """Add a user, or change role and password of one: their sessions end."""
    accounts = _accounts()
    accounts.put(User(name, Role(role), _hashed(password_stdin)))
    accounts.note("", "user", note=f"added {name} as {role}")
    click.echo(f"{name} is {role}")


@command.command("list")
def list_() -> None:
    """List the users and their roles."""
    show_table([(user.name, user.role.value) for user in _accounts().users()], ("NAME", "ROLE"))


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a user: their sessions end."""
    accounts = _accounts()
    if not accounts.remove(name):
        raise click.ClickException(f"there is no user {name}")
    accounts.note("", "user", note=f"removed {name}")


@command.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def password(name: str, password_stdin: bool) -> None:
    """Change a password: the user's sessions end."""
    accounts = _accounts()
    user = accounts.user(name)
    if user is None:
        raise click.ClickException(f"there is no user {name}")
    accounts.put(User(name, user.role, _hashed(password_stdin)))
    accounts.note("", "user", note=f"new password for {name}")


def _accounts() -> Accounts:
    settings = Settings.from_environment()
    ledger.create(settings.ledger, Roots.of(settings))
    return Accounts(Ledger(settings.ledger).connections)


def _hashed(from_input: bool) -> str:
    from receiver.web.console.access import hashed  # loads Flask, which listing users needs not

    if from_input:
        text = sys.stdin.readline().rstrip("\n")
    else:
        text = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(text) < SHORTEST:
        raise click.UsageError(f"the password needs at least {SHORTEST} characters")
    return hashed(text)
