"""A Bot API server on loopback for tests: as strict as Telegram, with people to play."""

from tests.telegram_server.chats import Chat, Group, Message, Person
from tests.telegram_server.parameters import Upload
from tests.telegram_server.server import Call, TelegramServer
from tests.telegram_server.thread import TelegramServerInThread

__all__ = ["Call", "Chat", "Group", "Message", "Person", "TelegramServer", "TelegramServerInThread", "Upload"]
