"""The figures of one server, in Prometheus' terms: docs/metrics.md has all of them.

Each server has a registry of its own. No label holds anything that a caller has said, is called,
or has chosen freely; how many values a label may have is bounded.
"""
