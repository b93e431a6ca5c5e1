"""ministack, with what its EC2, DynamoDB and EventBridge lack for this provider; acceptance/deviations.ts lists each repair and why.

Started with ministack's own variables (BIND_HOST, GATEWAY_PORT, MINISTACK_ACCOUNT_ID, MINISTACK_REGION) and with DWELL_SECONDS, how long
an instance stays pending, stopping and shutting-down.
"""

import copy
import json
import os
import threading

from ministack import app
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import dynamodb, ec2, eventbridge

DWELL_SECONDS = float(os.environ.get("DWELL_SECONDS", "1.5"))
CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def first(parameters, name):
    value = parameters.get(name, "")
    return value[0] if isinstance(value, list) else value


def instance_ids(parameters):
    return ec2._parse_member_list(parameters, "InstanceId")


# Two paths of an UpdateExpression that are set to one :value must not share it.
set_value = dynamodb._eval_set_value
dynamodb._eval_set_value = lambda *args, **kwargs: copy.deepcopy(set_value(*args, **kwargs))

# PutEvents takes events of AWS's own sources, which only AWS may publish.
put_events = eventbridge._put_events


def put_any_events(data, allow_aws_source=True):
    return put_events(data, True)


eventbridge._put_events = put_any_events
for table in list(vars(eventbridge).values()):
    if isinstance(table, dict) and table.get("PutEvents") is put_events:
        table["PutEvents"] = put_any_events


def enter_state(instance, name):
    """Puts an instance into a state and publishes EC2's event of it on the default bus of its region."""
    instance["State"] = {"Code": CODES[name], "Name": name}
    instance_id = instance["InstanceId"]
    put_any_events(
        {
            "Entries": [
                {
                    "Source": "aws.ec2",
                    "DetailType": "EC2 Instance State-change Notification",
                    "Resources": [f"arn:aws:ec2:{get_region()}:{get_account_id()}:instance/{instance_id}"],
                    "Detail": json.dumps({"instance-id": instance_id, "state": name}),
                }
            ]
        }
    )


def pass_through(instance, transient, final):
    """The transient state now, the final one after DWELL_SECONDS, unless something else happened to the instance since."""
    account, region = get_account_id(), get_region()
    enter_state(instance, transient)
    entered = instance["State"]

    def arrive():
        with request_scope(account, region):
            if instance["State"] is entered:
                enter_state(instance, final)

    timer = threading.Timer(DWELL_SECONDS, arrive)
    timer.daemon = True
    timer.start()


launch_instances = ec2._launch_instances_internal
launched_by_token = {}
launching = threading.local()


def launch_and_dwell(*args, **kwargs):
    launched = launch_instances(*args, **kwargs)
    for instance in launched:
        instance["ClientToken"] = getattr(launching, "token", "")
        pass_through(instance, "pending", "running")
    return launched


ec2._launch_instances_internal = launch_and_dwell

run_instances = ec2._ACTION_MAP["RunInstances"]


def run_instances_once(parameters):
    """One client token launches once: the same request again answers the instances that there are."""
    token = first(parameters, "ClientToken")
    key = (get_account_id(), get_region(), token)
    known = launched_by_token.get(key) if token else None
    if known is not None:
        instances = [instance for instance in ec2._instances.values() if instance.get("ClientToken") == token]
        items = "".join(ec2._instance_xml(instance) for instance in instances)
        return ec2._xml(
            200,
            "RunInstancesResponse",
            f"<instancesSet>{items}</instancesSet><reservationId>{known}</reservationId>"
            f"<ownerId>{get_account_id()}</ownerId><groupSet/>",
        )
    launching.token = token
    answer = run_instances(parameters)
    if token and answer[0] == 200:
        launched_by_token[key] = "r-" + "0" * 17
    return answer


ec2._ACTION_MAP["RunInstances"] = run_instances_once

instance_xml = ec2._instance_xml


def instance_with_token(instance):
    token = instance.get("ClientToken", "")
    return instance_xml(instance).replace("<amiLaunchIndex>", f"<clientToken>{ec2._esc(token)}</clientToken><amiLaunchIndex>")


ec2._instance_xml = instance_with_token


def dwelling(action, transient, final):
    """An action that changes a state at once, made to pass through the state in between."""
    act = ec2._ACTION_MAP[action]

    def changed(parameters):
        answer = act(parameters)
        if answer[0] != 200:
            return answer
        status, headers, body = answer
        for instance_id in instance_ids(parameters):
            pass_through(ec2._instances[instance_id], transient, final)
        text = body if isinstance(body, str) else body.decode()
        current = f"<currentState><code>{CODES[final]}</code><name>{final}</name></currentState>"
        through = f"<currentState><code>{CODES[transient]}</code><name>{transient}</name></currentState>"
        return status, headers, text.replace(current, through).encode()

    ec2._ACTION_MAP[action] = changed


dwelling("StartInstances", "pending", "running")
dwelling("StopInstances", "stopping", "stopped")
dwelling("TerminateInstances", "shutting-down", "terminated")

describe_instances = ec2._ACTION_MAP["DescribeInstances"]


def describe_or_dry_run(parameters):
    if first(parameters, "DryRun") == "true":
        return ec2._error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    return describe_instances(parameters)


ec2._ACTION_MAP["DescribeInstances"] = describe_or_dry_run

app.main()
