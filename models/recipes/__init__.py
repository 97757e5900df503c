"""Making models for the engines out of others: run in environments of their own."""
