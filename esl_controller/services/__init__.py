"""Tenants' own systems, and the one guarded way to them."""
