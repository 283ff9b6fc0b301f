"""Runs the console's jobs in one thread, one by one, so that pages stay fast."""

import threading

from receiver import log
from receiver.core.problems import Problem
from receiver.store.accounts import Accounts
from receiver.store.jobs import GOING, Item, Job, Jobs, State
from receiver.web.console import acting
from receiver.web.console.service import Service

CHANGED = "somebody was at it meanwhile"


class Runner:
    """What works on jobs.

    It may end at any moment: each delivery is as whole as after any crash, and noted.
    """

    def __init__(self, service: Service, jobs: Jobs, accounts: Accounts) -> None:
        self._service = service
        self._jobs = jobs
        self._accounts = accounts
        self._turn = threading.Lock()

    def start(self, id_: str) -> None:
        """Have a job done as far as its state asks."""
        threading.Thread(target=self._work, args=(id_,), name=f"job {id_}", daemon=True).start()

    def _work(self, id_: str) -> None:
        try:
            with self._turn:
                self._run(id_)
        except Exception as error:  # noqa: BLE001 (a thread has nobody above it; the page offers to go on)
            log.crashed(error)

    def _run(self, id_: str) -> None:
        job = self._jobs.find(id_)
        if job is None or job.state not in GOING:  # stopped, or done by another thread, while it waited for its turn
            return
        trying = job.state is State.TRYING
        for item in self._jobs.items(id_):
            if item.tried if trying else item.outcome:
                continue
            found = self._try(job, item) if trying else self._act(job, item)
            if not self._jobs.note(id_, item.delivery, "tried" if trying else "outcome", found):
                return  # it was stopped
        self._jobs.move(id_, [job.state], State.TRIED if trying else State.DONE)

    def _try(self, job: Job, item: Item) -> str:
        context = self._service.context
        try:
            entry = context.ledger.find(item.delivery)
            return acting.rehearse(context, entry, job.action) if entry else "it is not there any more"
        except Problem as problem:
            return f"failed: {problem.code}"

    def _act(self, job: Job, item: Item) -> str:
        context = self._service.context
        try:
            entry = context.ledger.find(item.delivery)
            if entry is None or entry.attempt_count != item.seen:
                return CHANGED
            found = acting.act(context, entry, job.action, job.person, job.reason)
            self._accounts.note(job.person, job.action, entry.id, f"{found}, job {job.id}")
        except Problem as problem:
            found = f"failed: {problem.code}"
        return found
