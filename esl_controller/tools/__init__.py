"""Functions the model may call, one module each."""
