"""Notices to people: when a process begins to have a fault, and when it recovers.

    alerts (every few seconds) ──▶ conditions: how does each process stand? ──▶ notices: what changed ──▶ sending

One worker of the host does this. Alerts that are open are a file, so that neither another worker nor a restart sends
their notices again. A notice that could not be sent is not recorded there, and is tried again. No field's value is in
any of it.
"""
