"""Report formats, one module each; every number is a function of the verdict records."""
