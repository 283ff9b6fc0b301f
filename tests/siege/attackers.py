"""The attackers: one process, one thread, at the lowest priority, so that what is measured is not their own CPU.

Every kind has a number of connections and a pace, and says which answers are right; any other is a wrong one. Status 0
is a connection that ended without an answer.
"""

import asyncio
import json
import os
import random
import resource
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache

from tests.siege.asking import SCANS, answered, asked, delivery, head
from tests.support.running import multipart

WHOLE = delivery("stalled")
PART = b'--b\r\nContent-Disposition: form-data; name="part%d"\r\n\r\nx\r\n'
QUOTES = b'--b\r\nContent-Disposition: form-data; name="p"; x=' + b'"\\' * 8_000 + b"\r\n\r\nx\r\n"
SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"

seen: dict[str, Counter[int]] = {}


@cache
def blank() -> bytes:
    """Return a TIFF of ten blank pages of 19,000 × 19,000 pixels, which share their 700 KB: 450 MB once it is read."""
    side, pages = 19_000, 10
    row = b"\x81\xff" * (side // 8 // 128) + bytes([257 - side // 8 % 128, 0xFF])  # PackBits (TIFF 6.0 section 9)
    pixels = row * side
    file = struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels
    for page in range(pages):
        tags = [(256, side), (257, side), (258, 1), (259, 32_773), (262, 1), (273, 8), (277, 1), (278, side)]
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in [*tags, (279, len(pixels))])
        after = len(file) + 2 + len(entries) + 4
        file += struct.pack("<H", len(tags) + 1) + entries + struct.pack("<I", after if page + 1 < pages else 0)
    return file


async def connected(port: int, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    return reader, writer


async def dripping(port: int, sent: bytes, pace: float | None) -> int:
    """Send the beginning, then a byte with each pace, or nothing; return the status of the answer."""
    reader, writer = await connected(port, sent)
    answer = asyncio.create_task(answered(reader))
    while not answer.done():
        await asyncio.wait([answer], timeout=pace)
        if pace and not answer.done():
            writer.write(b"x")
    writer.close()
    return answer.result().status


async def slow_head(port: int) -> int:
    return await dripping(port, b"POST /api/nextstep/delivery/referrals HTTP/1.1\r\nX: ", 0.5)


async def slow_body(port: int) -> int:
    return await dripping(port, WHOLE[:1_000], 1)


async def stalled_body(port: int) -> int:
    return await dripping(port, WHOLE[:-10], None)


async def cut_off(port: int) -> int:
    """Stop as a proxy does that has 500 bodies on their way: all end at the same moment."""
    begun = [await connected(port, WHOLE[:-10]) for _ in range(500)]
    await asyncio.sleep(2)  # until the service waits for all of them
    for _, writer in begun:
        writer.close()
    return 0


async def large_stalled_body(port: int) -> int:
    return await dripping(port, head(10**7) + PART[:-3] % 1 + bytes(300_000), None)


async def slow_reader(port: int) -> int:
    """Pipeline scrapes, and read nothing of them for half a minute."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, SCRAPE * 20)
        await asyncio.sleep(30)
    return 0


async def never_closing(port: int) -> int:
    """Be refused, and neither close nor send the rest."""
    reader, writer = await connected(port, head(10**6, token="wrong") + b"x")
    status = (await answered(reader)).status
    await asyncio.sleep(random.uniform(2, 8))  # so that all together come at a steady rate
    writer.close()
    return status


async def quotes(port: int) -> int:
    body = QUOTES * 300 + b"--b--\r\n"
    return (await asked(port, head(len(body)) + body)).status


async def parts(port: int) -> int:
    body = b"".join(PART % number for number in range(3_000)) + b"--b--\r\n"
    return (await asked(port, head(len(body)) + body)).status


async def refused(port: int) -> int:
    return (await asked(port, delivery(f"refused-{os.urandom(6).hex()}", mrn="wrong"))).status


async def duplicate(port: int) -> int:
    return (await asked(port, delivery("duplicate"))).status


async def scrape(port: int) -> int:
    return (await asked(port, SCRAPE)).status


async def convert(port: int) -> int:
    return (await asked(port, delivery(f"blank-{os.urandom(6).hex()}", blank(), SCANS))).status


async def no_part(port: int) -> int:
    return (await asked(port, multipart(path=SCANS))).status


# what each does, how many do it at once, seconds between two times, and the answers that are right
KINDS: dict[str, tuple[Callable[[int], Awaitable[int]], int, float, set[int]]] = {
    "slow heads": (slow_head, 200, 0, {408}),
    "slow bodies": (slow_body, 300, 0, {408}),
    "stalled bodies": (stalled_body, 2_000, 0, {408}),
    "stalled bodies of 300 KB": (large_stalled_body, 40, 0, {400, 408}),
    "proxies that restart": (cut_off, 1, 3, {0}),
    "slow readers": (slow_reader, 60, 0, {0}),
    "never closing": (never_closing, 50, 0, {401}),
    "quote bombs": (quotes, 1, 5, {400, 413, 431}),
    "part bombs": (parts, 1, 2, {413}),
    "refusals": (refused, 2, 0.5, {422}),
    "duplicates": (duplicate, 2, 0.5, {200, 503}),
    "bodies without a part": (no_part, 1, 0.5, {400, 422}),
    "scrapers": (scrape, 2, 1, {200}),
    "conversions": (convert, 2, 0, {200, 503}),
}


async def again(name: str, port: int, until: float) -> None:
    """Do the same again and again."""
    act, _, pause, _ = KINDS[name]
    while time.monotonic() < until:
        try:
            seen[name][await act(port)] += 1
        except OSError:
            seen[name][0] += 1
        await asyncio.sleep(pause)


async def siege(port: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    tasks = []
    for name, (_, count, _, _) in KINDS.items():
        seen[name] = Counter[int]()
        for _ in range(count):
            tasks.append(asyncio.create_task(again(name, port, until)))
            await asyncio.sleep(0.001)  # 1,000 new connections a second
    await asyncio.sleep(until - time.monotonic())
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError, OSError):
            await task


if __name__ == "__main__":
    os.nice(19)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8_192, hard), hard))
    KINDS = {name: KINDS[name] for name in sys.argv[3:]}
    if "conversions" in KINDS:
        blank()
    print("ready", flush=True)  # all that takes long to make is made
    asyncio.run(siege(int(sys.argv[1]), float(sys.argv[2])))
    wrong = {name: {status for status in seen[name] if status not in KINDS[name][3]} for name in seen}
    told = {name: [sum(counts.values()), sorted(wrong[name])] for name, counts in seen.items()}
    json.dump({"kinds": told, "cpu": time.process_time()}, sys.stdout)
