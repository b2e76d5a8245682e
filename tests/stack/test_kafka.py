"""The real Kafka of the stack: it starts, keeps, ends with us, and says what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from cli.stack import kafka
from cli.stack.infrastructure import DockerKafka
from cli.stack.java import find_java, packaged_java, version_of
from tests.support.stack import Infrastructure

pytestmark = pytest.mark.kafka


def _make_topic(bootstrap: str, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for made in admin.create_topics([NewTopic(name, 1, 1)]).values():
        made.result(60)


def test_a_record_that_was_acknowledged_is_there_after_a_restart(infra: Infrastructure, tmp_path: Path) -> None:
    assert kafka.answers(infra.kafka_bootstrap)
    broker = kafka.LocalKafka(tmp_path / "kafka", libs=infra.kafka_libs)
    try:
        bootstrap = broker.start()
        _make_topic(bootstrap, "kept")
        producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
        producer.produce("kept", b"one")
        assert producer.flush(60) == 0
        del producer
        broker.stop()
        assert not kafka.answers(bootstrap)
        assert broker.start() == bootstrap
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "t", "auto.offset.reset": "earliest"})
        consumer.subscribe(["kept"])
        record = consumer.poll(60)
        consumer.close()
        assert record is not None and record.value() == b"one"
    finally:
        broker.stop()


def test_a_topic_that_is_not_in_the_register_is_not_made_by_accident(infra: Infrastructure) -> None:
    admin = AdminClient({"bootstrap.servers": infra.kafka_bootstrap})
    admin.list_topics("never-made", timeout=60)
    assert "never-made" not in admin.list_topics(timeout=60).topics


def test_without_maven_and_jars_the_sentence_names_both_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(kafka.KafkaUnavailable, match=r"install maven.*KAFKA_BOOTSTRAP"):
        kafka.fetch_jars(tmp_path / "libs")
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_leaves_no_jars_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven = tmp_path / "bin" / "mvn"
    maven.parent.mkdir()
    maven.write_text("#!/bin/sh\necho '[ERROR] the network is away'\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{maven.parent}:/usr/bin:/bin")
    with pytest.raises(kafka.KafkaUnavailable, match="the network is away"):
        kafka.fetch_jars(tmp_path / "kafka" / "libs")
    assert list((tmp_path / "kafka").iterdir()) == []


def test_the_packaged_java_is_used_where_the_machine_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    found = find_java()
    assert found == packaged_java(), "the extra's Java, or none where the extra is not installed"
    assert found is None or (version_of(found) or 0) >= 17


def test_something_else_on_the_port_is_not_taken_for_kafka() -> None:
    assert not kafka.answers("127.0.0.1:1")


def test_where_docker_runs_kafka_its_container_is_our_child_and_failure_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\n[ $1 = info ] && exit 0\necho "$@" > {tmp_path}/asked\nexit 125\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}:/usr/bin:/bin")
    broker = DockerKafka(tmp_path / "kafka")
    with pytest.raises(kafka.KafkaFailed, match="Kafka did not start"):
        broker.start()
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("run --rm --network host")
    assert f"{tmp_path}/kafka:{tmp_path}/kafka" in asked and "kafka-storage.sh format" in asked
    assert not broker.alive()
