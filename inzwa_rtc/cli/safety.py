"""`inzwa-rtc safety`: what the rules make of a text, and which are in force."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from inzwa_rtc.cli.options import Configuration, as_json, configured
from inzwa_rtc.cli.speaking import quietly
from inzwa_rtc.pseudonym import Pseudonyms
from inzwa_rtc.safety import Safety, Verdict
from inzwa_rtc.safety.ruleset import Rule
from inzwa_rtc.settings import Settings

MOST_CHARS = 1_000_000


@click.group()
def safety() -> None:
    """Try the safety rules."""


@safety.command()
@click.argument("text")
@click.option("--language", metavar="TAG", help="Of the answer, such as en or sn.")
@click.option("--output", is_flag=True, help="Check it as an answer, not as a caller's words.")
@configured
@as_json
def check(
    text: str,
    language: str | None,
    output: bool,
    configuration: Configuration,
    as_json: bool,
) -> None:
    """Tell what becomes of TEXT (- is standard input): allowed, or refused by which rule and
    with which words. Ends with 0 where it is allowed, else with 1."""
    quietly()
    settings = configuration.settings()
    if text == "-":
        text = sys.stdin.read(MOST_CHARS)
    rules = _safety(settings)
    language = language or settings.language
    result = _of_answer(rules, text, language) if output else _of_caller(rules, text, language)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        _print(result)
    sys.exit(0 if result["action"] == "allow" else 1)


@safety.command()
@configured
@as_json
def rules(configuration: Configuration, as_json: bool) -> None:
    """List the rules and topics in force, and the file that each comes from."""
    quietly()
    settings = configuration.settings()
    refused = settings.safety.refused_topics
    listed = [
        {
            "name": one.name,
            "category": one.category if isinstance(one, Rule) else "topic",
            "language": one.language,
            "checks": one.checks,
            "phrases": str(len(one.phrases)),
            "action": "refuse" if isinstance(one, Rule) or one.name in refused else "allow",
            "file": one.source,
        }
        for one in _safety(settings).subjects
    ]
    if as_json:
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
        return
    if not listed:
        click.echo("None: `safety.enabled` is false, or all are disabled.")
        return
    widths = {name: max(len(name), *(len(row[name]) for row in listed)) for name in listed[0]}
    for number, row in enumerate([{name: name.upper() for name in widths}, *listed]):
        line = "  ".join(f"{row[name]:<{width}}" for name, width in widths.items()).rstrip()
        click.secho(line, bold=number == 0)


def _safety(settings: Settings) -> Safety:
    return Safety(settings.safety, Pseudonyms(settings.hmac_key))


def _of_caller(rules: Safety, text: str, language: str) -> dict[str, object]:
    verdict = rules.check(text, language)
    return {**_judged(verdict), **_instead(rules, verdict, language)}


def _of_answer(rules: Safety, text: str, language: str) -> dict[str, object]:
    reply = rules.reply(language)
    first, last = reply.feed(text), reply.finish()
    told = {"text": first.text + last.text, "redacted": list(reply.redacted)}
    return {**_judged(last.verdict), **_instead(rules, last.verdict, language), **told}


def _judged(verdict: Verdict) -> dict[str, object]:
    told = asdict(verdict)
    del told["pseudonym"]
    return told


def _instead(rules: Safety, verdict: Verdict, language: str) -> dict[str, object]:
    return {} if verdict.is_allowed else {"answer": rules.answer(verdict, language)}


def _print(result: dict[str, object]) -> None:
    for name, value in result.items():
        if value:
            shown = ", ".join(value) if isinstance(value, list) else value
            click.echo(f"{name + ':':<10} {shown}")
