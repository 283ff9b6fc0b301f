"""How gunicorn serves the console: stock workers, since only people come here, through a proxy."""

worker_class = "gthread"
workers = 1  # a page costs some milliseconds, and a drawn one the helper's time
threads = 8
worker_tmp_dir = "/dev/shm"  # noqa: S108 (heartbeats only)
logger_class = "receiver.server.gunicorn_log.Lines"
control_socket_disable = True
umask = 0o027
