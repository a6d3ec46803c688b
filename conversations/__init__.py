"""What happens next in a conversation: pure values and functions, no I/O, no clock, no chance."""
