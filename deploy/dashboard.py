"""Writes dashboard.json, a board for Grafana: the service in one row, and a row for each process.

python deploy/dashboard.py > deploy/dashboard.json
"""

import json
from typing import Any

PROCESS = 'process="$process"'
STEPS = "histogram_quantile({}, sum by (le, step) (rate(receiver_step_seconds_bucket[$__rate_interval])))"
# title, unit, and the queries with the names of their lines
SERVICE = (
    ("Ready", "bool_yes_no", (("min by (check) (receiver_ready)", "{{check}}"),)),
    ("Time by step, median", "s", ((STEPS.format(0.5), "{{step}}"),)),
    ("Time by step, 99 of 100", "s", ((STEPS.format(0.99), "{{step}}"),)),
    ("Free space", "bytes", (("receiver_free_bytes", "{{folder}}"),)),
    ("In flight", "none", (("receiver_in_flight", "deliveries"),)),
)
EACH = (
    (
        "Deliveries a minute",
        "none",
        ((f"60 * sum by (outcome) (rate(receiver_deliveries_total{{{PROCESS}}}[$__rate_interval]))", "{{outcome}}"),),
    ),
    (
        "Not accepted, in the last hour",
        "none",
        ((f"sum by (code) (increase(receiver_problems_total{{{PROCESS}}}[1h]))", "{{code}}"),),
    ),
    (
        "Waiting",
        "none",
        (
            (f"receiver_held{{{PROCESS}}}", "held"),
            (f"receiver_unpublished{{{PROCESS}}}", "unpublished"),
            (f"receiver_output_files{{{PROCESS}}}", "in the output"),
        ),
    ),
    (
        "The oldest that waits",
        "s",
        (
            (f"time() - receiver_output_oldest_timestamp_seconds{{{PROCESS}}}", "in the output"),
            (f"time() - receiver_oldest_unpublished_timestamp_seconds{{{PROCESS}}}", "unpublished"),
        ),
    ),
    (
        "Since the last one was accepted",
        "s",
        ((f"time() - receiver_last_success_timestamp_seconds{{{PROCESS}}}", "last"),),
    ),
)
HEIGHT, WIDE = 7, 24  # of a panel and of the board, in Grafana's grid


def board() -> dict[str, Any]:
    """Return the board."""
    rows = [_row(1, 0, "Service"), *_panels(2, 1, SERVICE)]
    rows += [_row(20, HEIGHT + 1, "$process", repeat="process"), *_panels(21, HEIGHT + 2, EACH)]
    source = {"type": "datasource", "name": "source", "query": "prometheus", "label": "Prometheus"}
    process = {
        "type": "query",
        "name": "process",
        "label": "Process",
        "query": "label_values(receiver_held, process)",
        "datasource": {"uid": "$source"},
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    }
    return {
        "title": "receiver",
        "uid": "receiver",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [source, process]},
        "panels": rows,
    }


def _row(number: int, top: int, title: str, **more: Any) -> dict[str, Any]:
    place = {"x": 0, "y": top, "w": WIDE, "h": 1}
    return {"id": number, "type": "row", "title": title, "gridPos": place, "collapsed": False, "panels": [], **more}


def _panels(number: int, top: int, wanted: tuple[Any, ...]) -> list[dict[str, Any]]:
    width = WIDE // len(wanted)
    return [
        {
            "id": number + place,
            "type": "timeseries",
            "title": title,
            "datasource": {"uid": "$source"},
            "gridPos": {"x": place * width, "y": top, "w": width, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "targets": [
                {"refId": "ABC"[letter], "expr": expression, "legendFormat": legend}
                for letter, (expression, legend) in enumerate(queries)
            ],
        }
        for place, (title, unit, queries) in enumerate(wanted)
    ]


if __name__ == "__main__":
    print(json.dumps(board(), indent=1))  # noqa: T201 (what it is for)
