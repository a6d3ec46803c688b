"""Every setting, from the environment or .env, checked at start."""

from __future__ import annotations

import difflib
import os
import re
import ssl
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from data.place import Place, PostgresServer, SqliteFile, backups_beside, read_place

PREFIX = "YOUSAID_"
ENCODING = "utf-8-sig"  # some editors begin a file with a mark, which would belong to the first name


class SettingsProblem(Exception):
    """A setting that is wrong or unknown; one line that names the remedy."""


class Settings(BaseSettings):
    """The settings of one installation. The field's description stands in the README's table."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding=ENCODING,
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        frozen=True,
    )

    telegram_token: SecretStr | None = Field(None, description="from @BotFather; without it Telegram is off")
    telegram_api: str = Field(
        "https://api.telegram.org", description="root of the Bot API server, for a self-hosted one"
    )
    telegram_mode: Literal["polling", "webhook"] = Field(
        "polling", description="how updates come: polling, or webhook, which needs YOUSAID_PUBLIC_URL with https"
    )
    telegram_secret: SecretStr | None = Field(
        None, description="webhook mode: what Telegram must say to be let in; without it one is made from the key"
    )
    telegram_per_second: int = Field(
        30, ge=1, le=1000, description="messages a second to Telegram; several processes share the 30 between them"
    )
    telegram_client: Literal["aiohttp", "httpx"] = Field("aiohttp", description="HTTP client: aiohttp or httpx")
    proxy: SecretStr | None = Field(None, description="proxy to reach Telegram by, such as http://proxy.school:3128")
    ca_file: Path | None = Field(None, description="certificates (PEM) of a certificate authority of your own")
    database: Annotated[Place, NoDecode] = Field(
        SqliteFile(Path("var/yousaid.db")), description="path of the SQLite file, or postgresql://user@host/database"
    )
    backups: Path | None = Field(None, description="folder of the nightly backups: backups/ beside the SQLite file")
    key_file: Path = Field(
        Path("~/.config/yousaid/key"), description="encryption key, readable by its owner only; box keys lie beside it"
    )
    key: SecretStr | None = Field(None, description="the key itself, for secret stores, instead of the file")
    listen: str = Field("127.0.0.1:8080", description="where the web channel listens")
    public_url: str | None = Field(None, description="the address families see, such as https://voice.example.sch.uk")
    timezone: str | None = Field(None, description="time zone, where it differs from school.yaml (Europe/London)")
    log: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="how much is logged; never names, addresses or answers"
    )

    @field_validator("telegram_api", "public_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        if value and not _host_of(value):
            raise ValueError("must go on with the name of a machine after http:// or https://")
        return value.rstrip("/") if value else None

    @field_validator("telegram_secret")
    @classmethod
    def _secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{32,256}", value.get_secret_value()):
            raise ValueError("must have 32 to 256 characters: A-Z, a-z, 0-9, _ and -; or leave it out")
        return value

    @field_validator("proxy")
    @classmethod
    def _proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_proxy(value.get_secret_value()):
            raise ValueError("must look like http://proxy.school:3128, or http://name:password@proxy.school:3128")
        return value

    @field_validator("ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        try:
            ssl.create_default_context(cafile=value.expanduser())
        except ssl.SSLError:
            raise ValueError("holds no certificates in PEM form (-----BEGIN CERTIFICATE-----)") from None
        except OSError:
            raise ValueError("is no file that can be read") from None
        return value.expanduser()

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or not 0 <= int(port) < 65536:
            raise ValueError("must look like 127.0.0.1:8080")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        from zoneinfo import available_timezones

        if value is not None and value not in available_timezones():
            raise ValueError("is not a time zone; use a name like Europe/London")
        return value

    @field_validator("database", mode="before")
    @classmethod
    def _place(cls, value: object) -> Place:
        return value if isinstance(value, (SqliteFile, PostgresServer)) else read_place(str(value))

    @field_validator("key_file", "backups")
    @classmethod
    def _home(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value else None

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0]

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def web_address(self) -> str:
        """The address that links begin with."""
        return self.public_url or f"http://{self.listen}"

    @property
    def key_folder(self) -> Path:
        return self.key_file.parent

    @property
    def backups_folder(self) -> Path:
        """Where nightly backups lie, and plain copies while one is made or put back."""
        return self.backups or backups_beside(self.database)


def read_settings() -> Settings:
    """The settings; SettingsProblem names what is wrong, or an unknown name with the nearest known one."""
    try:
        unknown = unknown_names()
        if unknown:
            raise SettingsProblem(" ".join(unknown))
        return _fitting(Settings())
    except ValidationError as error:
        raise SettingsProblem(" ".join(_plain(error))) from None


def _fitting(settings: Settings) -> Settings:
    """What only makes sense together; SettingsProblem in one line otherwise."""
    if settings.telegram_mode != "webhook":
        return settings
    if not _is_safe(settings.public_url):
        raise SettingsProblem("YOUSAID_TELEGRAM_MODE=webhook needs YOUSAID_PUBLIC_URL, beginning with https://.")
    if settings.telegram_secret is None and _is_set_empty(PREFIX + "TELEGRAM_SECRET"):
        raise SettingsProblem("YOUSAID_TELEGRAM_SECRET is empty. Remove it, or give it at least 32 characters.")
    return settings


def _is_safe(address: str | None) -> bool:
    """Https; plain http only within this machine, where a Bot API server of the school's own may run."""
    parts = urlsplit(address or "")
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # such as an open bracket
        return ""


def _is_set_empty(name: str) -> bool:
    given = os.environ.get(name)
    return given == "" or (given is None and dotenv_values(".env", encoding=ENCODING).get(name) == "")


def _is_proxy(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def unknown_names() -> list[str]:
    """A line for every YOUSAID_... name that is not a setting, with the nearest known one."""
    known = [PREFIX + name.upper() for name in Settings.model_fields] + ["YOUSAID_CHROMIUM"]
    given = {*os.environ, *_names_in_file()}
    lines = []
    for name in sorted(n for n in given if n.upper().startswith(PREFIX) and n.upper() not in known):
        near = difflib.get_close_matches(name.upper(), known, 1, 0.5)
        lines.append(f"{name} is not a setting." + (f" Did you mean {near[0]}?" if near else " Remove it."))
    return lines


def _names_in_file() -> list[str]:
    """The names in .env; SettingsProblem where it cannot be read, before anything else looks into it."""
    try:
        return list(dotenv_values(".env", encoding=ENCODING)) if Path(".env").is_file() else []
    except UnicodeDecodeError:
        raise SettingsProblem("The file .env is not plain text (UTF-8). Save it again as UTF-8.") from None
    except OSError:
        raise SettingsProblem(
            "The file .env cannot be read. Make its owner the account that runs YouSaid: `chown`."
        ) from None


def _plain(error: ValidationError) -> list[str]:
    lines = []
    for e in error.errors(include_input=False, include_url=False):
        lines.append(f"{PREFIX}{str(e['loc'][0]).upper()} {e['msg'].removeprefix('Value error, ')}.")
    return lines
