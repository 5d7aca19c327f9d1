"""Short-lived answers in Redis or Valkey: sealed, bounded in time, and never the truth."""
