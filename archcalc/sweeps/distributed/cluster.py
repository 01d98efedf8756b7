"""Connect to Dask: start or find a cluster, distribute work, and translate errors."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from multiprocessing import resource_tracker
from typing import Any

from archcalc import __version__
from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.sweeps.evaluation.stream import cores
from archcalc.units import printable

PATIENCE = 10.0  # seconds for a scheduler to answer
WAIT = 60.0  # seconds to wait for a first worker, or for another one when all are gone
CHECK = 5.0  # seconds between two counts of the threads
GLANCE = 0.02  # seconds between two checks of finished pieces
INSTALL = "pip install 'archcalc[dask]' here and on every machine"
QUIET = {"logging": {"distributed": "critical"}}


class Cluster:
    """A cluster with its client; `threads` are those of all its workers."""

    def __init__(self, client: Any, address: str) -> None:
        self.client, self.address = client, address or "the cluster"
        self.threads = self._count()

    def _count(self) -> int:
        self.looked = time.monotonic()
        return sum(self.client.nthreads().values())

    def spread(self, work: Callable[..., Any], job: Any, pieces: Iterator[Any]) -> Iterator[Any]:
        """Yield the result of `work(job, piece)` for each piece as it finishes; queue two per thread.

        Raises:
            ArchError: the work raised it, or the cluster is lost.
        """
        running = import_module("distributed").as_completed(
            loop=self.client.loop, with_results=True, raise_errors=False
        )
        last = time.monotonic()
        piece = next(pieces, None)
        while piece is not None or not running.is_empty():
            while piece is not None and running.count() <= 2 * self.threads:
                running.add(self.client.submit(work, job, piece, pure=False))
                piece = next(pieces, None)
            batch = running.next_batch(block=False)
            for _, result in batch:
                # an exception if it was canceled, or with its type and traceback if it was raised
                error = result[1] if type(result) is tuple else result
                if isinstance(error, BaseException):
                    raise self._failed(error)
                yield result
            if batch:
                last = time.monotonic()
            else:
                time.sleep(GLANCE)
            self._look(last)

    def _look(self, last: float) -> None:
        """Update the threads after workers came or went."""
        now = time.monotonic()
        if now - self.looked < CHECK:
            return
        self.threads = self._count()
        if not self.threads and now - last > WAIT:
            raise ArchError(Diagnostic(f"no workers are left at {printable(self.address)}"))

    def _failed(self, error: BaseException) -> ArchError:
        if isinstance(error, ArchError):
            return error
        if type(error).__name__ == "KilledWorker":
            help = "as when their memory runs out: the workers' logs tell"
            return ArchError(Diagnostic("workers die over and over at the same points", help=help))
        if type(error).__name__ in ("CancelledError", "FutureCancelledError"):
            return lost(self.address)
        reason = printable(f"{type(error).__name__}: {error}"[:200])
        return ArchError(Diagnostic(f"a worker failed: {reason}"))


def lost(address: str) -> ArchError:
    """Return the error for a scheduler that died or is out of reach."""
    help = "what was written is whole; with -o DIR, --resume goes on"
    return ArchError(Diagnostic(f"lost the scheduler at {printable(address)}", help=help))


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Yield the cluster at an address; '' starts one with a process per core, and stops it at the end.

    Raises:
        ArchError: no cluster, no worker, or another version of archcalc.
    """
    try:
        distributed, config = import_module("distributed"), import_module("dask.config")
    except ImportError:
        raise UsageError(Diagnostic("--dask needs Dask", help=INSTALL)) from None
    with ExitStack() as stack:
        stack.enter_context(_silence())
        stack.enter_context(config.set(QUIET))
        client = _client(distributed, stack, address)
        try:
            _check(client, address)
            yield Cluster(client, address)
        except OSError as error:  # also a connection that breaks
            if isinstance(error, ArchError):
                raise
            raise lost(address) from None


def _client(distributed: Any, stack: ExitStack, address: str) -> Any:
    try:
        if address:
            asyncio.run(_knock(distributed, address))
        where = address or _own_cluster(distributed, stack)
        client = distributed.Client(where, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError, ImportError, RuntimeError) as error:
        help = "as in --dask tcp://host:8786; --dask alone starts a cluster here"
        reason = printable(str(error).splitlines()[0][:200] if str(error) else type(error).__name__)
        what = f"no cluster answers at {printable(address)}" if address else "no cluster can be started"
        raise ArchError(Diagnostic(f"{what}: {reason}", help=help)) from None
    return stack.enter_context(client)


def _own_cluster(distributed: Any, stack: ExitStack) -> Any:
    """Start processes that ignore Ctrl-C, which a terminal sends to all: only this one handles it."""
    with _deaf():
        cluster = distributed.LocalCluster(
            n_workers=cores(),
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.CRITICAL,
        )
        return stack.enter_context(cluster)


@contextmanager
def _deaf() -> Iterator[None]:
    """Keep the signal of Ctrl-C from threads and processes that start here, and from theirs."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # whose start would undo it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


async def _knock(distributed: Any, address: str) -> None:
    """Fail at once where a client would fail, slowly and leaving threads behind."""
    settings = distributed.Security().get_connection_args("client")
    comm = await import_module("distributed.comm").connect(address, timeout=PATIENCE, **settings)
    await comm.close()


def _check(client: Any, address: str) -> None:
    """Refuse a cluster without workers, or with another archcalc anywhere."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        help = f"start some: dask worker {printable(address)}"
        raise ArchError(Diagnostic(f"no workers at {printable(address)}", help=help)) from None
    found = client.get_versions(packages=["archcalc"])
    for name, told in [("the scheduler", found["scheduler"]), *found["workers"].items()]:
        version = told["packages"].get("archcalc")
        if version != __version__:
            has = f"has archcalc {printable(str(version))}" if version else "has no archcalc"
            who = name if name == "the scheduler" else f"worker {printable(name)}"
            help = f"this is {__version__}; install the same on every machine"
            raise ArchError(Diagnostic(f"{who} {has}", help=help))


@contextmanager
def _silence() -> Iterator[None]:
    """Silence Dask's logs over the progress: what matters is raised as an error."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
