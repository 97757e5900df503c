"""What an operator learns of a running server: figures, log lines, traces."""
