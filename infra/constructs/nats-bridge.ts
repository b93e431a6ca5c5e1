import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Env } from '../../functions/nats-bridge/env.ts';
import { agentStreamsOf } from '../settings/agent.ts';
import type { Settings } from '../settings/settings.ts';
import { type FunctionDefaults, functionNameOf, functionWithDefaults } from './function-defaults.ts';
import { NatsNetwork } from './nats-network.ts';
import { grantSecret, secretsManagerEndpoint } from './secret.ts';

export type NatsBridgeProps = { readonly defaults: FunctionDefaults; readonly settings: Settings };

/** Alone knows NATS: its address, its credentials and, where it is private, its network. */
export class NatsBridge extends Construct {
  readonly function: LambdaFunction;
  /** Where NATS is; undefined: it is reached by the internet. */
  readonly network: NatsNetwork | undefined;

  constructor(scope: Construct, id: string, { defaults, settings }: NatsBridgeProps) {
    super(scope, id);
    const { nats } = settings;
    const streams = agentStreamsOf(settings);
    this.network = nats.vpc && new NatsNetwork(this, 'Network', nats.vpc);
    this.function = functionWithDefaults(this, {
      defaults,
      box: 'nats-bridge',
      description: 'Publishes CloudEvents to JetStream and says which were acknowledged',
      timeout: Duration.seconds(10),
      memoryMb: 256,
      ...this.network?.placement,
      environment: {
        ...secretsManagerEndpoint(this, nats.credentialsSecret),
        NATS_URL: nats.urls.join(','),
        ...(nats.credentialsSecret !== undefined && { NATS_CREDENTIALS_SECRET: nats.credentialsSecret }),
        ...(streams.length > 0 && { AGENT_REQUESTS_STREAM: streams.join(',') }),
      } satisfies Env,
    });
    this.network?.admit(this.function, functionNameOf(defaults, 'nats-bridge'));
    grantSecret(this.function, 'Credentials', nats.credentialsSecret);
  }
}
