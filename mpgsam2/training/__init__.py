"""Training: one loop for the paper's recipes, for data of your own, and for nano."""
