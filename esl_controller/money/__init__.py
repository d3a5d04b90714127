"""What conversations cost, and what a tenant may spend."""
