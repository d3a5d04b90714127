"""One conversation between a caller and a provider."""
