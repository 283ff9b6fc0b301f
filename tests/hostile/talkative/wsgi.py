"""The application as it is served, with every logger at its most talkative, and faults that a sourceId calls for.

What raises quotes values, as Python's own errors do. Nothing of them may be told.
"""

import errno
import logging
from typing import Any

from receiver.app import create_app
from receiver.core.delivery import Reading
from receiver.delivery import receive


def forced(reading: Reading) -> None:
    """Fail as asked."""
    values = str(reading.fields)
    if reading.source_id.startswith("forced-defect"):
        try:
            dict[str, str]()[values]
        except KeyError as error:
            raise ValueError(f"cannot work on {values}") from error
    if reading.source_id.startswith("forced-error"):
        raise OSError(errno.EIO, values, values)
    if reading.source_id.startswith("forced-full"):
        raise OSError(errno.ENOSPC, values, values)


def failing(process: Any, delivery: Any, reading: Reading, *others: Any, **named: Any) -> Any:
    """Render, unless a fault is called for."""
    forced(reading)
    return render(process, delivery, reading, *others, **named)


render, receive.render = receive.render, failing

everything = logging.StreamHandler()  # of all libraries, in Python's own words, tracebacks with them
everything.addFilter(lambda record: not record.name.startswith("receiver"))
logging.getLogger().addHandler(everything)
logging.getLogger().setLevel(logging.DEBUG)
logging.getLogger("library").debug("every logger is heard")

app = create_app()
logging.getLogger("receiver").setLevel(logging.DEBUG)
