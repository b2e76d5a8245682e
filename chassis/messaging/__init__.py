"""Consumer, inbox, outbox, relay and dead letters on Kafka."""
