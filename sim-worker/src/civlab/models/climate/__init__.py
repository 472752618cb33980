"""The climate: carbon, forcing, energy balance, regions, sea level, damages and tipping, by published equations."""
