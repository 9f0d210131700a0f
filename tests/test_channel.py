"""The channel between two threads: order, bound, end, errors both ways, and Ctrl-C meanwhile."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable

import pytest

from livekm.channel import Channel, Work

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def give(channel: Channel[int], n: int, error: BaseException | None = None) -> Work:
    def run() -> None:
        for number in range(n):
            if not channel.put(number):
                return
        channel.end(error)

    return Work(run, "giver")


def test_items_come_in_order_and_all():
    channel: Channel[int] = Channel(2)
    giver = give(channel, 200)
    assert list(channel) == list(range(200))
    assert channel.is_over
    assert channel.take() is None
    assert giver.wait()


def test_no_more_wait_than_there_is_room_for():
    channel: Channel[int] = Channel(3)
    giver = give(channel, 10)
    assert not giver.wait(0.2)
    assert channel.take() == 0
    channel.give_up()
    giver.wait()
    assert channel.n_dropped == 0


def test_an_offer_does_not_wait_and_what_has_no_room_is_counted():
    channel: Channel[int] = Channel(2)
    assert [channel.offer(number) for number in range(4)] == [True, True, False, False]
    channel.end()
    assert list(channel) == [0, 1]
    assert channel.n_dropped == 2


def test_of_the_newest_only_the_last_stays_and_the_others_are_counted_when_it_is_taken():
    channel: Channel[int] = Channel(1, newest=True)
    for number in range(4):
        assert channel.put(number)
    assert channel.n_dropped == 0
    assert channel.take() == 3
    assert channel.n_dropped == 3
    channel.put(4)
    channel.put(5)
    channel.discard()
    assert channel.take(0) is None
    assert channel.n_dropped == 3
    assert not channel.is_over


def test_a_wait_for_an_item_has_an_end():
    channel: Channel[int] = Channel(1)
    before = time.monotonic()
    assert channel.take(0.12) is None
    assert 0.12 <= time.monotonic() - before < 0.5


def test_what_the_giver_ends_with_comes_after_the_last_item_and_again():
    channel: Channel[int] = Channel(2)
    error = ZeroDivisionError("bug")
    giver = give(channel, 3, error)
    assert [channel.take() for _ in range(3)] == [0, 1, 2]
    for _ in range(2):
        with pytest.raises(ZeroDivisionError) as caught:
            channel.take()
        assert caught.value is error
    giver.wait()


def test_what_the_taker_gives_up_with_reaches_the_giver_that_waits():
    channel: Channel[int] = Channel(1)
    channel.put(0)
    failing = Work(lambda: (time.sleep(0.1), channel.give_up(OSError("full"))), "taker")
    for _ in range(2):
        with pytest.raises(OSError, match="full"):
            channel.put(1)
    assert not channel.offer(2)
    failing.wait()


def test_who_has_given_up_takes_no_more():
    channel: Channel[int] = Channel(3)
    channel.put(0)
    channel.give_up()
    assert list(channel) == []
    assert not channel.put(1)
    assert channel.is_over


def test_the_first_error_is_the_one_that_is_told():
    channel: Channel[int] = Channel(1)
    channel.give_up(OSError("first"))
    channel.end(OSError("second"))
    assert str(channel.error) == "first"


@posix_only
@pytest.mark.parametrize("wait", ["put", "take"])
def test_ctrl_c_ends_a_wait(wait):
    channel: Channel[int] = Channel(1)
    if wait == "put":
        channel.put(0)
    waits: dict[str, Callable[[], object]] = {"put": lambda: channel.put(1), "take": channel.take}
    timer = threading.Timer(0.1, interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        waits[wait]()
    timer.join()
    channel.give_up()  # and it can be used as before


@posix_only
def test_ctrl_c_while_work_ends_is_raised_when_it_has_ended():
    done = []

    def interrupt_and_end() -> None:
        time.sleep(0.2)
        interrupt_main()
        time.sleep(0.2)
        done.append(1)

    work = Work(interrupt_and_end, "work")
    with pytest.raises(KeyboardInterrupt):
        work.wait()
    assert done == [1]


def interrupt_main() -> None:
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
