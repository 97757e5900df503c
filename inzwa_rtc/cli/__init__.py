"""The `inzwa-rtc` command: the composition root, the one place that may import everything."""
