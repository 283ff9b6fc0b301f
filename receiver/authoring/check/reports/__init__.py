"""authoring.check.reports"""
