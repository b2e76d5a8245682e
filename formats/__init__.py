"""Readers and writers of other people's data: pure functions between bytes and typed records, without any I/O."""
