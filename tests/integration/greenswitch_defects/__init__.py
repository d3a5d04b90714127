"""What greenswitch 0.0.19 gets wrong (G1 … G30), shown on it and then on ours, by the same code.

Every scenario returns True where the session behaves as it must. Each runs twice: plain
greenswitch must still fail it (else our replacement is needless), ours must pass.
"""
