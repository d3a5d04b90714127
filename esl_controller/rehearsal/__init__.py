"""Rehearsals: a tenant's scenarios, held through the whole service before callers meet it."""
