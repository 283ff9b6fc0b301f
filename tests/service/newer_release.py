"""Gunicorn's configuration for a release newer than this one: another number, and tables that it has added to.

Gunicorn reads this file; a test that imported it would be of that release from then on.
"""

from receiver.server.configuration import *  # noqa: F403 (it is the configuration)
from receiver.store.postgres import hosts, schema

RELEASE = "99.1"

hosts.version = lambda _: RELEASE
schema.STEPS = (
    *schema.STEPS,
    "ALTER TABLE deliveries ADD COLUMN ward TEXT NOT NULL DEFAULT ''; CREATE INDEX wards ON deliveries (ward)",
)
