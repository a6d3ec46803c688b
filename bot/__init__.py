"""Where people meet everything else: the only place that knows Telegram, HTTP and the command line."""
