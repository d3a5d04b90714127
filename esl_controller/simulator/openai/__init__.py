"""The OpenAI Realtime service, in software."""
