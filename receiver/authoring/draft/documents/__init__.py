"""authoring.draft.documents"""
