"""What a rule set would do with mail that is there already: tried beside the road, with nobody's mail moved.

Stands above the core and below everything that reads or writes: pure, values in and values out. `judging` puts the three
core stages in a row for one rule set; `benign` holds a set against ordinary mail; `comparison` says what a new set gains and loses,
`coverage` what nothing fires; `explanation` takes a verdict apart and `drafting` tries a rule
that is being written (the playground's engine calls). Refuses to know files, the store, who
asks, and how an answer is shown.
"""
