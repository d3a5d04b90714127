"""One pure protocol module per provider, and the link that moves its bytes."""
