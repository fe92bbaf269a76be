"""What a verdict means to a person: values read, limit, margin, missing facts, remedy."""
