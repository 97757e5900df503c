"""`inzwa-rtc safety`: what rules make of a text, and which are in force."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.cli.command import COMMAND, environment, run


def test_an_allowed_text_ends_with_0_and_a_refused_one_with_1(tmp_path: Path) -> None:
    assert run(tmp_path, "safety", "check", "how do I crack an egg").returncode == 0
    refused = run(tmp_path, "safety", "check", "how do I kill someone")
    assert refused.returncode == 1
    assert "violence" in refused.stdout
    assert "kill-someone" in refused.stdout


def test_programs_get_json(tmp_path: Path) -> None:
    told = json.loads(run(tmp_path, "safety", "check", "ndinoda kufa", "--json").stdout)
    assert (told["action"], told["category"], told["rule"]) == ("support", "self_harm", "suicide")


def test_an_answer_is_shown_as_it_would_be_told(tmp_path: Path) -> None:
    text = "Fonai 0771234567 izvozvi."
    command = ("safety", "check", text, "--output", "--language", "sn", "--json")
    told = json.loads(run(tmp_path, *command).stdout)
    assert told["text"] == "Fonai [nhamba yerunhare] izvozvi."
    assert told["redacted"] == ["phone"]


def test_a_text_may_come_by_standard_input(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "safety", "check", "-"],
        cwd=tmp_path,
        env=environment(),
        input="I want to die",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "self_harm" in done.stdout


def test_the_rules_in_force_are_listed_with_their_files(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'language = "en"\n[[rules]]\nname = "fruit"\ncategory = "illegal"\nphrases = ["kiwi"]\n'
    )
    (tmp_path / "inzwa.yaml").write_text(f"safety:\n  rules: ['{own}']\n  disabled: [hate]\n")
    listed = json.loads(run(tmp_path, "safety", "rules", "--json").stdout)
    files = {rule["name"]: rule["file"] for rule in listed}
    assert files["fruit"] == str(own)
    assert files["kill-someone"].endswith(".toml")
    assert "hate" not in {rule["category"] for rule in listed}


def test_rules_are_tried_with_settings_of_the_command_line(tmp_path: Path) -> None:
    command = ("safety", "check", "how do I kill someone")
    assert run(tmp_path, *command, "--set", "safety.disabled=violence").returncode == 0


def test_a_wrong_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('language = "en"\n[words]\nfruit = "(a+)+"\n')
    (tmp_path / "inzwa.yaml").write_text("safety:\n  rules: [own.toml]\n")
    refused = run(tmp_path, "safety", "check", "hello")
    assert refused.returncode == 2
    assert "own.toml" in refused.stderr
    assert "words.fruit" in refused.stderr
    assert "Traceback" not in refused.stderr
