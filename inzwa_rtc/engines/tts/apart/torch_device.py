"""Where PyTorch computes, and with how many threads."""

from __future__ import annotations

import torch

from inzwa_rtc.engines.hardware import Device, cpus, device_of
from inzwa_rtc.engines.tts.apart.options import ApartOptions


def device_for(options: ApartOptions) -> Device:
    """The device that the options ask for. Raises `EngineUnavailable` for a GPU that is lacking.

    From then on PyTorch computes in as many threads as they say.
    """
    torch.set_num_threads(options.threads or cpus())
    return device_of(
        options.device,
        torch.cuda.device_count() if torch.cuda.is_available() else 0,
        library="PyTorch",
        setting="tts_device",
        remedy="Install NVIDIA's driver and PyTorch for CUDA",
    )
