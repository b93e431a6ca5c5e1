import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EventBridgeClient,
  ListRulesCommand,
  PutEventsCommand,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import * as z from 'zod';
import { provider } from '../names.ts';
import { deviationsFromDocumentation, readEventDocumentation } from '../published-events.ts';
import { callAws, rootConfig } from '../root.ts';
import type { Context, Step } from './context.ts';

type Rule = { readonly name: string; readonly pattern: string };

/** The deployed rules of the home region that have an event pattern. */
export const deployedRules = async ({ ministack }: Context): Promise<Rule[]> => {
  const events = new EventBridgeClient(rootConfig(ministack));
  const { Rules = [] } = await events.send(new ListRulesCommand({}));
  return Rules.flatMap(({ Name: name = '', EventPattern: pattern }) => (pattern ? [{ name, pattern }] : []));
};

const samples = new URL('../../test/fixtures/eventbridge/', import.meta.url);
const Sample = z.looseObject({ source: z.string(), 'detail-type': z.string() });

const matching = async ({ ministack }: Context, rules: readonly Rule[], event: object): Promise<string[]> => {
  const events = new EventBridgeClient(rootConfig(ministack));
  const answers = rules.map(async ({ pattern }) => {
    const { Result } = await events.send(
      new TestEventPatternCommand({ EventPattern: pattern, Event: JSON.stringify(event) }),
    );
    return Result === true ? [pattern] : [];
  });
  return (await Promise.all(answers)).flat();
};

const Executions = z.object({ executions: z.array(z.object({ executionArn: z.string() })) });
/** With all details: those of a failed state hold its error and cause. */
const History = z.object({ events: z.array(z.looseObject({ type: z.string() })) });

const stepFunctions = async ({ ministack }: Context, action: string, input: object): Promise<unknown> => {
  const headers = {
    'x-amz-target': `AWSStepFunctions.${action}`,
    'content-type': 'application/x-amz-json-1.0',
  };
  return JSON.parse(await callAws(ministack, 'states', { headers, body: JSON.stringify(input) }));
};

const stateMachineArn = `arn:aws:states:us-east-1:123456789012:stateMachine:${provider}-polling`;

export const rules: readonly Step[] = [
  {
    title:
      'of the deployed EventBridge rules, exactly one matches each of AWS’s sample events, and none matches others',
    async run(context) {
      const rules = await deployedRules(context);
      for (const file of readdirSync(samples)) {
        const sample = Sample.parse(JSON.parse(readFileSync(new URL(file, samples), 'utf8')));
        const matched = await matching(context, rules, sample);
        assert.equal(matched.length, 1, `${file} is matched by ${matched.join(' and ') || 'no rule'}`);
        assert.ok(matched[0]?.includes(sample['detail-type']), `${file} is matched by ${matched[0]}`);
        for (const other of [{ source: 'custom.source' }, { 'detail-type': 'Another Notification' }])
          assert.deepEqual(await matching(context, rules, { ...sample, ...other }), []);
      }
    },
  },
  {
    title: 'the event of a completed deployment has EventBridge start polling',
    async run(context) {
      const stacks = await callAws(context.ministack, 'cloudformation', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `Action=DescribeStacks&Version=2010-05-15&StackName=dcm-${provider}`,
      });
      const detail = {
        'stack-id': /<StackId>(.*?)<\/StackId>/.exec(stacks)?.[1],
        'status-details': { status: 'CREATE_COMPLETE', 'status-reason': '' },
      };
      const event = {
        Source: 'aws.cloudformation',
        DetailType: 'CloudFormation Stack Status Change',
        Detail: JSON.stringify(detail),
      };
      await new EventBridgeClient(rootConfig(context.ministack)).send(
        new PutEventsCommand({ Entries: [event] }),
      );
      const deadline = Date.now() + 10_000;
      while ((await runningExecutions(context)).length === 0) {
        assert.ok(Date.now() < deadline, 'no execution was started');
        await sleep(100);
      }
    },
  },
];

const runningExecutions = async (context: Context): Promise<string[]> => {
  const running = { stateMachineArn, statusFilter: 'RUNNING' };
  const { executions } = Executions.parse(await stepFunctions(context, 'ListExecutions', running));
  return executions.map(({ executionArn }) => executionArn);
};

export const afterwards: readonly Step[] = [
  {
    title:
      'Step Functions runs one execution of the state machine, since the deployment, and none of its states failed',
    async run(context) {
      const [executionArn, ...others] = await runningExecutions(context);
      assert.ok(
        executionArn !== undefined && others.length === 0,
        `${others.length} more executions run, or none`,
      );
      const { events } = History.parse(
        await stepFunctions(context, 'GetExecutionHistory', { executionArn, maxResults: 1000 }),
      );
      const types = events.map(({ type }) => type);
      assert.deepEqual(
        events.filter(({ type }) => /Failed|TimedOut|Aborted/.test(type)),
        [],
      );
      assert.ok(types.includes('MapStateExited'), `no region was polled: ${[...new Set(types)].join(', ')}`);
    },
  },
  {
    title: 'every published event is as docs/events.md says',
    async run({ surroundings }) {
      const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
      const { published } = surroundings;
      assert.ok(published.length > 20, `only ${published.length} events were published`);
      assert.deepEqual(deviationsFromDocumentation(published, readEventDocumentation(page), provider), []);
    },
  },
];
