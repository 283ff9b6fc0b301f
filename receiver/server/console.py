"""Gunicorn's configuration for the console: stock workers, behind a proxy."""

worker_class = "gthread"
workers = 1  # a page costs some milliseconds, and a drawn one the helper's time
threads = 8
worker_tmp_dir = "/dev/shm"  # noqa: S108 (heartbeats only)
logger_class = "receiver.server.gunicorn_log.Lines"
control_socket_disable = True
umask = 0o027
