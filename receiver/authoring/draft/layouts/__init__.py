"""authoring.draft.layouts"""
