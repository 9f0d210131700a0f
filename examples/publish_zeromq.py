"""Publish what livekm finds in each frame to ZeroMQ subscribers.

livekm --camera 0 --stats - | python publish_zeromq.py [tcp://*:5556]

A message has two parts: the topic ``livekm``, and a JSON list of the frame's segments. Who is slow
misses messages. Subscribe by ``socket.connect(...); socket.subscribe("livekm")``. Needs pyzmq.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any

import zmq


def frames(lines: Iterable[str]) -> Iterator[list[dict[str, Any]]]:
    """Yield the segments of each frame; the last one's when the next frame begins."""
    for _, rows in itertools.groupby(map(json.loads, lines), itemgetter("frame")):
        yield list(rows)


def main() -> None:
    """Publish until livekm ends."""
    address = sys.argv[1] if len(sys.argv) > 1 else "tcp://*:5556"
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        socket.linger = 1000  # milliseconds for what still waits at the end
        socket.bind(address)
        for segments in frames(sys.stdin):
            socket.send_multipart([b"livekm", json.dumps(segments).encode()])


if __name__ == "__main__":
    main()
