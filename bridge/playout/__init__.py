"""How an answer reaches the caller: one strategy per playback mode."""
