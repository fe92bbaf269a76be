"""Approval cases, in which facts arrive over time; durable-rules lives here and nowhere else."""
