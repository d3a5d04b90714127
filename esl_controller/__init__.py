"""Control plane: owns calls."""

__version__ = "0.1.0"
