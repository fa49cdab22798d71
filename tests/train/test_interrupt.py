"""`tutelage.train.interrupt`: the first Ctrl-C or SIGTERM is noted, the second ends, and all is as before after it."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from tutelage.train.interrupt import Interrupt, listening

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def send(number: int) -> None:
    signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_is_noted_and_the_second_ends(number: int) -> None:
    before = [signal.getsignal(one) for one in SIGNALS]
    with listening() as interrupt:
        assert not interrupt.heard
        send(number)
        assert interrupt.heard
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGTERM if number == signal.SIGINT else signal.SIGINT)  # whichever of the two it is
    assert [signal.getsignal(one) for one in SIGNALS] == before


def test_from_another_process_too() -> None:
    with listening() as interrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):  # a signal is delivered between two instructions
            if interrupt.heard:
                break
        assert interrupt.heard


def test_handlers_come_back() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with listening() as interrupt:
            send(signal.SIGTERM)
        assert interrupt.heard
        assert heard == []
        send(signal.SIGTERM)
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_handlers_come_back_after_a_fault() -> None:
    before = [signal.getsignal(one) for one in SIGNALS]
    with pytest.raises(ZeroDivisionError), listening():
        raise ZeroDivisionError
    assert [signal.getsignal(one) for one in SIGNALS] == before


def test_a_handler_set_outside_python_does_not_break_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """`signal.signal` answers None for one that Python did not install, and does not take None back."""
    real = signal.signal
    given = {}

    def foreign(number: int, handler: object) -> object:
        given[number] = handler
        assert handler is not None
        return None

    monkeypatch.setattr(signal, "signal", foreign)
    with listening():
        pass
    assert signal.signal is not real
    assert given == dict.fromkeys(SIGNALS, signal.SIG_DFL)


def test_outside_the_main_thread_nothing_is_listened_to() -> None:
    before = [signal.getsignal(one) for one in SIGNALS]
    found: list[object] = []

    def run() -> None:
        with listening() as interrupt:
            found.extend([interrupt.heard, [signal.getsignal(one) for one in SIGNALS] == before])

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [False, True]


def test_an_interrupt_by_itself() -> None:
    interrupt = Interrupt()
    interrupt(signal.SIGINT, None)
    assert interrupt.heard
    with pytest.raises(KeyboardInterrupt):
        interrupt(signal.SIGINT, None)
