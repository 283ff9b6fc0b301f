"""Gunicorn's own lines in our form; its tracebacks would quote data."""

import logging
from typing import Any

from gunicorn.glogging import Logger

from receiver import log
from receiver.core.settings import Settings, SettingsError
from receiver.log import lines


class Lines(Logger):  # type: ignore[misc]  # gunicorn has no types
    """What `logger_class` names."""

    def setup(self, cfg: Any) -> None:
        """Arrange what gunicorn writes to standard error."""
        super().setup(cfg)
        form = lines.formatter(_form())
        for handler in self.error_log.handlers:
            if isinstance(handler, logging.StreamHandler | log.Standard):
                handler.setFormatter(form)

    def _set_handler(self, logger: logging.Logger, output: str | None, fmt: Any, stream: Any = None) -> None:
        """Let no line to standard error or output wait for its reader."""
        super()._set_handler(logger, None if output == "-" else output, fmt, stream)
        if output == "-":
            handler = log.Standard(stream.fileno()) if stream else log.standard
            handler.setFormatter(fmt)
            handler._gunicorn = True  # type: ignore[attr-defined]  # how gunicorn knows what it may remove again
            logger.addHandler(handler)


def _form() -> str:
    """Return the configured form; with wrong settings, `on_starting` reports them."""
    try:
        return Settings.from_environment().log
    except SettingsError:
        return "text"
