"""Kafka of the stack: the cluster the environment names, else a real Apache Kafka on this machine (jars by
Maven), else Docker, else the in-process broker, which says that it forgets."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
import signal
import socket
import string
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from cli.stack import spawn
from cli.stack.java import find_java
from cli.stack.state import (
    CHECKOUT,
    FolderUnusable,
    StackError,
    full_disk,
    make_folder,
    read_json,
    unusable,
    write_json,
)

POM = CHECKOUT / "deploy" / "local" / "pom.xml"
TEMPLATE = CHECKOUT / "deploy" / "local" / "server.properties"
START_SECONDS = 60.0
MAVEN_SECONDS = 300.0
POLL_SECONDS = 0.03
JVM = (
    "-Xmx512m",
    "-Xms128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)
STAMP = "whole.txt"


class KafkaFailed(StackError):
    """Kafka could not be started or reached."""


class KafkaUnavailable(KafkaFailed):
    """A real Kafka cannot be run on this machine as it is."""


class LocalKafka:
    """A real Apache Kafka in one folder, one node, started and stopped by us."""

    kind = "kafka"

    def __init__(self, folder: Path, *, libs: Path | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "kafka.log"
        told = os.environ.get("CROSSDOCK_KAFKA_LIBS")
        self.libs = libs or (Path(told) if told else folder / "libs")
        self._child: spawn.Popen | None = None
        self._ports: tuple[int, int] | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def bootstrap(self) -> str:
        if self._ports is None:
            raise KafkaFailed("Kafka was not started.")
        return f"127.0.0.1:{self._ports[0]}"

    def prepare(self) -> str:
        """Bring the jars and return the Java to run them; raises KafkaUnavailable when that cannot be."""
        java = find_java()
        if java is None:
            raise KafkaUnavailable(
                "Kafka needs Java 17 or newer and none is here: install it (Debian: `apt-get install "
                "openjdk-17-jre-headless`), or name a running cluster with KAFKA_BOOTSTRAP."
            )
        fetch_jars(self.libs)
        return java

    def start(self) -> str:
        """Start the broker, formatting its folder the first time, and return its bootstrap address."""
        java = self.prepare()
        make_folder(self.folder)
        self._ports = self._choose_ports()
        properties = self._write_properties()
        self._format(java, properties)
        command = [java, *JVM, "-cp", f"{self.libs}/*", "kafka.Kafka", str(properties)]
        self._child = spawn.spawn(command, log=self.log, cwd=self.folder)
        return self._wait(seconds=START_SECONDS)

    def _wait(self, *, seconds: float) -> str:
        try:
            wait_until_it_answers(self.bootstrap, seconds=seconds, alive=self.alive)
        except KafkaFailed as why:
            self.stop()
            raise KafkaFailed(f"Kafka did not start: {self._last_words()}") from why
        except BaseException:
            self.stop()
            raise
        return self.bootstrap

    def stop(self) -> None:
        """End the broker; what it acknowledged is kept."""
        if self._child is not None:
            spawn.stop(self._child, first=signal.SIGTERM)
            self._child = None

    def _choose_ports(self) -> tuple[int, int]:
        """Take the ports of the last time when they are free: clients that wait find the broker again."""
        kept = read_json(self.folder / "ports.json")
        if kept and all(spawn.port_is_free(int(kept[name])) for name in ("broker", "controller")):
            return int(kept["broker"]), int(kept["controller"])
        ports = spawn.free_port(), spawn.free_port()
        write_json(self.folder / "ports.json", {"broker": ports[0], "controller": ports[1]})
        return ports

    def _write_properties(self) -> Path:
        broker, controller = self._ports or (0, 0)
        filled = string.Template(TEMPLATE.read_text()).substitute(
            broker_port=broker, controller_port=controller, data=self.data
        )
        path = self.folder / "server.properties"
        try:
            path.write_text(filled)
        except OSError as why:
            raise FolderUnusable(unusable(self.folder, why)) from why
        return path

    def _cluster_id(self) -> str:
        """Return the cluster's id, drawn once: 16 bytes in the alphabet Kafka expects, no leading dash."""
        kept = read_json(self.folder / "cluster.json")
        if kept is None:
            drawn = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
            kept = {"id": f"x{drawn[1:]}"}
            write_json(self.folder / "cluster.json", kept)
        return str(kept["id"])

    def _format(self, java: str, properties: Path) -> None:
        if (self.data / "meta.properties").exists():
            return
        # A folder without meta.properties is a first start that was interrupted.
        shutil.rmtree(self.data, ignore_errors=True)
        command = [java, *JVM, "-cp", f"{self.libs}/*", "kafka.tools.StorageTool"]
        command += ["format", "-t", self._cluster_id(), "-c", str(properties)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            said = done.stderr + done.stdout
            full = full_disk(said)
            if full is not None:
                raise FolderUnusable(unusable(self.folder, full))
            last = (said.strip().splitlines() or ["no message"])[-1]
            raise KafkaFailed(f"Kafka could not format its data folder {self.data}: {last}")

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        full = full_disk("\n".join(lines[-50:]))
        if full is not None:
            return unusable(self.folder, full)
        words = next((line for line in reversed(lines) if "ERROR" in line or "Exception" in line), "no message")
        return f"{words.strip()} (more in {self.log})"


def jars_are_whole(libs: Path) -> bool:
    """Tell whether the jars of the present pom.xml are in the folder."""
    stamp = libs / STAMP
    return stamp.exists() and stamp.read_text().strip() == _pom_hash()


def fetch_jars(libs: Path) -> None:
    """Copy the jars with Maven unless they are there; a broken download leaves nothing behind."""
    if jars_are_whole(libs):
        return
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable(
            "Kafka's jars are not here and neither is Maven, which brings them: install it (Debian: `apt-get "
            "install maven`), or name a running cluster with KAFKA_BOOTSTRAP."
        )
    make_folder(libs.parent)
    part = Path(tempfile.mkdtemp(dir=libs.parent, prefix=".libs."))
    part.chmod(0o755)
    try:
        command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={part}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAVEN_SECONDS, check=False)
        if done.returncode or not any(part.glob("kafka_*.jar")):
            lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
            raise KafkaUnavailable(
                f"Maven could not bring Kafka's jars ({(lines or ['no message'])[0].strip()[:200]}): check "
                "the network or Maven's settings, or name a running cluster with KAFKA_BOOTSTRAP."
            )
        (part / STAMP).write_text(_pom_hash() + "\n")
        shutil.rmtree(libs, ignore_errors=True)
        part.rename(libs)
    except subprocess.TimeoutExpired as why:
        raise KafkaUnavailable("Maven did not bring Kafka's jars in time: check the network and try again.") from why
    except OSError as why:
        raise FolderUnusable(unusable(libs.parent, why)) from why
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _pom_hash() -> str:
    return hashlib.sha256(POM.read_bytes()).hexdigest()


def wait_until_it_answers(bootstrap: str, *, seconds: float, alive: object = None) -> None:
    """Wait until one of the addresses speaks Kafka; raises KafkaFailed when time is up or it ended."""
    deadline = time.monotonic() + seconds
    while not any(answers(address) for address in bootstrap.split(",")):
        if callable(alive) and not alive():
            raise KafkaFailed("Kafka ended at once.")
        if time.monotonic() > deadline:
            raise KafkaFailed(f"Kafka at {bootstrap} does not answer: check KAFKA_BOOTSTRAP.")
        time.sleep(POLL_SECONDS)


def answers(address: str) -> bool:
    """Ask one broker which protocol versions it speaks: the smallest question that only Kafka answers."""
    host, _, port = address.strip().rpartition(":")
    api_versions, correlation = 18, 7
    question = struct.pack(">hhih", api_versions, 0, correlation, -1)
    try:
        with socket.create_connection((host or "127.0.0.1", int(port)), timeout=2.0) as line:
            line.sendall(struct.pack(">i", len(question)) + question)
            said = line.recv(10)
    except (OSError, ValueError):
        return False
    return len(said) == 10 and struct.unpack(">iih", said)[1:] == (correlation, 0)
