"""One call: its life, its leg, its conversation."""
