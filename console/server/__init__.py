"""The console's server: login, the live exception stream (Kafka in, browsers and programs out)."""
