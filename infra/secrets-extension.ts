import {
  ParamsAndSecretsLayerVersion,
  ParamsAndSecretsLogLevel,
  ParamsAndSecretsVersions,
} from 'aws-cdk-lib/aws-lambda';
import { RegionInfo } from 'aws-cdk-lib/region-info';

const version = ParamsAndSecretsVersions.V1_0_103;

/** Caches secrets beside a function, for five minutes. */
export const secretsExtension = ParamsAndSecretsLayerVersion.fromVersion(version, {
  logLevel: ParamsAndSecretsLogLevel.WARN,
});

/** Whether AWS has the extension there, so that functions can read secrets. */
export const canReadSecrets = (region: string): boolean =>
  RegionInfo.get(region).paramsAndSecretsLambdaLayerArn(version, 'arm64') !== undefined;
