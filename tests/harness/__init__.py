"""What the tests that cross components share: one installed release, and Simulations as a test sees them."""
