"""A tenant's documents: read, cut into passages, and found again."""
