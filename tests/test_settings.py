"""Settings: what may be given where, who wins, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inzwa_rtc.settings import Settings, flatten, load, parse_udp_ports
from tests.support.configuration import empty_surroundings, refusal, write

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_surroundings(tmp_path, monkeypatch)


class TestPrecedence:
    def test_without_file_or_variables_all_is_default(self) -> None:
        loaded = load()
        assert loaded.settings == Settings()
        assert loaded.origins == {}
        assert loaded.file is None

    def test_environment_beats_file_and_command_line_beats_both(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("port: 1\nhost: 0.0.0.0\nasr_language: sn\n")
        monkeypatch.setenv("INZWA_PORT", "2")
        monkeypatch.setenv("INZWA_HOST", "::1")
        loaded = load(overrides={"port": 3})
        assert (loaded.settings.port, loaded.settings.host) == (3, "::1")
        assert loaded.settings.asr_language == "sn"
        assert loaded.origins == {
            "port": "command line",
            "host": "environment",
            "asr_language": "file",
        }

    def test_members_of_one_group_may_come_from_different_places(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("turn:\n  silence_ms: 700\n  start_ms: 300\n")
        monkeypatch.setenv("INZWA_TURN__START_MS", "250")
        loaded = load()
        assert (loaded.settings.turn.silence_ms, loaded.settings.turn.start_ms) == (700, 250)
        assert loaded.origins == {"turn.silence_ms": "file", "turn.start_ms": "environment"}

    def test_a_member_beats_its_group_given_whole_in_the_same_place(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("INZWA_TURN", '{"silence_ms": 900, "stop_ms": 80}')
        monkeypatch.setenv("INZWA_TURN__SILENCE_MS", "800")
        assert load().settings.turn.silence_ms == 800
        assert load().settings.turn.stop_ms == 80

    def test_settings_made_in_code_read_neither_environment_nor_file(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("port: 1\n")
        monkeypatch.setenv("INZWA_PORT", "2")
        assert Settings().port == 8080
        assert Settings.model_validate({"port": 5}).port == 5


class TestProductionProfile:
    def test_it_logs_json_and_speaks_to_more_callers_at_once(self) -> None:
        write("environment: production\n")
        loaded = load()
        assert loaded.settings.log_json
        assert loaded.settings.tts_max_concurrent == 8
        assert loaded.origins["log_json"] == "profile"

    def test_whatever_is_set_elsewhere_beats_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("tts_max_concurrent: 2\n")
        monkeypatch.setenv("INZWA_ENVIRONMENT", "production")
        monkeypatch.setenv("INZWA_LOG_JSON", "off")
        loaded = load()
        assert loaded.settings.tts_max_concurrent == 2
        assert not loaded.settings.log_json

    def test_development_and_staging_keep_the_defaults(self) -> None:
        write("environment: staging\n")
        assert load().settings == Settings(environment="staging")


class TestProfile:
    def test_its_settings_hold_where_nothing_else_is_set(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("profile: starter-sn\nasr_model: whisper-base\n")
        monkeypatch.setenv("INZWA_ASR_LANGUAGE", "en")
        loaded = load(overrides={"llm_engine": "scripted"})
        settings = loaded.settings
        assert (settings.language, loaded.origins["language"]) == ("sn", "profile")
        assert (settings.asr_engine, settings.asr_model) == ("faster-whisper", "whisper-base")
        assert (settings.asr_language, settings.llm_engine) == ("en", "scripted")

    def test_it_may_be_named_in_each_place_and_the_last_one_wins(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("profile: starter-sn\n")
        assert load().settings.language == "sn"
        monkeypatch.setenv("INZWA_PROFILE", "starter-en")
        assert load().settings.language == "en"
        assert load(overrides={"profile": "starter-sn"}).settings.language == "sn"
        monkeypatch.setenv("INZWA_PROFILE", "null")
        assert load().settings == Settings()

    def test_it_comes_after_that_of_the_environment(self) -> None:
        write("profile: starter-sn\nenvironment: production\n")
        assert (load().settings.log_json, load().settings.language) == (True, "sn")

    def test_one_that_there_is_not_is_refused_with_the_known_ones(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("INZWA_PROFILE", "starter-xx")
        assert "known: starter-en, starter-sn" in refusal()
        monkeypatch.delenv("INZWA_PROFILE")
        write("profile: 5\n")
        assert "`profile` (file)" in refusal()


class TestFile:
    def test_a_variable_names_it_and_inzwa_config_wins(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("port: 1\n", "one.yaml")
        write("port: 2\n", "two.yaml")
        monkeypatch.setenv("CONFIG_PATH", "one.yaml")
        assert load().settings.port == 1
        monkeypatch.setenv("INZWA_CONFIG", "two.yaml")
        assert load().settings.port == 2
        assert load(Path("one.yaml")).settings.port == 1

    def test_a_named_file_that_is_missing_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "--config" in refusal(path=Path("nowhere.yaml"))
        monkeypatch.setenv("CONFIG_PATH", "nowhere.yaml")
        assert "CONFIG_PATH" in refusal()

    def test_an_empty_file_changes_nothing(self) -> None:
        write("# nothing yet\n")
        assert load().settings == Settings()

    @pytest.mark.parametrize(
        "text",
        [
            "a: &a [x]\nb: [*a, *a]\n",
            "a: &a {k: 1}\nb:\n  <<: *a\n",
            "host: !!python/object/apply:os.system ['touch owned']\n",
            "host: !!python/name:os.system\n",
            "asr: {engine: !custom x}\n",
            "[" * 100_000,
            "port: " + "9" * 5000 + "\n",
            "host: 2026-99-99\n",
            "- host\n",
            "just words\n",
            "1: one\n",
            "host: 'unclosed\n",
            "host: \x00\n",
            "port: 1\n---\nport: 2\n",
            "port: 1\nhost: ::1\nport: 2\n",
            "turn: {stop_ms: 80, stop_ms: 90}\n",
        ],
        ids=lambda text: text[:20],
    )
    def test_hostile_or_broken_yaml_is_refused(self, text: str) -> None:
        write(text)
        assert "inzwa.yaml" in refusal() or "port" in refusal()
        assert not Path("owned").exists()

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("llm:\n  api_key: hunter2: x\n", "line 2, column 19"),
            ("llm:\n  api_key: !hunter2\n", "line 2, column 12"),
            ("llm:\n  api_key: !hun'hunter2\n", "line 2, column 12"),
            ("llm: {api_key: !hunter2!hunter2 x}\n", "line 1, column 16"),
            ("llm: {api_key: 'hunter2\n", "line 2, column 1"),
            ("llm: {api_key: hunter2\n", "line 2, column 1"),
            ("- hunter2: [\n", "line 2, column 1"),
        ],
    )
    def test_what_is_wrong_is_told_by_its_place_and_no_text_of_the_file(
        self, text: str, place: str
    ) -> None:
        write(text)
        assert place in refusal()
        assert "hunter2" not in refusal()

    def test_a_number_that_cannot_be_is_not_quoted(self) -> None:
        write("llm: {api_key: " + "9" * 5000 + "}\n")
        assert "cannot be" in refusal()
        assert "999" not in refusal()

    def test_a_file_that_is_too_large_or_not_text_is_refused(self) -> None:
        write("# " + "x" * 300_000)
        assert "larger than" in refusal()
        Path("inzwa.yaml").write_bytes(b"host: \xff\xfe\n")
        assert "UTF-8" in refusal()


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("prot: 80\n", "`prot` (file) is not a setting; `port` is"),
            (
                "turn: {silence: 1}\n",
                "`turn.silence` (file) is not a setting; `turn.silence_ms` is",
            ),
            (
                "safety: {enabld: 1}\n",
                "`safety.enabld` (file) is not a setting; `safety.enabled` is",
            ),
            ("saftey: {enabled: 1}\n", "`saftey` (file) is not a setting; `safety` is"),
            ("silence_ms: 1\n", "`silence_ms` (file) is not a setting; `turn.silence_ms` is"),
            ("qqqq: 1\n", "`qqqq` (file) is not a setting."),
            (
                "prices: {x: {m: {per_milion: 1, currency: USD}}}\n",
                "`prices.x.m.per_milion` (file) is not a setting; `prices.x.m.per_million` is",
            ),
            (
                "tools: {use: {clock: {source: time, zon: UTC}}}\n",
                "`tools.use.clock.zon` (file) is not a setting; `tools.use.clock.zone` is",
            ),
            (
                "tools: {use: {clock: {source: tyme}}}\n",
                "`tools.use.clock` (file): 'source' should",
            ),
            ("asr_engine: 5\n", "`asr_engine` (file): Input should be a valid string"),
            ("admin_key: short\n", "`admin_key` (file): Value should have at least 16 characters"),
            ("profile: starter-xx\n", "no such profile; known: starter-en"),
            ("turn: 5\n", "`turn` (file)"),
            ("port: 70000\n", "`port` (file)"),
            ("port: eighty\n", "`port` (file)"),
            ("environment: prod\n", "'development', 'staging' or 'production'"),
            ("llm_engine: [openai, openai]\n", "several different ones"),
            ("tts_device: gpu\n", "auto, cpu, cuda"),
            ("udp_ports: six\n", "50000-50199"),
            ("udp_ports: 6000-5000\n", "ascending"),
            ("udp_ports: 80-90\n", "1024-65535"),
            ("public_address: calls.example.org\n", "IP address"),
            ("media_interfaces: [10.0.0.7/8]\n", "the name of an interface, an IP address"),
            ("media_interfaces: ['my network']\n", "the name of an interface, an IP address"),
            ("turn_urls: ['turn:turn.example']\n", "`turn_urls` (file): need `turn_secret`"),
            ("turn_secret: short\n", "`turn_secret` (file): Value should have at least 16"),
            ("turn_lifetime_s: 601\n", "`turn_lifetime_s` (file)"),
            ("turn_urls: ['http://turn.example']\n", "must look like turn:turn.example.org:3478"),
            ("turn_urls: ['turn:x:70000']\n", "must look like turn:turn.example.org:3478"),
            ("opus_bitrate_in: 6000\n", "`opus_bitrate_in` (file)"),
            ("allowed_origins: ['*']\n", "scheme, host and port"),
            ("allowed_origins: ['https://a.example/']\n", "scheme, host and port"),
            ("allowed_origins: https://a.example\n", "`allowed_origins` (file)"),
            ("call: {max_length_s: .inf}\n", "`call.max_length_s` (file)"),
            ("limits: {offer: -1}\n", "`limits.offer` (file)"),
            ("host: ''\n", "`host` (file)"),
            ("asr: {1: 2}\n", "`asr"),
        ],
    )
    def test_the_message_names_the_setting_its_origin_and_what_is_right(
        self, text: str, says: str
    ) -> None:
        write(text)
        assert says in refusal()

    def test_all_wrong_settings_are_told_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("port: 70000\n")
        monkeypatch.setenv("INZWA_TTS_DEVICE", "gpu")
        message = refusal(overrides={"host": ""})
        assert "`port` (file)" in message
        assert "`tts_device` (environment)" in message
        assert "`host` (command line)" in message

    def test_no_message_repeats_a_value_which_may_be_a_secret(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("INZWA_PORT", "hunter2")
        assert "hunter2" not in refusal()


def test_udp_ports_include_both_ends() -> None:
    assert list(parse_udp_ports("50000-50002")) == [50000, 50001, 50002]


def test_webrtc_is_offered_only_with_opus() -> None:
    assert Settings().webrtc_offered
    assert not Settings(audio_out_codec="pcm16").webrtc_offered
    assert not Settings(enable_webrtc=False).webrtc_offered


def test_the_documentation_names_every_setting_and_its_default() -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    documented = {
        match["name"]: match["default"]
        for match in re.finditer(r"^\| `(?P<name>[\w.]+)` \| (?P<default>.*?) \|", page, re.M)
    }
    defaults = dict(flatten(Settings().model_dump(mode="json")))
    assert set(documented) == set(defaults)
    wrong = {
        name: documented[name]
        for name, value in defaults.items()
        if documented[name].strip("`") != _as_documented(value)
    }
    assert not wrong


def _as_documented(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value in (None, [], {}) else str(value)
