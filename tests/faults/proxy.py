"""A TCP proxy of a process of its own that cuts connections, also in the middle of one chosen request.

Usage: proxy.py postgres|kafka
Prints `port N`, then obeys lines on stdin: `target PORT` (where to connect to), `cut` (every connection, now),
`stall` and `resume` (nothing flows meanwhile), `arm before|after NUMBER` (the next request of that kind is cut before
the server gets it, or after the server has answered, whose answer is dropped), `disarm`. Prints `fired` when an armed
cut has happened. PostgreSQL has one kind of request, COMMIT, number 0; in Kafka the number is the API key. Ends with
its stdin.
"""
import asyncio
import struct
import sys

CHUNK_BYTES = 65536
COMMIT = 0


class PostgresRequests:
    """Splits what a client sends into messages; COMMIT is the one kind that is told apart."""

    def __init__(self):
        self.started = False

    def next_length(self, data):
        prefix = 1 if self.started else 0
        if len(data) < prefix + 4:
            return None
        return prefix + struct.unpack_from("!I", data, prefix)[0]

    def kind(self, message):
        if not self.started:
            # The start-up message is the last one without a type; those that ask for encryption come before it.
            self.started = struct.unpack_from("!I", message, 4)[0] >> 16 == 3
            return None
        return COMMIT if message[:1] == b"Q" and message[5:11].upper() == b"COMMIT" else None


class KafkaFrames:
    """Splits a stream of requests or answers into frames."""

    def next_length(self, data):
        return 4 + struct.unpack_from("!I", data)[0] if len(data) >= 4 else None

    def kind(self, message):
        return struct.unpack_from("!h", message, 4)[0]


def split(frames, data):
    """Takes whole messages off the front of `data`."""
    while True:
        length = frames.next_length(data)
        if length is None or len(data) < length:
            return
        yield bytes(data[:length])
        del data[:length]


class Link:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.awaited = None  # the answer to be dropped: a Kafka correlation id, or True for whatever comes next

    def cut(self):
        for _, writer in (self.client, self.server):
            writer.transport.abort()

    async def forward(self, writer, data):
        await self.proxy.flowing.wait()
        writer.write(data)
        await writer.drain()

    async def pump_requests(self):
        data, frames = bytearray(), self.proxy.new_requests()
        while chunk := await self.client[0].read(CHUNK_BYTES):
            data += chunk
            for message in split(frames, data):
                if not await self.request(message, frames.kind(message)):
                    return

    async def request(self, message, kind):
        cut = self.proxy.take_armed(kind)
        if cut == "before":
            self.proxy.fired(self)
            return False
        if cut == "after":
            self.awaited = self.proxy.answer_of(message)
        await self.forward(self.server[1], message)
        return True

    async def pump_answers(self):
        data, frames = bytearray(), KafkaFrames()
        while chunk := await self.server[0].read(CHUNK_BYTES):
            if self.proxy.protocol == "postgres":
                if self.awaited:
                    self.proxy.fired(self)
                    return
                await self.forward(self.client[1], chunk)
                continue
            data += chunk
            for message in split(frames, data):
                if message[4:8] == self.awaited:
                    self.proxy.fired(self)
                    return
                await self.forward(self.client[1], message)

    async def run(self):
        pumps = [asyncio.ensure_future(pump) for pump in (self.pump_requests(), self.pump_answers())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)  # whichever way it broke, it is over
            self.cut()


class Proxy:
    """All links, and what is to be done to them."""

    def __init__(self, protocol):
        self.protocol = protocol
        self.new_requests = PostgresRequests if protocol == "postgres" else KafkaFrames
        self.target = None
        self.links = set()
        self.armed = None  # (before|after, kind)
        self.flowing = asyncio.Event()
        self.flowing.set()

    def take_armed(self, kind):
        if self.armed is None or kind is None or self.armed[1] != kind:
            return None
        cut, self.armed = self.armed[0], None
        return cut

    def answer_of(self, message):
        return True if self.protocol == "postgres" else message[8:12]

    def fired(self, link):
        print("fired", flush=True)
        link.cut()

    async def accept(self, reader, writer):
        try:
            server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        link = Link(self, (reader, writer), server)
        self.links.add(link)
        try:
            await link.run()
        finally:
            self.links.discard(link)

    def obey(self, words):
        match words:
            case ["target", port]:
                self.target = int(port)
            case ["cut"]:
                for link in list(self.links):
                    link.cut()
            case ["stall"]:
                self.flowing.clear()
            case ["resume"]:
                self.flowing.set()
            case ["arm", ("before" | "after") as cut, kind]:
                self.armed = (cut, int(kind))
            case ["disarm"]:
                self.armed = None
            case _:
                raise ValueError(f"not a command: {words}")


async def main(protocol):
    proxy = Proxy(protocol)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    while line := await stdin.readline():
        proxy.obey(line.decode().split())


if __name__ == "__main__":
    if sys.argv[1:] not in (["postgres"], ["kafka"]):
        sys.exit(__doc__)
    asyncio.run(main(sys.argv[1]))
