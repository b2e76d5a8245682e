"""Three real brokers on loopback, one quorum, replication 3, min ISR 2; each a process and a folder of its own."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cli.stack import spawn
from cli.stack.kafka import LocalKafka
from tests.support.stack import Infrastructure

NODES = 3
SMALL_DISK_BYTES = 192 * 1024 * 1024
BLOCK_BYTES = 1024 * 1024
REPLICATED = """
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
"""


class Node(LocalKafka):
    """One of the brokers; its ports stay, because the others know them."""

    def __init__(self, cluster: KafkaCluster, number: int, folder: Path, libs: Path) -> None:
        super().__init__(folder, libs=libs)
        self.number, self._cluster = number, cluster
        self.fixed = spawn.free_port(), spawn.free_port()

    def _choose_ports(self) -> tuple[int, int]:
        return self.fixed

    def _cluster_id(self) -> str:
        return self._cluster.id

    def _write_properties(self) -> Path:
        path = super()._write_properties()
        voters = ",".join(f"{node.number}@127.0.0.1:{node.fixed[1]}" for node in self._cluster.nodes)
        with path.open("a") as properties:  # the last of two lines for one key counts
            properties.write(f"\nnode.id={self.number}\ncontroller.quorum.voters={voters}\n{REPLICATED}")
        return path

    def signal(self, sent: int) -> None:
        """Send a signal; after `kill -9` it is buried."""
        assert self._child is not None
        self._child.send_signal(sent)
        if sent == signal.SIGKILL:
            self._child.wait()

    def lose_folder(self) -> None:
        """Forget everything: the disk is a new one. A broker that runs keeps its open files, and finds no folder."""
        lost = self.data.with_suffix(".lost")
        self.data.rename(lost)
        shutil.rmtree(lost)

    def mount_small_disk(self) -> str:
        """Put the log folder on a small disk of its own; returns why that cannot be, or nothing."""
        self.data.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(self.data)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as why:
            return str(why)
        return done.stderr.strip() if done.returncode else ""

    def unmount(self) -> None:
        """Take the small disk away, with all that lies on it."""
        if self.data.is_mount():
            subprocess.run(["umount", str(self.data)], check=True)

    def fill_disk(self) -> None:
        """Leave no free byte on the small disk."""
        assert self.data.is_mount()
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(BLOCK_BYTES))
            except OSError as why:
                if why.errno != errno.ENOSPC:
                    raise

    def free_disk(self) -> None:
        """Give the space back."""
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.data / "ballast"


class KafkaCluster:
    """The brokers together."""

    def __init__(self, folder: Path, *, libs: Path) -> None:
        self.nodes: list[Node] = []
        for number in range(1, NODES + 1):
            self.nodes.append(Node(self, number, folder / f"node-{number}", libs))
        self.id = LocalKafka(folder)._cluster_id()

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{node.fixed[0]}" for node in self.nodes)

    def start(self) -> str:
        """Start all at once: none answers before two of them are there."""
        self.nodes[0].prepare()
        with ThreadPoolExecutor(NODES) as starters:
            list(starters.map(Node.start, self.nodes))
        return self.bootstrap

    def stop(self) -> None:
        """End all at once, the frozen too."""
        with ThreadPoolExecutor(NODES) as stoppers:
            list(stoppers.map(_end, self.nodes))


def _end(node: Node) -> None:
    if node.alive():
        node.signal(signal.SIGKILL)
    node.stop()
    node.unmount()


class ThreeBrokers(Infrastructure):
    """Servers of a trial whose Kafka is a cluster."""

    replication = NODES

    def __init__(self) -> None:
        super().__init__()
        self.cluster = KafkaCluster(self.home / "cluster", libs=self.kafka_libs)
        self._started = False

    @property
    def kafka_bootstrap(self) -> str:
        """The addresses of all; starts them the first time."""
        if not self._started:
            self.cluster.start()
            self._started = True
        return self.cluster.bootstrap

    def close(self) -> None:
        """End the brokers and all the rest."""
        self.cluster.stop()
        super().close()
