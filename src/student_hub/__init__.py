"""Student Hub, Node 0 of the Mathesis platform: who the students are and what they have learned."""
