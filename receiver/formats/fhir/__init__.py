"""FHIR R4, which is written in JSON."""
