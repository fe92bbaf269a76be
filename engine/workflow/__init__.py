"""The check inside a BPMN process: `review` runs `supply-review.bpmn` in SpiffWorkflow (docs/builders/workflow.md)."""
