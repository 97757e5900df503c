"""Self-hosted voice calls: the call itself, from packets in to speech out."""


def __getattr__(name: str) -> str:
    if name == "__version__":  # looked up when asked for: engine processes start faster without
        from importlib.metadata import version

        return version("inzwa-rtc")
    raise AttributeError(name)
