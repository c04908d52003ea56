"""Gives the files to AWS's own client, and to moto as the service behind it."""

import json
import os
import pathlib
import sys

os.environ.update(
    AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1"
)

import boto3
from botocore.stub import Stubber
from jsonschema import Draft4Validator
from moto import mock_aws

entries = json.loads(pathlib.Path("entries.json").read_text())
rules = [json.loads(file.read_text()) for file in sorted(pathlib.Path("rules").iterdir())]
schemas = {file.stem: file.read_text() for file in sorted(pathlib.Path("schemas").iterdir())}


def delivered(events, logs, rules, entries):
    """Puts the rules and the entries; returns which events each rule let through."""
    for rule in rules:
        group = "/aws/events/" + rule["Name"]
        logs.create_log_group(logGroupName=group)
        events.put_rule(**rule)
        arn = "arn:aws:logs:us-east-1:123456789012:log-group:" + group
        events.put_targets(Rule=rule["Name"], Targets=[{"Id": "log", "Arn": arn}])
    answer = events.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 0, answer
    through = {}
    for rule in rules:
        found = logs.filter_log_events(logGroupName="/aws/events/" + rule["Name"])["events"]
        through[rule["Name"]] = [json.loads(one["message"]) for one in found]
    return through


@mock_aws
def main():
    # moto has no schema registry: the client checks the parameters, a validator the documents.
    registry = boto3.client("schemas")
    validators = {}
    with Stubber(registry) as stub:
        for name, content in schemas.items():
            stub.add_response("create_schema", {"SchemaName": name})
            registry.create_schema(
                RegistryName="shop", SchemaName=name, Type="JSONSchemaDraft4", Content=content
            )
            Draft4Validator.check_schema(json.loads(content))
            schema = json.loads(content)
            key = (schema["x-amazon-events-detail-type"], int(name.rpartition(".v")[2]))
            validators[key] = Draft4Validator(schema)

    through = delivered(boto3.client("events"), boto3.client("logs"), rules, entries)
    checked = 0
    for event in (event for events in through.values() for event in events):
        event.setdefault("account", "123456789012")  # moto leaves it out, AWS does not.
        key = (event["detail-type"], event["detail"]["version"])
        errors = [error.message for error in validators[key].iter_errors(event)]
        assert not errors, errors
        del event["detail"]["payload"]
        assert list(validators[key].iter_errors(event)), "an event without payload is valid"
        checked += 1
    names = {name: [event["detail"]["id"] for event in events] for name, events in through.items()}
    json.dump({"through": names, "checked": checked, "schemas": len(schemas)}, sys.stdout)


main()
