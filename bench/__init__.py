"""Measurements; nothing of the service imports this."""
