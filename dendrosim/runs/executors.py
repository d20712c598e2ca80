"""Where jobs run: in this process, in processes of this machine, on a Dask cluster, or on any other executor."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, TypeVar

from ..errors import MissingDependencyError, WorkersError, how_to_get
from ..kernels.parallel import available

_T = TypeVar("_T")

MOST_DEATHS = 3
"""Workers that may die over a job before it is given up."""
_MOMENT = 5.0
"""Seconds that interrupted workers have."""
_STOP: list[Any] = []
_BLAS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Workers(Executor):
    """A standard executor that also knows how many jobs it takes at once, its machines, and how workers are lost."""

    threads: int | None = None
    """Of each job; None for what its settings say, or all processors."""

    @property
    @abstractmethod
    def window(self) -> int:
        """Jobs that should be submitted at any time, so that no worker waits."""

    def once_per_machine(self, function: Callable[..., _T], *args: Any) -> list[_T]:
        """Call a function on every machine, in one of its processes; here: on the only one."""
        return [self.submit(function, *args).result()]

    def deaths(self, error: BaseException) -> int | None:
        """How many workers died over a job that ended with this error; None if it says nothing about workers."""
        if isinstance(error, CancelledError):
            return 0
        return 1 if isinstance(error, BrokenExecutor) else None

    def check(self) -> None:
        """See that there are workers still, or will be.

        Raises
        ------
        WorkersError
            If not.
        """


class Here(Workers):
    """This process and thread: a job is done when it was submitted."""

    window = 1

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Given(Workers):
    """Any other executor.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    """

    threads = 1

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    @property
    def window(self) -> int:
        # how many workers it has is nowhere said; what is too much waits inside it
        return max(16, 2 * available())

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        try:
            return self.executor.submit(fn, *args, **kwargs)
        except (BrokenExecutor, RuntimeError) as error:
            raise WorkersError(f"the executor takes no more jobs ({error}); go on with a new one") from error


class Processes(Workers):
    """Fresh processes of this machine, each a pool of its own: one that dies takes its job along, and no other.

    Parameters
    ----------
    workers : int
    threads : int, default 1
        Of each.
    """

    def __init__(self, workers: int, threads: int = 1) -> None:
        self.workers, self.threads = workers, threads
        self._context = multiprocessing.get_context("spawn")
        self._stop = self._context.Event()
        self._callers = ThreadPoolExecutor(workers, thread_name_prefix="dendrosim worker")
        self._own = threading.local()
        self._pools: set[ProcessPoolExecutor] = set()
        self._others = multiprocessing.active_children()

    @property
    def window(self) -> int:
        return self.workers + 1

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        return self._callers.submit(self._elsewhere, fn, args, kwargs)

    def _elsewhere(self, fn: Callable[..., _T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> _T:
        """Call a function in the process of this thread."""
        pool = getattr(self._own, "pool", None)
        if pool is None:
            pool = ProcessPoolExecutor(1, mp_context=self._context, initializer=_begin, initargs=(self._stop,))
            self._own.pool = pool
            self._pools.add(pool)
        try:
            return pool.submit(_unless_stopped, fn, args, kwargs).result()
        except BrokenExecutor:
            self._own.pool = None
            self._pools.discard(pool)
            raise

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._callers.shutdown(wait=wait, cancel_futures=cancel_futures)
        for pool in list(self._pools):
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def interrupt(self) -> None:
        """Start nothing more; processes have a moment to write their checkpoints before they are ended."""
        self._stop.set()
        self.shutdown(wait=False, cancel_futures=True)
        patience = time.monotonic() + _MOMENT
        while time.monotonic() < patience and self._children():
            time.sleep(0.05)
        for child in self._children():
            child.terminate()

    def _children(self) -> list[Any]:
        """Processes that came after this."""
        return [child for child in multiprocessing.active_children() if child not in self._others]


class OnDask(Workers):
    """The workers of a Dask scheduler.

    Parameters
    ----------
    client : distributed.Client
    threads : int, default 1
        Of each job.
    """

    def __init__(self, client: Any, threads: int = 1) -> None:
        self.client, self.threads = client, threads
        self.address = str(client.scheduler.address)
        self._executor = client.get_executor(pure=False)
        self._looked, self._window = -_MOMENT, 1

    @property
    def window(self) -> int:
        if time.monotonic() - self._looked > _MOMENT:  # workers come and go
            self._window = 2 + 2 * sum(self._workers().values())
            self._looked = time.monotonic()
        return self._window

    def _workers(self) -> dict[str, int]:
        """Threads by address."""
        try:
            return dict(self.client.nthreads())
        except Exception as error:  # whatever it is, it is the connection
            self.check()
            raise self._gone() from error

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        self.check()
        future: Future[_T] = self._executor.submit(fn, *args, **kwargs)
        return future

    def once_per_machine(self, function: Callable[..., _T], *args: Any) -> list[_T]:
        """The first machine alone, then all others: where they share a cache of kernels, it is filled only once."""
        from distributed import wait as wait_for
        from distributed.comm import get_address_host

        while not self._workers():
            time.sleep(0.1)
        machines: dict[str, str] = {}
        for address in self._workers():
            machines.setdefault(get_address_host(address), address)
        found: list[_T] = []
        addresses = list(machines.values())
        for some in (addresses[:1], addresses[1:]):
            futures = [
                self.client.submit(function, *args, workers=[one], allow_other_workers=True, pure=False) for one in some
            ]
            while futures and not self._all_done(futures, wait_for):
                self.check()
            for future in futures:
                found.append(future.result())
        return found

    def _all_done(self, futures: Sequence[Any], wait_for: Callable[..., Any]) -> bool:
        try:
            wait_for(futures, timeout=_MOMENT)
        except TimeoutError:
            return False
        return True

    def deaths(self, error: BaseException) -> int | None:
        from distributed import KilledWorker

        # comes after a number of deaths that the scheduler's own settings say
        return MOST_DEATHS if isinstance(error, KilledWorker) else super().deaths(error)

    def check(self) -> None:
        patience = time.monotonic() + 2 * _MOMENT
        while self.client.status == "connecting" and time.monotonic() < patience:
            time.sleep(0.05)
        if self.client.status != "running":
            raise self._gone()

    def _gone(self) -> WorkersError:
        return WorkersError(
            f"the Dask scheduler at {self.address} went away; what is finished is kept. Start it and its workers "
            "again, and go on with --resume"
        )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and self.client.status == "running" and not cancel_futures)


@contextmanager
def processes(workers: int, threads: int = 1) -> Iterator[Processes]:
    """Fresh processes of this machine, whose matrix products too take so many threads each.

    When something goes wrong here, or Ctrl-C is pressed, they start nothing more, and have a moment to write their
    checkpoints before they are ended. When this process is killed they end as well, likewise.

    Parameters
    ----------
    workers : int
    threads : int, default 1
        Of each.
    """
    before = {name: os.environ.get(name) for name in _BLAS}
    os.environ.update(dict.fromkeys(_BLAS, str(threads)))
    pool = Processes(workers, threads)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        pool.interrupt()
        raise
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def dask(address: str, threads: int = 1) -> Iterator[OnDask]:
    """The workers of a Dask scheduler.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``"tcp://10.0.0.1:8786"``; or the path of the file that ``dask scheduler
        --scheduler-file`` writes.
    threads : int, default 1
        Of each job.

    Raises
    ------
    MissingDependencyError
        If Dask distributed is not installed.
    WorkersError
        If there is no scheduler.
    """
    try:
        from distributed import Client
    except ImportError:
        raise MissingDependencyError(
            f"a cluster needs Dask distributed, which is not installed: {how_to_get('cluster')}"
        ) from None
    try:
        client = Client(scheduler_file=address) if os.path.isfile(address) else Client(address)
    except (OSError, ValueError) as error:
        raise WorkersError(
            f"there is no Dask scheduler at {address} ({error}); start one with `dask scheduler`, and workers with "
            f"`dask worker {address} --nthreads 1`"
        ) from error
    with client:
        yield OnDask(client, threads)


def workers_of(executor: Executor) -> Workers:
    """An executor as one that knows about its workers."""
    return executor if isinstance(executor, Workers) else Given(executor)


def _begin(stop: Any) -> None:
    """In a new worker: remember what says that nothing more is to be started, and watch who started it."""
    _STOP.append(stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A process that is killed does not end its children: they notice, write a checkpoint, and end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        signal.raise_signal(signal.SIGTERM)
        time.sleep(_MOMENT)
        os._exit(1)


def _unless_stopped(fn: Callable[..., _T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> _T:
    """A call in a worker."""
    if any(stop.is_set() for stop in _STOP):
        raise KeyboardInterrupt
    return fn(*args, **kwargs)
