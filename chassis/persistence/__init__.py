"""Unit of work, stores, partitions and migrations on PostgreSQL."""
