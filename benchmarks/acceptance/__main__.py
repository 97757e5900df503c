"""Print how well the models of a folder do: `python -m benchmarks.acceptance DIR`.

`make acceptance MODELS=DIR` does so, and then holds each of them to the contract of its kind.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import click

from benchmarks.acceptance.folder import read
from benchmarks.acceptance.measure import Heard, Replied, try_out
from inzwa_rtc import logging
from inzwa_rtc.errors import InzwaError


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.option("--texts", is_flag=True, help="Print what was heard and replied, too.")
def main(folder: Path, as_json: bool, texts: bool) -> None:
    """Try the models that FOLDER/acceptance.toml names."""
    logging.configure(as_json=False)  # to standard error, away from the results
    try:
        results = [asyncio.run(try_out(candidate)) for candidate in read(folder)]
    except InzwaError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], indent=2))
        return
    for result in results:
        click.echo(_line(result))
        for name, text in result.texts.items() if texts else ():
            click.echo(f"  {name}: {text}")


def _line(result: Heard | Replied) -> str:
    if isinstance(result, Heard):
        return (
            f"{result.name}: WER {result.accuracy.wer:.1%}, CER {result.accuracy.cer:.1%} of "
            f"{result.accuracy.words} words in {result.seconds:.0f} s; final transcript "
            f"{result.latency.median:.0f} ms after the end (p95 {result.latency.p95:.0f})"
        )
    return (
        f"{result.name}: first token after {result.first_token.median:.0f} ms "
        f"(p95 {result.first_token.p95:.0f}), {result.tokens_per_s:.1f} tokens/s, of "
        f"{len(result.texts)} questions"
    )


if __name__ == "__main__":
    main()
