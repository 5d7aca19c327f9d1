"""Who needs help and why: rules over one student's numbers, and what they say in words."""
