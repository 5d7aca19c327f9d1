"""Statistics of a class: pure functions of numbers, which know no student, node or database."""
