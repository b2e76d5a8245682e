"""The console: owns no data; asks services over HTTP and follows topics."""
