"""The verdict algebra and the evaluators."""
