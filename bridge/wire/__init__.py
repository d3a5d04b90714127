"""WebSocket frames, links on the hub, and the mod_audio_stream protocol."""
