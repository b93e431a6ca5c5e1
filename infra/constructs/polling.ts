import { readFileSync } from 'node:fs';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { projectFolder } from '../project-folder.ts';
import type { FunctionDefaults } from './function-defaults.ts';
import { serviceOfThisAccount } from './service-of-this-account.ts';

export type PollingProps = { readonly defaults: FunctionDefaults; readonly poller: LambdaFunction };

const definition = `${projectFolder}functions/poller/state-machine.asl.json`;
const watchdogPeriod = Duration.minutes(5);

/**
 * One Standard state machine that invokes the poller for all regions and runs without end. The watchdog, a rule, starts an execution every
 * five minutes; if another one is in charge, the new one ends after its first plan. The watchdog also starts one when a deployment of the
 * stack is complete, so that polling does not wait for the schedule. CloudFormation's event is best effort, and a new rule may miss it; then
 * the schedule starts the execution.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/eventbridge-events-reference.html
 */
export class Polling extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { defaults, poller }: PollingProps) {
    super(scope, id);
    const stateMachineName = `${defaults.provider}-polling`;
    const role = this.#role(defaults, poller, `stateMachine:${stateMachineName}`);
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName,
      definitionBody: DefinitionBody.fromString(readFileSync(definition, 'utf8')),
      definitionSubstitutions: { Partition: Stack.of(this).partition, Poller: poller.functionName },
      role,
      logs: { destination: this.#logs(defaults, stateMachineName), level: LogLevel.ERROR },
    });
    this.#acknowledge(role);
    new Rule(this, 'Watchdog', {
      description: 'Starts polling if it does not run',
      schedule: Schedule.rate(watchdogPeriod),
      eventPattern: {
        source: ['aws.cloudformation'],
        detailType: ['CloudFormation Stack Status Change'],
        detail: {
          'stack-id': [Stack.of(this).stackId],
          'status-details': { status: ['CREATE_COMPLETE', 'UPDATE_COMPLETE'] },
        },
      },
      targets: [
        new SfnStateMachine(this.stateMachine, {
          input: RuleTargetInput.fromObject({}),
          role: new Role(this.stateMachine, 'EventsRole', {
            assumedBy: serviceOfThisAccount(this, 'events', 'rule/*'),
          }),
          maxEventAge: watchdogPeriod,
        }),
      ],
    });
  }

  #role(defaults: FunctionDefaults, poller: LambdaFunction, successor: string): Role {
    const role = new Role(this, 'Role', {
      assumedBy: serviceOfThisAccount(this, 'states', successor),
      description: `What the polling of ${defaults.provider} may do`,
    });
    poller.grantInvokeLatestVersion(role);
    // By its name: the state machine already depends on its role, so a reference would be circular.
    role.addToPolicy(
      new PolicyStatement({
        actions: ['states:StartExecution'],
        resources: [Stack.of(this).formatArn({ service: 'states', resource: successor })],
      }),
    );
    return role;
  }

  /** The log of errors. With this prefix, CloudWatch does not extend the log's resource policy, whose length is limited. */
  #logs({ logRetention }: FunctionDefaults, stateMachineName: string): LogGroup {
    return new LogGroup(this, 'Logs', {
      logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  #acknowledge(role: Role) {
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Log deliveries, by which a state machine writes its log, have no resource-level permissions.',
    });
    Validations.of(this.stateMachine).acknowledge(
      {
        id: 'AwsSolutions-SF1',
        reason: 'Errors are logged. All other events are in the execution histories, for 90 days.',
      },
      {
        id: 'AwsSolutions-SF2',
        reason: 'The trace of an endless execution is not readable.',
      },
    );
  }
}
