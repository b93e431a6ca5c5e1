import { setTimeout as pause } from 'node:timers/promises';
import { awsVcpuQuota } from '../../shared/adapters/aws-vcpu-quota.ts';
import { dynamoDbFleet } from '../../shared/adapters/dynamodb-fleet.ts';
import { dynamoDbVmRecords } from '../../shared/adapters/dynamodb-vm-records.ts';
import { ec2InstanceActions } from '../../shared/adapters/ec2-instance-actions.ts';
import { ec2Instances } from '../../shared/adapters/ec2-instances.ts';
import { ec2Offerings } from '../../shared/adapters/ec2-offerings.ts';
import { rememberedOfferings } from '../../shared/adapters/remembered-offerings.ts';
import { sqsObservations } from '../../shared/adapters/sqs-observations.ts';
import { log } from '../../shared/runtime/telemetry.ts';
import type { Environment } from './env.ts';
import type { AwsClients } from './handler-clients.ts';
import { vmUseCases } from './use-cases.ts';

/** VMs by the parts that AWS has. */
export const awsVms = (env: Environment, { table, sqs }: AwsClients) =>
  vmUseCases({
    records: dynamoDbVmRecords(table, env.FLEET_TABLE, log),
    fleet: dynamoDbFleet(table, env.FLEET_TABLE),
    instances: ec2Instances(),
    actions: ec2InstanceActions(),
    offerings: rememberedOfferings(ec2Offerings(), Date.now),
    vcpuQuota: awsVcpuQuota(),
    observations: sqsObservations(sqs, env.OBSERVATIONS_QUEUE_URL),
    provisioning: env.PROVISIONING_FILE,
    provider: env.PROVIDER_NAME,
    tagKeys: env.TAG_KEYS,
    ...{ now: Date.now, pause, log },
  });
