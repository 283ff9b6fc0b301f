"""Read by every Python that a test starts with this folder in its path: each logger tells all it can, to a file.

The service's own lines go where they always go; what libraries say, in Python's own words and with tracebacks, does not
belong between them.
"""

import logging
import os
from contextlib import suppress

with suppress(KeyError, OSError):  # a service without rights cannot write there
    everything = logging.FileHandler(os.environ["EVERYTHING_LOGGED"])
    everything.addFilter(lambda record: not record.name.startswith("receiver"))
    logging.basicConfig(level=logging.DEBUG, handlers=[everything])
    logging.getLogger("library").debug("every logger is heard")
    ours = logging.getLogger("receiver")
    ours.setLevel(logging.DEBUG)
    ours.setLevel = lambda level: None  # type: ignore[method-assign]  # the service would be content with less
