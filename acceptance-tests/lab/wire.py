#!/usr/bin/env python3
"""A slow cable: two TAP interfaces, and every frame that enters one leaves the other later.

    wire.py NEAR FAR DELAY_MS [JITTER_MS [LOSS_PERCENT [MBIT_PER_SECOND]]]

In user space, because the kernels of small virtual machines come without netem. Both interfaces are made in the network
namespace it runs in; they may be moved afterwards. It ends when one of them is deleted.
"""
import fcntl
import heapq
import os
import random
import selectors
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
FRAME = 65536
BURST = 64  # frames taken from one interface before the other gets its turn


def tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


class Direction:
    """Frames from one interface to the other. They never overtake each other, whatever the jitter says."""

    def __init__(self, source, target, delay, jitter, loss, rate):
        self.source, self.target = source, target
        self.delay, self.jitter, self.loss, self.rate = delay, jitter, loss, rate
        self.line_free = self.last = 0.0

    def due(self, now, size):
        sent = now
        if self.rate:
            sent = self.line_free = max(now, self.line_free) + size / self.rate
        self.last = max(self.last, sent + self.delay + random.uniform(-self.jitter, self.jitter))
        return self.last

    def receive(self, queue):
        for _ in range(BURST):
            try:
                frame = os.read(self.source, FRAME)
            except BlockingIOError:
                return
            if random.random() >= self.loss:
                now = time.monotonic()
                heapq.heappush(queue, (self.due(now, len(frame)), now, self.target, frame))


def deliver(queue):
    """Sends what is due; gives the seconds until the next frame is, or None."""
    while queue:
        wait = queue[0][0] - time.monotonic()
        if wait > 0:
            return wait
        _, _, target, frame = heapq.heappop(queue)
        try:
            os.write(target, frame)
        except OSError:
            pass  # the interface is down, as with a pulled cable: the frame is lost
    return None


def main(near, far, delay, jitter="0", loss="0", mbit="0"):
    properties = float(delay) / 1e3, float(jitter) / 1e3, float(loss) / 100, float(mbit) * 1e6 / 8
    ends = tap(near), tap(far)
    queue, selector = [], selectors.DefaultSelector()
    for source, target in (ends, ends[::-1]):
        selector.register(source, selectors.EVENT_READ, Direction(source, target, *properties))
    while True:
        for ready, _ in selector.select(deliver(queue)):
            ready.data.receive(queue)


if __name__ == "__main__":
    if not 4 <= len(sys.argv) <= 7:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except OSError as error:
        sys.exit(f"the cable ended: {error}")
