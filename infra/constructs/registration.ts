import { CfnElement, CustomResource, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import type { Registries, Registry } from '../../functions/registration/env.ts';
import type { ServiceType } from '../../shared/core/kind.ts';
import { providerName } from '../../shared/core/provider-name.ts';
import { namedTargetOfKey, targetKey } from '../../shared/core/target.ts';
import { type Deployment, functionNameOf, registration } from '../functions.ts';
import { accountsOf, settingsWithin } from '../settings/accounts.ts';
import { agentPlaces, agentsOf } from '../settings/agent.ts';
import { createdTypesByRegion } from '../settings/service-types.ts';
import type { CreationSettings, Settings } from '../settings/settings.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import type { NatsNetwork } from './nats-network.ts';
import type { ProviderApi } from './provider-api.ts';
import { grantSecret, secretsManagerEndpoint } from './secret.ts';

export type RegistrationProps = {
  readonly defaults: FunctionDefaults;
  readonly deployment: Deployment;
  readonly settings: CreationSettings;
  /** Where the provider is registered, by region; at least one. */
  readonly registries: Registries;
  readonly resourceStore: Table;
  readonly api: ProviderApi;
  /** The network of NATS; undefined: it is reached over the internet. */
  readonly network: NatsNetwork | undefined;
};

const period = Duration.minutes(1);

/**
 * Registers the provider-api at DCM when the stack is deployed and every minute after that, and withdraws it when the stack is deleted.
 */
export class Registration extends Construct {
  readonly function: LambdaFunction;
  /** DCM's answer to the registration during the deployment, as text. */
  readonly outcome: string;

  constructor(scope: Construct, id: string, props: RegistrationProps) {
    super(scope, id);
    this.function = this.#function(props);
    const rows = this.#rows(props);
    rows.node.addDependency(props.api);
    this.outcome = rows.getAttString('outcome');

    const schedule = new Rule(this, 'Schedule', {
      description: "Keeps the provider in DCM's registry",
      schedule: Schedule.rate(period),
      targets: [
        new LambdaTarget(this.function, {
          event: RuleTargetInput.fromObject({ do: 'keep-registered' }),
          maxEventAge: period,
          retryAttempts: 0,
        }),
      ],
    });
    // When the stack is deleted, the schedule is deleted first: it would register again what was just withdrawn.
    schedule.node.addDependency(rows);
  }

  #function({
    defaults,
    deployment,
    settings,
    registries,
    resourceStore,
    api,
    network,
  }: RegistrationProps): LambdaFunction {
    const published = Object.values(registries).filter(({ endpointCredentials }) => endpointCredentials);
    const isHomePublished = published.some(({ alias }) => alias === undefined);
    const token = isHomePublished ? settings.api.tokenSecret : undefined;
    const tokens = published.map(({ endpointTokenSecret }) => endpointTokenSecret);
    const secrets = [...new Set([token, ...Object.values(registries).map(secretOf), ...tokens])];
    const place = isInVpc(settings) ? network : undefined;
    const secretsEndpoint = secretsManagerEndpoint(
      this,
      secrets.find((secret) => secret !== undefined),
    );
    const made = functionWithDefaults(this, {
      defaults,
      spec: registration(deployment, {
        registries,
        publicUrl: api.api.apiEndpoint,
        endpointTokenSecret: token,
      }),
      sdkEnvironment: secretsEndpoint,
      ...place?.placement,
    });
    place?.admit(made, functionNameOf(defaults.provider, 'registration'));
    grantSecret(made, 'Token', token);
    for (const [index, secret] of secrets.entries())
      if (index > 0) grantSecret(made, `AgentSecret${index}`, secret);
    grantItems(
      resourceStore,
      made,
      'dynamodb:BatchGetItem',
      'dynamodb:PutItem',
      'dynamodb:DeleteItem',
      'dynamodb:UpdateItem',
    );
    return made;
  }

  /** A change of its properties has the providers registered again by the next deployment. */
  #rows({ settings, registries, api, defaults }: RegistrationProps): CustomResource {
    const logGroup = new LogGroup(this, 'ProviderLogs', {
      logGroupName: `/aws/lambda/${defaults.provider}-registration-provider`,
      retention: defaults.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const frameworkOnEventRole = this.#frameworkRole(defaults, logGroup);
    const { serviceToken } = new Provider(this, 'Provider', {
      onEventHandler: this.function,
      frameworkOnEventRole,
      logGroup,
    });
    Validations.of(frameworkOnEventRole).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${logicalIdOf(this.function)}.Arn>:*]`,
      reason: 'The framework may invoke every version of that one function.',
    });
    return new CustomResource(this, 'Rows', {
      serviceToken,
      serviceTimeout: Duration.minutes(5),
      resourceType: 'Custom::DcmProviderRows',
      properties: {
        controlPlaneUrl: listed(registries, ({ url }) => url),
        publicUrl: listed(registries, ({ publicUrl }) => publicUrl ?? api.api.apiEndpoint),
        rowNames: Object.entries(registries).flatMap(([key, registry]) =>
          (registry.serviceTypes ?? (['vm'] as const)).map((serviceType) =>
            providerName(
              { name: settings.provider.name, homeRegion: settings.homeRegion },
              namedTargetOfKey(key, registry.alias),
              serviceType,
            ),
          ),
        ),
      },
    });
  }

  /** The role of CDK's framework, which calls the function for CloudFormation: it may invoke the function and write its log. */
  #frameworkRole(defaults: FunctionDefaults, logGroup: LogGroup): Role {
    const role = new Role(this, 'ProviderRole', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What tells CloudFormation of the registration of ${defaults.provider} may do`,
    });
    logGroup.grantWrite(role);
    return role;
  }
}

