"""Calls we make: when they may be made, who takes them, and what answered."""
