"""Around the language cues: the labelled corpus, what is learnt from it, and how that is judged.

Nothing here runs while mail flows. `corpus` is the labelled mail and its checks, `drafts` the form in which people
write it, `diversity` and `surface` measure what a composed corpus gives away. Refuses to know the store: reviewers'
decisions become labelled mail only through an explicit export.
"""
