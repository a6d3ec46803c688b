"""What happens next in a conversation: pure, without I/O, clock or randomness of its own."""
