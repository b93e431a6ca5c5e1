import type { SignedCallParts } from '../../../shared/adapters/aws/signed-call.ts';
import type { ServiceType } from '../../../shared/core/kind.ts';
import { type Accounts, type Target, targetKey } from '../../../shared/core/target.ts';
import { eksProbe } from '../../../shared/service-types/cluster/eks/probe.ts';
import { ecsProbe } from '../../../shared/service-types/container/ecs/probe.ts';
import { ec2DryRun } from '../../../shared/service-types/vm/ec2/dry-run.ts';
import type { AccountProvisioning, Env, ProvisioningFile } from '../env.ts';
import type { CheckedService } from './check-health.ts';

type Endpoints = Pick<
  Env,
  'AWS_ENDPOINT_URL' | 'AWS_ENDPOINT_URL_EC2' | 'AWS_ENDPOINT_URL_ECS' | 'AWS_ENDPOINT_URL_EKS'
>;

/** What may be created in an account. */
export type ProvisionedAccount = {
  /** Undefined: the home account. */
  readonly account: string | undefined;
  readonly provisioning: AccountProvisioning;
};

/** The home account, and every other account that is configured and in which resources may be created. */
export const provisionedAccounts = (
  { accounts: byAlias = {}, ...home }: ProvisioningFile,
  configured: Accounts,
): readonly ProvisionedAccount[] => [
  { account: undefined, provisioning: home },
  ...Object.entries(configured).flatMap(([alias, { id: account }]) => {
    const provisioning = byAlias[alias];
    return provisioning === undefined ? [] : [{ account, provisioning }];
  }),
];

/** The service types of which the settings allow to create resources, each with the check of its AWS service. */
export const deployedServices = (
  accounts: readonly ProvisionedAccount[],
  endpoints: Endpoints,
  calls: Pick<SignedCallParts, 'credentials' | 'refused'>,
): readonly CheckedService[] => {
  const { AWS_ENDPOINT_URL: all } = endpoints;
  const calling = (endpoint: string | undefined) => ({ ...calls, endpoint: endpoint ?? all });
  const targetsOf = (serviceType: ServiceType): readonly Target[] =>
    accounts.flatMap(({ account, provisioning }) =>
      Object.keys(regionsOf[serviceType](provisioning)).map((region) => ({ region, account })),
    );
  const vms: CheckedService = {
    ...{ serviceType: 'vm', service: 'EC2', targets: targetsOf('vm') },
    probe: ec2DryRun(calling(endpoints.AWS_ENDPOINT_URL_EC2)),
  };
  const inEcs: CheckedService = {
    ...{ serviceType: 'container', service: 'ECS', targets: targetsOf('container') },
    probe: ecsProbe({
      ...calling(endpoints.AWS_ENDPOINT_URL_ECS),
      ecsClusters: Object.fromEntries(
        accounts.flatMap(({ account, provisioning: { containers } }) =>
          Object.entries(containers?.regions ?? {}).map(([region, { ecsCluster }]) => [
            targetKey({ region, account }),
            ecsCluster,
          ]),
        ),
      ),
    }),
  };
  const inEks: CheckedService = {
    ...{ serviceType: 'cluster', service: 'EKS', targets: targetsOf('cluster') },
    probe: eksProbe(calling(endpoints.AWS_ENDPOINT_URL_EKS)),
  };
  return [vms, inEcs, inEks].filter(({ targets }) => targets.length > 0);
};

const regionsOf: Readonly<Record<ServiceType, (provisioning: AccountProvisioning) => object>> = {
  vm: ({ regions }) => regions,
  container: ({ containers }) => containers?.regions ?? {},
  cluster: ({ clusters }) => clusters?.regions ?? {},
};
