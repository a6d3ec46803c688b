"""Telegram: updates become our words, our words become messages, errors are translated."""

import os

# How long a RetryAfter lasts is a timedelta everywhere, as it will be in python-telegram-bot's next
# major version; without this it is a number, and every one of them warns.
os.environ.setdefault("PTB_TIMEDELTA", "true")
