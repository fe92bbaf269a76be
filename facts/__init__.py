"""The vocabulary, exact numbers and units, the working-day calendar, readers and samples."""
