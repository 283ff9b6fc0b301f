"""Where the fields are in metadata of any shape: sibling modules for JSON and XML, with the same function.

`found(documents)` returns every way to read the documents that makes sense, each with how likely it is.
"""
