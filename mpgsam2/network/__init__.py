"""The networks of the paper and of SAM 2, and what they are built from."""
