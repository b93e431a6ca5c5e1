import type { SignedCallParts } from '../../../shared/adapters/aws/signed-call.ts';
import { targetOfKey } from '../../../shared/core/target.ts';
import { eksProbe } from '../../../shared/service-types/cluster/eks/probe.ts';
import { ecsProbe } from '../../../shared/service-types/container/ecs/probe.ts';
import { ec2DryRun } from '../../../shared/service-types/vm/ec2/dry-run.ts';
import type { Env, ProvisioningFile } from '../env.ts';
import type { CheckedService } from './check-health.ts';

type Endpoints = Pick<
  Env,
  'AWS_ENDPOINT_URL' | 'AWS_ENDPOINT_URL_EC2' | 'AWS_ENDPOINT_URL_ECS' | 'AWS_ENDPOINT_URL_EKS'
>;

/** The service types of which the settings allow to create resources, each with the check of its AWS service. */
export const deployedServices = (
  { regions, containers, clusters }: ProvisioningFile,
  endpoints: Endpoints,
  credentials: SignedCallParts['credentials'],
): readonly CheckedService[] => {
  const { AWS_ENDPOINT_URL: all } = endpoints;
  const calling = (endpoint: string | undefined) => ({ credentials, endpoint: endpoint ?? all });
  const vms: CheckedService = {
    ...{ serviceType: 'vm', service: 'EC2', targets: targetsOf(regions) },
    probe: ec2DryRun(calling(endpoints.AWS_ENDPOINT_URL_EC2)),
  };
  const inEcs: CheckedService = {
    ...{ serviceType: 'container', service: 'ECS', targets: targetsOf(containers?.regions) },
    probe: ecsProbe({
      ...calling(endpoints.AWS_ENDPOINT_URL_ECS),
      ecsClusters: Object.fromEntries(
        Object.entries(containers?.regions ?? {}).map(([key, { ecsCluster }]) => [key, ecsCluster]),
      ),
    }),
  };
  const inEks: CheckedService = {
    ...{ serviceType: 'cluster', service: 'EKS', targets: targetsOf(clusters?.regions) },
    probe: eksProbe(calling(endpoints.AWS_ENDPOINT_URL_EKS)),
  };
  return [vms, inEcs, inEks].filter(({ targets }) => targets.length > 0);
};

const targetsOf = (regions: Readonly<Record<string, unknown>> = {}) => Object.keys(regions).map(targetOfKey);
