import { CfnElement, CustomResource, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import type { Env } from '../../functions/registration/env.ts';
import { providerRowName } from '../../shared/domain/provider-row.ts';
import type { RegistrationSettings } from '../settings.ts';
import { grantItems } from './grant-items.ts';
import { functionNameOf, type House, houseFunction } from './house-function.ts';
import type { NatsNetwork } from './nats-network.ts';
import type { ProviderApi } from './provider-api.ts';
import { grantSecret, secretsManagerEndpoint } from './secret.ts';

export type RegistrationProps = {
  readonly house: House;
  readonly settings: RegistrationSettings;
  readonly fleet: Table;
  readonly api: ProviderApi;
  /** Where NATS is; undefined: it is reached by the internet. */
  readonly network: NatsNetwork | undefined;
};

const period = Duration.minutes(1);

/**
 * Tells DCM where the provider-api is: when the stack is deployed, every minute after that, and that it is no more when the stack is
 * deleted.
 */
export class Registration extends Construct {
  readonly function: LambdaFunction;
  /** What DCM said to the deployment, in words. */
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
    // When the stack is deleted, the schedule goes first: it would register again what was just withdrawn.
    schedule.node.addDependency(rows);
  }

  #function({ house, settings, fleet, api, network }: RegistrationProps): LambdaFunction {
    const { provider, homeRegion, controlPlane } = settings;
    const secret = controlPlane.endpointCredentials ? settings.api.tokenSecret : undefined;
    const place = controlPlane.vpc ? network : undefined;
    const made = houseFunction(this, {
      house,
      box: 'registration',
      description: "Keeps the provider in DCM's registry",
      timeout: period,
      memoryMb: 256,
      ...place?.placement,
      environment: {
        ...secretsManagerEndpoint(this, secret),
        FLEET_TABLE: fleet.tableName,
        PROVIDER_NAME: provider.name,
        HOME_REGION: homeRegion,
        REGIONS: JSON.stringify(regionsOf(settings)),
        CONTROL_PLANE_URL: controlPlane.url,
        PUBLIC_URL: publicUrlOf(settings, api),
        ...(secret !== undefined && { ENDPOINT_TOKEN_SECRET: secret }),
      } satisfies Env,
    });
    place?.admit(made, functionNameOf(house, 'registration'));
    grantSecret(made, 'Token', secret);
    grantItems(
      fleet,
      made,
      'dynamodb:BatchGetItem',
      'dynamodb:PutItem',
      'dynamodb:DeleteItem',
      'dynamodb:UpdateItem',
    );
    return made;
  }

  /** Whatever changes in its properties has the rows registered anew at the next deployment. */
  #rows({ settings, api, house }: RegistrationProps): CustomResource {
    const logGroup = new LogGroup(this, 'ProviderLogs', {
      logGroupName: `/aws/lambda/${house.provider}-registration-provider`,
      retention: house.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const frameworkOnEventRole = this.#frameworkRole(house, logGroup);
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
        controlPlaneUrl: settings.controlPlane.url,
        publicUrl: publicUrlOf(settings, api),
        rowNames: regionsOf(settings).map((region) =>
          providerRowName({ name: settings.provider.name, homeRegion: settings.homeRegion }, region),
        ),
      },
    });
  }

  /** What CDK's framework may do, which stands between CloudFormation and the function: invoke it, and write its log. */
  #frameworkRole(house: House, logGroup: LogGroup): Role {
    const role = new Role(this, 'ProviderRole', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What tells CloudFormation of the registration of ${house.provider} may do`,
    });
    logGroup.grantWrite(role);
    return role;
  }
}

const logicalIdOf = (made: LambdaFunction): string => {
  const { defaultChild } = made.node;
  return CfnElement.isCfnElement(defaultChild) ? Stack.of(made).getLogicalId(defaultChild) : '';
};

const regionsOf = ({ provisioning }: RegistrationSettings): string[] => Object.keys(provisioning.regions);

const publicUrlOf = ({ controlPlane }: RegistrationSettings, { api }: ProviderApi): string =>
  controlPlane.publicUrl ?? api.apiEndpoint;
