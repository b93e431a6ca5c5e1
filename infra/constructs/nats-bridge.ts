import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { functionNameOf, natsBridge } from '../functions.ts';
import { agentStreamsOf } from '../settings/agent.ts';
import { reportedTypes } from '../settings/service-types.ts';
import type { Settings } from '../settings/settings.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { NatsNetwork } from './nats-network.ts';
import { grantSecret, secretsManagerEndpoint } from './secret.ts';

export type NatsBridgeProps = { readonly defaults: FunctionDefaults; readonly settings: Settings };

/** The only function that connects to NATS and has its address, credentials and, if it is private, network. */
export class NatsBridge extends Construct {
  readonly function: LambdaFunction;
  /** The network of NATS; undefined: it is reached over the internet. */
  readonly network: NatsNetwork | undefined;

  constructor(scope: Construct, id: string, { defaults, settings }: NatsBridgeProps) {
    super(scope, id);
    const { nats } = settings;
    this.network = nats.vpc && new NatsNetwork(this, 'Network', nats.vpc);
    this.function = functionWithDefaults(this, {
      defaults,
      spec: natsBridge({
        natsUrls: nats.urls,
        credentialsSecret: nats.credentialsSecret,
        agentStreams: agentStreamsOf(settings),
        serviceTypes: reportedTypes(settings),
      }),
      sdkEnvironment: secretsManagerEndpoint(this, nats.credentialsSecret),
      ...this.network?.placement,
    });
    this.network?.admit(this.function, functionNameOf(defaults.provider, 'nats-bridge'));
    grantSecret(this.function, 'Credentials', nats.credentialsSecret);
  }
}
