"""What operators see of a running server, and what they do to it: `/v1/admin`."""
