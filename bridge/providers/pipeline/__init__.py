"""The low-cost pipeline: hearing, a chat model and a local voice, joined into one provider."""
