"""OpenAI Realtime, and whatever speaks its protocol."""
