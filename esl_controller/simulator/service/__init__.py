"""What all emulated providers share: sockets, voices, scripts, turn detection, appointments."""
