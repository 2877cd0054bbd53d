"""Runs the VRL of a Vector configuration over lines of a log, in Vector's own VRL runtime.

Usage: vector_events.py CONFIGURATION LOG

Prints for each line that becomes an event what the counter and its labels would be: CLASS INSTANCE EVENTS. What goes to
Loki has to be the line itself, with its time and severity; anything else ends with an error.
"""

import json
import sys

import vrl_python
import yaml

with open(sys.argv[1]) as file:
    transforms = yaml.safe_load(file)["transforms"]


def remap(name, record):
    return vrl_python.VRLRuntime.run(transforms[name]["source"], record, "UTC").processed_event


with open(sys.argv[2]) as file:
    for line in file:
        line = line.rstrip("\n")
        record = remap("multistore_parsed", {"message": line, "file": sys.argv[2]})
        expected = json.loads(line)
        assert record["message"] == line and record["severity"] == expected["severity"], record
        # Vector leaves the milliseconds out when there are none.
        time = expected["time"].replace(".000Z", "Z").replace("T", " ").replace("Z", " UTC")
        assert record["timestamp"] == time, record
        try:
            event = remap("multistore_events", record)
        except RuntimeError as error:
            # Only an `abort` leaves a line out.
            assert "aborted" in str(error), error
            assert "exception.class" not in expected, line
            continue
        print(event["class"], event["instance_name"], event["events"])
