import { Duration } from 'aws-cdk-lib';
import {
  type Function as LambdaFunction,
  ParamsAndSecretsLayerVersion,
  ParamsAndSecretsLogLevel,
  ParamsAndSecretsVersions,
} from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Env } from '../../functions/nats-bridge/env.ts';
import type { Settings } from '../settings.ts';
import { functionNameOf, type House, houseFunction } from './house-function.ts';
import { NatsNetwork } from './nats-network.ts';

export type NatsBridgeProps = { readonly house: House; readonly nats: Settings['nats'] };

/** Caches the secret beside the function, for five minutes. */
const secretsExtension = ParamsAndSecretsLayerVersion.fromVersion(ParamsAndSecretsVersions.V1_0_103, {
  logLevel: ParamsAndSecretsLogLevel.WARN,
});

/** Alone knows NATS: its address, its credentials and, where it is private, its network. */
export class NatsBridge extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, { house, nats }: NatsBridgeProps) {
    super(scope, id);
    const { urls, credentialsSecret, vpc } = nats;
    const network = vpc && new NatsNetwork(this, 'Network', vpc);
    this.function = houseFunction(this, {
      house,
      box: 'nats-bridge',
      description: 'Publishes CloudEvents to JetStream and says which were acknowledged',
      timeout: Duration.seconds(10),
      memoryMb: 256,
      ...network?.placement,
      ...(credentialsSecret !== undefined && { paramsAndSecrets: secretsExtension }),
      environment: {
        NATS_URL: urls.join(','),
        ...(credentialsSecret !== undefined && { NATS_CREDENTIALS_SECRET: credentialsSecret }),
      } satisfies Env,
    });
    network?.admit(this.function, functionNameOf(house, 'nats-bridge'));
    if (credentialsSecret !== undefined)
      Secret.fromSecretNameV2(this, 'Credentials', credentialsSecret).grantRead(this.function);
  }
}
