"""Gunicorn's configuration for a storm: hosts that are lost are given up sooner."""

from receiver.operations import retention
from receiver.server.configuration import *  # noqa: F403 (it is the configuration)
from receiver.store.postgres import hosts

hosts.SILENT, hosts.BEAT = 3.0, 0.3
retention.start.__defaults__ = (1.0,)
