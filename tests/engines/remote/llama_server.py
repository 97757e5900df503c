"""llama.cpp's own server on a tiny model, as a process: `python -m ... MODEL KEY`.

Prints its address; ends when its input does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import xllamacpp

from models.tiny.gguf_llama import make

CONTEXT = 4096


def main() -> None:
    params = xllamacpp.CommonParams()
    params.model.path = str(make(Path(sys.argv[1]), context=CONTEXT))
    params.model_alias = {"tiny"}
    params.n_ctx = 2 * CONTEXT
    params.n_parallel = 2
    params.cpuparams.n_threads = 1
    params.ui = False
    params.endpoint_metrics = True
    params.api_keys = [sys.argv[2]]
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
