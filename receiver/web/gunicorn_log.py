"""gunicorn's own lines, in the form of ours: its tracebacks would quote what was being worked on."""

import logging
from typing import Any

from gunicorn.glogging import Logger

from receiver.log import lines
from receiver.settings import Settings, SettingsError


class Lines(Logger):  # type: ignore[misc]  # gunicorn has no types
    """What `logger_class` names."""

    def setup(self, cfg: Any) -> None:
        """Arrange what gunicorn writes to standard error."""
        super().setup(cfg)
        form = lines.formatter(_form())
        for handler in self.error_log.handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setFormatter(form)


def _form() -> str:
    """Return the form that is set; where the settings are wrong, `on_starting` is about to say so."""
    try:
        return Settings.from_environment().log
    except SettingsError:
        return "text"
