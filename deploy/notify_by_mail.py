#!/usr/bin/env python3
"""Mails a notice of receiver: its JSON comes on standard input. Needs nothing but Python; no set-group-id sendmail.

In process.toml:

    [notify]
    command = ["/opt/receiver/bin/python", "/etc/receiver/notify_by_mail.py", "localhost", "fax@example.org",
               "on-call@example.org"]

with as many more recipients as you like. The first argument is the mail server, with ":port" if it is not 25.
"""

import json
import smtplib
import sys
from email.message import EmailMessage
from typing import Any

PATIENCE = 20  # seconds: receiver itself waits for thirty


def message(notice: dict[str, Any], sender: str, recipients: list[str]) -> EmailMessage:
    """Return the mail: what it is about in the subject, and every detail below."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ", ".join(recipients)
    mail["Subject"] = f"[receiver] {notice['process']}: {notice['fault']} {notice['event']}"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no answer by a machine is wanted
    details = [f"{name}: {value}" for name, value in notice.items() if name not in ("text", "counts") and value]
    counts = [f"{count} {name}" for name, count in notice["counts"].items()]
    mail.set_content("\n".join([notice["text"], "", *details, *counts, ""]))
    return mail


def main(server: str, sender: str, *recipients: str) -> None:
    """Read a notice and hand it to the mail server."""
    host, _, port = server.partition(":")
    with smtplib.SMTP(host, int(port or 25), timeout=PATIENCE) as connection:
        connection.send_message(message(json.load(sys.stdin), sender, list(recipients)))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
