"""Drives acts over real HTTP: so many clients one after the other, or at a pace that does not wait for answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

WAIT_SECONDS_MAX = 30.0
HALF = -1


@dataclass(frozen=True)
class Answer:
    """What came of one act: its subject, the status, the header and body, and how long it took; status 0: no answer came, HALF: a part."""

    subject: UUID
    status: int
    retry_after: str | None
    content_type: str | None
    seconds: float


class Clients:
    """Connections that are kept open, to one API."""

    def __init__(self, port: int, path: Callable[[UUID], str], token: str) -> None:
        self._port, self._path, self._token = port, path, token
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.answers: list[Answer] = []

    async def one_after_the_other(self, clients: int, seconds: float) -> None:
        """Let so many clients act, each as soon as it has its answer."""
        until = time.monotonic() + seconds

        async def client() -> None:
            while time.monotonic() < until:
                await self.act()

        await asyncio.gather(*(client() for _ in range(clients)))

    async def at(self, rate: float, seconds: float) -> None:
        """Act at a pace, whatever the answers do."""
        begun, sent = time.monotonic(), 0
        waiting: set[asyncio.Task[None]] = set()
        while (gone := time.monotonic() - begun) < seconds:
            while sent < gone * rate:
                waiting.add(task := asyncio.create_task(self.act()))
                task.add_done_callback(waiting.discard)
                sent += 1
            await asyncio.sleep(0.001)
        await asyncio.gather(*waiting)

    async def act(self) -> None:
        """Act once, on a subject of its own."""
        subject, begun = uuid4(), time.monotonic()
        status, head = 0, dict[str, str]()
        try:
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                reader, writer = (
                    self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
                )
                writer.write(
                    f"POST {self._path(subject)} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode()
                )
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                head = dict(line.lower().split(": ", 1) for line in lines if line)
                await reader.readexactly(int(head["content-length"]))
                status = int(first.split(" ")[1])
                if head.get("connection") == "close":
                    writer.close()
                else:
                    self._idle.append((reader, writer))
        except asyncio.IncompleteReadError as broken:
            status = HALF if broken.partial or head else 0
        except (OSError, TimeoutError):
            status = HALF if head else 0
        seconds = time.monotonic() - begun
        self.answers.append(Answer(subject, status, head.get("retry-after"), head.get("content-type"), seconds))

    def taken(self) -> list[Answer]:
        """Return the answers since the last call."""
        answers, self.answers = self.answers, []
        return answers
