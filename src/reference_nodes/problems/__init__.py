"""Problems made by templates, their answers checked by substitution, and the reader of answers.

Doors: `maker.make()` and `maker.remake()` for one problem, `sets.make_set()` for several,
`answers.read_answer()` for what a person typed. A template builds the answer first and the
question from it; its checker sees the question and an answer's text only. No text is ever run.
"""
