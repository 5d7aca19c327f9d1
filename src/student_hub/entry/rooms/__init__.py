"""The parts of each room that came later, built in a module of its own."""
