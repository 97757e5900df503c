"""Keeps libraries from asking a hub: models are files of the operator's."""

from __future__ import annotations

import os


def stay_offline() -> None:
    """Has this process's libraries load from local paths only. To be called before they are
    imported, as they read these once."""
    os.environ.update(
        HF_HUB_OFFLINE="1",
        TRANSFORMERS_OFFLINE="1",
        HF_DATASETS_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        DO_NOT_TRACK="1",
    )
