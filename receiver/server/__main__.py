"""Runs gunicorn with its own command line, so that the current folder hides no installed module."""

import sys

from gunicorn.app.wsgiapp import WSGIApplication


class Server(WSGIApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn puts the current folder first on the path; a clone called `receiver` there would be taken for us."""

    def chdir(self) -> None:
        """Change to the configured folder, and look for modules there last: gunicorn leaves it where it finds it."""
        if self.cfg.chdir not in sys.path:
            sys.path.append(self.cfg.chdir)
        super().chdir()


if __name__ == "__main__":
    Server("%(prog)s [OPTIONS] [APP_MODULE]", prog="receiver serve").run()
