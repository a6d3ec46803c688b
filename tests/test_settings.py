"""Settings from the environment and .env; and .env.example, which names them all."""

import re
from pathlib import Path

import pytest

from bot.logs import secrets_of
from bot.settings import PREFIX, Settings, SettingsProblem, read_settings
from data.place import PostgresServer, SqliteFile, read_place
from tests.command_line import command_line_in

EXAMPLE = Path(__file__).parent.parent / ".env.example"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command_line_in(tmp_path, monkeypatch)
    monkeypatch.delenv("YOUSAID_KEY_FILE")
    monkeypatch.delenv("YOUSAID_LISTEN")


def test_example_names_every_setting_with_its_default() -> None:
    named = dict(re.findall(r"^#?(YOUSAID_\w+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))

    defaults = {PREFIX + k.upper(): f.default for k, f in Settings.model_fields.items()}
    assert named == {name: "" if default is None else str(default) for name, default in defaults.items()}


def test_example_as_it_is_changes_nothing() -> None:
    assert not [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]


def test_example_with_every_line_in_force_gives_the_defaults() -> None:
    Path(".env").write_text(re.sub(r"^#(?=YOUSAID_)", "", EXAMPLE.read_text(), flags=re.MULTILINE))

    given = read_settings()

    Path(".env").unlink()
    assert given == read_settings()
    assert given.telegram_token is None


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("YOUSAID_LOG=error\nYOUSAID_LISTEN=127.0.0.1:1\n")
    monkeypatch.setenv("YOUSAID_LOG", "debug")

    assert (read_settings().log, read_settings().port) == ("debug", 1)


def test_unknown_name_in_the_file_is_refused() -> None:
    Path(".env").write_text("YOUSAID_DATABSE=x\n")

    with pytest.raises(SettingsProblem, match="Did you mean YOUSAID_DATABASE"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LISTEN", "8080", "must look like"),
        ("PUBLIC_URL", "voice.example", "must begin with http"),
        ("PUBLIC_URL", "https://", "name of a machine"),
        ("TELEGRAM_API", "https://[::1", "name of a machine"),
        ("TIMEZONE", "London", "is not a time zone"),
        ("DATABASE", "mysql://h/d", "must be the path of a SQLite file"),
        ("DATABASE", "postgresql+asyncpg://h/d", "begin with postgresql://"),
        ("DATABASE", "postgresql://canary@h", "must name the database"),
        ("DATABASE", "postgresql://canary@h/d?sslmod=verify-full", "option that is not known"),
        ("DATABASE", "postgresql://canary@h/d?sslmode=yes", "one of these as sslmode"),
        ("DATABASE", "postgresql://me:can/ary@h/d", "not a whole URL"),
        ("DATABASE", "postgresql://me:can#ary@h/d", "must name the database|not a whole URL"),
        ("DATABASE", "postgresql://one,two/d", "one server only"),
        ("LOG", "loud", "debug"),
    ],
)
def test_wrong_value_is_one_line_with_the_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(PREFIX + name, value)

    with pytest.raises(SettingsProblem, match=says) as caught:
        read_settings()

    assert PREFIX + name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not {"canary", "can/", "can#", "ary@"} & set(re.findall(r"canary|can[/#]|ary@", str(caught.value)))


def test_database_is_a_file_or_on_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_DATABASE", "/srv/school:1.db")
    assert read_settings().database == SqliteFile(Path("/srv/school:1.db"))
    monkeypatch.setenv("YOUSAID_DATABASE", "postgres://me:p%40ss-canary@db.example:5433/elm%20field?sslmode=require")
    place = read_settings().database
    assert isinstance(place, PostgresServer)
    assert (str(place), place.is_local) == ("elm field on db.example", False)
    assert "canary" not in repr(read_settings())
    assert "p@ss-canary" in secrets_of(read_settings())


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1", "%2Frun%2Fpostgresql"])
def test_what_passes_on_this_machine_needs_no_certificate(host: str) -> None:
    place = read_place(f"postgresql://{host}/elmfield")
    assert isinstance(place, PostgresServer)
    assert (place.is_local, place.name) == (True, "elmfield on this machine")


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_TELEGRAM_TOKEN", "123456:canary")
    monkeypatch.setenv("YOUSAID_KEY", "canary")

    assert "canary" not in repr(read_settings())
