"""What is due now: the only place that knows APScheduler."""
