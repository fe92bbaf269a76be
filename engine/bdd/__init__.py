"""Gherkin reader, steps from the vocabulary, and the pytest plugin."""
