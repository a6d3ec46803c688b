"""What is remembered: the only place that knows SQL, files of keys and encryption."""
