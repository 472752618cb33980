"""The climate: carbon cycle, forcing, energy balance, regions, sea level, damages and tipping, from published equations."""
