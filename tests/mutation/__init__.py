"""Makes lines of the service wrong, one at a time, and tells which of them no test notices: `make mutants`.

Each change is tried in a copy of the project, with those tests of its area that run the line. A survivor is either a
test that is missing, a line that nothing needs, or a change without effect, which stands in equivalent.toml.
"""
