"""Pages of a worker, and the interface for other programs."""
