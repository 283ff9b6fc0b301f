"""Where the fields are in metadata of any shape: sibling modules for JSON and XML, with the same functions.

- `found(documents, wanted)` yields every way to read the documents that makes sense, each with how likely it is;
- `outside(documents, candidate)` yields what stands once in a document and in no field: its id is among it;
- `named(candidate, name)` is the path of one field's value, by the field's name;
- `repeated(documents)` and `below(documents, each)` are paths to tell of: of siblings, and of what each of them holds.
"""
