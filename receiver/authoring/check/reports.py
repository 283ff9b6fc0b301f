"""How findings are written: sibling modules, each with `report(findings)`."""
