"""`tutelage.train.ranks`: alone it does nothing; two processes agree on sums, also where one had nothing to do."""

from __future__ import annotations

import multiprocessing
import os
import socket
from multiprocessing.connection import Connection
from typing import Any

import pytest
import torch
from torch import nn

from tutelage.train.ranks import Ranks, joined

CPU = torch.device("cpu")


def test_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined() as ranks:
        assert ranks == Ranks(0, 1)
        assert ranks.first
        assert ranks.sum([1.5, 2], CPU) == [1.5, 2]
        model = nn.Linear(2, 2)
        ranks.sum_gradients(model.parameters())
        assert model.weight.grad is None
        ranks.wait()
    monkeypatch.setenv("WORLD_SIZE", "1")
    with joined() as ranks:
        assert ranks == Ranks()
    assert not torch.distributed.is_initialized()


def model_of() -> nn.Module:
    """Two data types, a frozen part, and a part that only one rank uses."""
    torch.manual_seed(0)
    model = nn.ModuleList([nn.Linear(3, 2), nn.Linear(2, 2).to(torch.bfloat16), nn.Linear(2, 2), nn.Linear(2, 2)])
    model[2].requires_grad_(False)
    return model


def worker(rank: int, port: int, answer: Connection) -> None:
    """What a rank does; it answers with plain lists."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    with joined() as ranks, joined() as again:
        found: dict[str, Any] = {"ranks": ranks, "again": again, "first": ranks.first}
        found["sum"] = ranks.sum([1.0 + rank, 2.0**-40 * rank, 1e9], CPU)
        found["of a generator"] = ranks.sum((float(value) for value in (rank, 1)), CPU)
        model = model_of()
        for number, parameter in enumerate(model.parameters()):
            if parameter.requires_grad and not (rank == 1 and number >= 6):
                parameter.grad = torch.full_like(parameter, 10.0**rank * (number + 1))
        ranks.sum_gradients(parameter for parameter in model.parameters() if parameter.requires_grad)
        grads = [parameter.grad for parameter in model.parameters()]
        found["gradients"] = [
            None if grad is None else (str(grad.dtype), tuple(grad.shape), sorted(set(grad.flatten().tolist())))
            for grad in grads
        ]
        for parameter in model.parameters():
            parameter.grad = None
        ranks.sum_gradients(
            parameter for parameter in model.parameters() if parameter.requires_grad
        )  # nobody had anything
        found["nothing"] = [None if p.grad is None else float(p.grad.abs().sum()) for p in model.parameters()]
        ranks.wait()
        answer.send(found)
    assert not torch.distributed.is_initialized()


def test_two_processes() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe(duplex=False) for _ in range(2)]
    started = [context.Process(target=worker, args=(rank, port, pipe[1])) for rank, pipe in enumerate(pipes)]
    for process in started:
        process.start()
    try:
        assert all(pipe[0].poll(90) for pipe in pipes)
        found = [pipe[0].recv() for pipe in pipes]
        for process in started:
            process.join(30)
        assert [process.exitcode for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
    assert [one["ranks"] for one in found] == [one["again"] for one in found] == [Ranks(0, 2), Ranks(1, 2)]
    assert [one["first"] for one in found] == [True, False]
    for one in found:
        assert one["sum"] == [3.0, 2.0**-40, 2e9]
        assert one["of a generator"] == [1.0, 2.0]
        assert one["gradients"] == [
            ("torch.float32", (2, 3), [11.0]),
            ("torch.float32", (2,), [22.0]),
            ("torch.bfloat16", (2, 2), [33.0]),
            ("torch.bfloat16", (2,), [44.0]),
            None,
            None,
            ("torch.float32", (2, 2), [7.0]),
            ("torch.float32", (2,), [8.0]),
        ]
        assert one["nothing"] == [0.0, 0.0, 0.0, 0.0, None, None, 0.0, 0.0]
