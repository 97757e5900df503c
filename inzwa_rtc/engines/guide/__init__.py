"""The script of the embedded assistant: what its recogniser understands and its model says."""
