"""Traces of turns and requests: OpenTelemetry where it is configured, nothing where it is not."""