const logicalIdOf = (made: LambdaFunction): string => {
  const { defaultChild } = made.node;
  return CfnElement.isCfnElement(defaultChild) ? Stack.of(made).getLogicalId(defaultChild) : '';
};

/** Each value once, in the order of the regions. */
const listed = (registries: Registries, of: (registry: Registry) => string): string =>
  [...new Set(Object.values(registries).map(of))].join(',');

const isInVpc = (settings: CreationSettings): boolean =>
  settings.controlPlane?.vpc ?? agentPlaces(settings).some(([, { vpc }]) => vpc);

/** Name of the secret that contains the token for a registry, or the client secret to get one. */
const secretOf = ({ auth }: Registry): string | undefined => {
  if (auth === undefined) return undefined;
  return 'tokenSecret' in auth ? auth.tokenSecret : auth.clientSecret;
};

/** Where the provider is registered, by the key of each target; empty if the settings name neither an agent nor a control plane. */
export const registriesOf = (settings: CreationSettings): Registries =>
  Object.fromEntries([
    ...registriesIn(settings),
    ...accountsOf(settings).flatMap(([alias, account]) =>
      registriesIn(settingsWithin(settings, account)).map(([region, registry]) => {
        const endpointTokenSecret = registry.endpointCredentials ? account.api?.tokenSecret : undefined;
        const key = targetKey({ account: account.id, region });
        return [key, { alias, ...registry, ...(endpointTokenSecret && { endpointTokenSecret }) }] as const;
      }),
    ),
  ]);

/** The same of one account, by region. */
const registriesIn = (settings: Settings): (readonly [region: string, Registry])[] => {
  const { controlPlane } = settings;
  const created = createdTypesByRegion(settings);
  if (controlPlane !== undefined) {
    const { url, publicUrl, endpointCredentials } = controlPlane;
    const registry = { kind: 'control-plane', url, publicUrl, endpointCredentials } as const;
    return Object.entries(created).map(
      ([region, serviceTypes]) => [region, { ...registry, ...unlessVmsAlone(serviceTypes) }] as const,
    );
  }
  return Object.entries(agentsOf(settings)).map(([region, { url, publicUrl, auth, caller }]) => {
    const endpointCredentials = caller === 'endpointCredentials';
    const registry = { kind: 'agent', url, publicUrl, endpointCredentials, auth } as const;
    return [region, { ...registry, ...unlessVmsAlone(created[region]) }] as const;
  });
};

/** Absent for VMs alone, which is the registration's default. */
const unlessVmsAlone = (serviceTypes: ServiceType[] = []): { serviceTypes?: ServiceType[] } =>
  serviceTypes.length === 0 || serviceTypes.join() === 'vm' ? {} : { serviceTypes };
