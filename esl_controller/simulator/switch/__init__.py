"""A FreeSWITCH in software: outbound and inbound Event Socket, mod_audio_stream, unicast, calls."""
