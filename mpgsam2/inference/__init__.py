"""Networks that answer: queries, results, verdicts."""
