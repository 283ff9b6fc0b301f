"""What is now, and who looked at what."""

from dataclasses import asdict
from datetime import UTC, datetime

from flask import render_template, request

from receiver.operations import health
from receiver.web.console import showing
from receiver.web.console.pages import accounts, pages, service


@pages.get("/")
def now() -> str:
    """Show each process, its last hours, and what is not well."""
    context, moment = service().context, datetime.now(UTC)
    bars = showing.bars(context.ledger, context.processes, moment)
    processes = [asdict(each) | {"bars": bars[each.process]} for each in health.survey(context)]
    wrong = [check for check in health.checks(context, look_only=True) if not check.ready]
    return render_template("now.html", processes=processes, wrong=wrong)


@pages.get("/audit")
def audit() -> str:
    """Show who looked at what."""
    person, delivery = request.args.get("person", ""), request.args.get("delivery", "")
    looks = accounts().looks(person=person, delivery=delivery)
    return render_template("audit.html", looks=looks, person=person, delivery=delivery)
