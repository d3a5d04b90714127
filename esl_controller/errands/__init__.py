"""What must happen even if the other side is down: a queue, and a delivery for each kind."""
