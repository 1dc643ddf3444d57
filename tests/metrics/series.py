"""Reads metrics with Prometheus' own strict parser for OpenMetrics, and prints every series as one
line: its name with its labels, and its value. Ends with an error where anything breaks the format."""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
        print(f"{sample.name}{{{labels}}} {sample.value}")
