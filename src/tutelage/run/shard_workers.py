"""Processes that make shards side by side, and their shards in order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from queue import SimpleQueue
from typing import IO

from tutelage.errors import UserError
from tutelage.run.shard_worker import Job, Wanted, receive, send
from tutelage.run.shards import Shard

MOST = 8
# Shards that are made ahead of the one that is waited for, a worker.
AHEAD = 2


class WorkersLostError(Exception):
    """A worker ended, or never began: whoever waits goes on alone."""


def usual_workers() -> int:
    """As many as this process may use cores, at most 8."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST)


class ShardWorkers:
    """So many processes. Each gets the shards of a piece in ascending order, and whichever is free the next."""

    def __init__(self, job: Job, workers: int) -> None:
        """Starts them."""
        self._workers = workers
        self._threads = ThreadPoolExecutor(workers, "shards")
        self._processes = [_start() for _ in range(workers)]
        self._free: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._begun = [self._threads.submit(self._begin, process, job) for process in self._processes]

    def shards(self, piece: int, limit: int | None, first: int) -> Iterator[Shard]:
        """Those of a piece from the `first` on, in order, to the one that ends it.

        Raises:
            UserError: the file can't be read.
            WorkersLostError: a process is gone.
        """
        waiting: deque[Future[Shard | UserError]] = deque()
        numbers = count(first)
        try:
            while True:
                while len(waiting) < AHEAD * self._workers:
                    waiting.append(self._threads.submit(self._make, Wanted(piece, limit, next(numbers))))
                made = waiting.popleft().result()
                if isinstance(made, UserError):
                    raise made
                yield made
                if made.ended or made.error:
                    return
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """Ends them."""
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)

    def _begin(self, process: subprocess.Popen[bytes], job: Job) -> None:
        try:
            send(_pipe(process.stdin), job)
        except Exception as error:  # a tokenizer that can't be pickled, a process that is gone
            raise WorkersLostError(str(error)) from None
        self._free.put(process)

    def _make(self, wanted: Wanted) -> Shard | UserError:
        for begun in self._begun:
            begun.result()
        process = self._free.get()
        try:
            send(_pipe(process.stdin), wanted)
            made: Shard | UserError = receive(_pipe(process.stdout))
        except (OSError, EOFError, ValueError) as error:
            raise WorkersLostError(str(error)) from None
        finally:
            self._free.put(process)
        return made


def _start() -> subprocess.Popen[bytes]:
    alone = {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    environment = {**os.environ, **alone, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [
        sys.executable,
        "-P",
        "-m",
        "tutelage.run.shard_worker",
    ]  # -P: nothing is imported from the folder we are in
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise EOFError
    return pipe


def _close(pipe: IO[bytes]) -> None:
    with suppress(OSError):  # what it still held can't be written any more
        pipe.close()
