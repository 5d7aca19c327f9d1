"""How the parts of each room are made: one module a room, called by the house."""
