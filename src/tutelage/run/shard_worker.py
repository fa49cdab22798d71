"""A process that makes shards for another: `python -m tutelage.run.shard_worker`, spoken to through its pipes.

It is started afresh, not forked, so no thread of the run's lives on in it; and not through `multiprocessing`, which
would run the person's own script once more. What comes through the pipes is pickled by the run itself: nothing of it is
data that could hold code of others.
"""

from __future__ import annotations

import gc
import os
import pickle
import struct
import sys
from dataclasses import dataclass
from typing import IO, Any

from tutelage.data.load import PieceReader
from tutelage.data.locating import pieces
from tutelage.data.settings import SourceSettings
from tutelage.errors import UserError
from tutelage.run.shards import Shard, read_shard
from tutelage.tasks.contamination import EvaluationRows
from tutelage.tokens.cache_terms import Terms
from tutelage.tokens.encode import Encoder

_SIZE = struct.Struct("<Q")


@dataclass(frozen=True)
class Job:
    """What all shards of a source have in common. stretch: rows of each but the last.

    terms: None where they can't be told to another process.
    """

    source: SourceSettings
    stage: str
    terms: Terms | None
    stretch: int


@dataclass(frozen=True)
class Wanted:
    """One shard: that of so many stretches into a piece of which `limit` rows are read at most."""

    piece: int
    limit: int | None
    number: int


class ShardMaker:
    """Makes shards of a source, those of a piece in ascending order: it reads each piece once."""

    def __init__(self, job: Job, encoder: Encoder, evaluation: EvaluationRows | None = None) -> None:
        """encoder: one of the job's terms. evaluation: rows that none of the source's may hold."""
        self._job = job
        self._encoder = encoder
        self._evaluation = evaluation
        self._pieces = pieces(job.source)
        self._open: tuple[int, PieceReader] | None = None

    def make(self, wanted: Wanted) -> Shard:
        """The shard. Raises UserError where the file can't be read from the beginning."""
        if self._open is None or self._open[0] != wanted.piece:
            self.close()
            piece = self._pieces[wanted.piece]
            self._open = (wanted.piece, PieceReader(self._job.source, self._job.stage, piece, wanted.limit))
        reader = self._open[1]
        reader.skip(wanted.number * self._job.stretch - reader.rows)
        return read_shard(reader, self._job.stretch, self._encoder, self._evaluation)

    def close(self) -> None:
        """Closes the file."""
        if self._open is not None:
            self._open[1].close()
            self._open = None


def send(pipe: IO[bytes], value: object) -> None:
    """A value, its size before it."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(_SIZE.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next value. Raises EOFError where the other end is gone."""
    head = pipe.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    (size,) = _SIZE.unpack(head)
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)  # from the process that started this one, or from one that this one started


def main() -> None:
    """Makes what is asked for until nobody asks any more."""
    asked, told = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not get between the answers
    try:
        job: Job = receive(asked)
        if job.terms is None:
            return
        maker = ShardMaker(job, job.terms.encoder())
        gc.freeze()
        while True:
            wanted = receive(asked)
            try:
                answer: Shard | UserError = maker.make(wanted)
            except UserError as error:
                answer = UserError(str(error))
            send(told, answer)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return


if __name__ == "__main__":
    main()
