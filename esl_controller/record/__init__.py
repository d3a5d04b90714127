"""What is kept of a conversation, and for how long."""
