"""Who does what to whom in a sentence: spaCy's parse, what can be told from it, and the frames that cross a line.

`parse` owns the pipeline and its files, `features` what can be told of a parsed sentence (who speaks, to whom, in which
mood), `frames` the crossings as trees of words with a reason each. None of them knows rules, policy or the encoder;
`gateway.inspection.cues` is the face that brings the layers together.
"""
