"""Runs gunicorn's command line; the current folder hides no installed module."""

import sys

from gunicorn.app.wsgiapp import WSGIApplication


class Server(WSGIApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn with the current folder last: a clone called `receiver` would hide us."""

    def chdir(self) -> None:
        """Change to the configured folder, and search modules there last."""
        if self.cfg.chdir not in sys.path:
            sys.path.append(self.cfg.chdir)
        super().chdir()


if __name__ == "__main__":
    Server("%(prog)s [OPTIONS] [APP_MODULE]", prog="receiver serve").run()
