"""Checks objects of the Prometheus Operator against the models that are made of its custom resource definitions.

Usage: prometheus_operator.py FILE…

The models let unknown fields pass and drop them, so what they have kept is compared with what was there.
"""

import sys

import yaml
from cloudcoil.models.prometheus_operator import v1

for path in sys.argv[1:]:
    with open(path) as file:
        for document in yaml.safe_load_all(file):
            model = getattr(v1, document["kind"])
            kept = model.model_validate(document).model_dump(mode="json", by_alias=True, exclude_unset=True)
            assert kept == document, f"{path}: not in the definition of {document['kind']}:\n{document}\n{kept}"
            print(f"{path}: {document['kind']} {document['metadata']['name']}")
