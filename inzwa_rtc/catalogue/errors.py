"""What can be wrong with a model."""

from __future__ import annotations

from inzwa_rtc.errors import EngineUnavailable


class ModelError(EngineUnavailable):
    """The files of a model cannot be had or must not be used.

    `code` tells why: `model_missing`, `model_tampered`, `model_refused`,
    `download_failed`, `disk_full`, `model_busy`.
    """

    code = "model_unusable"


class DownloadFailed(ModelError):
    """The source does not give what is asked of it."""

    code = "download_failed"


class Tampered(ModelError):
    """A file is not, or no longer, the one that it has to be."""

    code = "model_tampered"


class Refused(ModelError):
    """A file is of a kind that is never taken, whoever offers it."""

    code = "model_refused"
