"""What an operator sees of the hub: structured logs without personal data, and metrics."""
