"""The service as the console sees it, reopened when what is in force changes."""

from threading import Lock

from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.delivery.context import Context, open_unrecovered, processes_in_force
from receiver.site import in_force


class Service:
    """One data folder, beside whoever serves it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = Lock()
        self._mark: tuple[int, int] | None = None
        self._context: Context | None = None

    @property
    def context(self) -> Context:
        """The context in force, without tokens.

        Raises Problem, also if the service has never started here.
        """
        with self._lock:
            mark = in_force.mark(self.settings.local)
            if self._context is None or mark != self._mark:
                self._context, self._mark = self._opened(), mark
            return self._context

    def _opened(self) -> Context:
        state = in_force.read(self.settings.local)
        if state is None:
            raise Problem(Code.STORAGE_FAILED, "The service has not started on this data folder yet.")
        return open_unrecovered(self.settings, processes_in_force(self.settings, state), create=False)
