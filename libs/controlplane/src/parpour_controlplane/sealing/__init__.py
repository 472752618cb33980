"""Gives committed events their place: the sealer, the keys that sign what it made, and where checkpoints are kept."""
