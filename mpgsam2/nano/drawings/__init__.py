"""Drawings of everyday things: their names, the atlas that they are kept in, and how it is built.

- `nouns`: which things there are, and what they are called.
- `colour_names`: what colour a picture of a thing is said to have.
- `recolour`: the same thing in another colour.
- `atlas`: reads drawings and photographs.
- `build`: makes the atlas from icon packages: `make atlas`.
"""
