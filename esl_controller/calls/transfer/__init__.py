"""From "connect me to sales" to two people who talk, and back."""
