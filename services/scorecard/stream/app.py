"""The Faust app and its configuration; features of Faust that are not used are switched off."""

from __future__ import annotations

import asyncio
from typing import Any

import faust

from chassis.runtime.settings import ServiceSettings

SESSION_SECONDS, BEAT_SECONDS, REQUEST_SECONDS_MAX = 10.0, 2.0, 30.0
METADATA_MS = 5_000  # the leader assigns the partitions that it knows: Faust's own 5 minutes hide added ones
BATCH_BYTES = 1 << 18
RAW: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}


class _App(faust.App):
    """An app that keeps nothing in files: Faust makes folders for its tables whether or not there are any."""

    def _create_directories(self) -> None: ...


def app_of(settings: ServiceSettings) -> faust.App:
    """Build the app of one member of the group."""
    group = settings.group("scorecard", "stream")
    member = f"{group}.{settings.instance}"
    return _App(
        group,
        broker=[f"aiokafka://{host}" for host in settings.kafka_bootstrap.split(",")],
        loop=asyncio.get_running_loop(),
        processing_guarantee="at_least_once",
        web_enabled=False,
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        reply_create_topic=False,
        consumer_group_instance_id=member,
        canonical_url=f"http://{member}",
        broker_client_id=member,
        consumer_metadata_max_age_ms=METADATA_MS,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_max_batch_size=BATCH_BYTES,
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=BEAT_SECONDS,
        broker_request_timeout=REQUEST_SECONDS_MAX,
        broker_max_poll_records=500,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        worker_redirect_stdouts=False,
    )
