import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import * as z from 'zod';
import type { Part } from '../../part.ts';
import { serve } from '../../processes/loopback.ts';
import { deliveries, type Rule } from './delivery.ts';
import { eventPattern } from './event-pattern.ts';
import { acceptEntry, PutEvents } from './put-events.ts';

type Options = {
  readonly port?: number;
  readonly rules: readonly Rule[];
  /** The account that events are said to come from. */
  readonly account: string;
  /** Hears of events that could not be delivered. */
  readonly log: (line: string) => void;
};

/**
 * EventBridge's default bus: PutEvents over HTTP, and rules. Unlike AWS it takes events whose `source` begins with `aws.`,
 * for here EC2's own events arrive this way too. It answers first and delivers then, as AWS does.
 * @throws ZodError where a rule's pattern is none.
 */
export const startEventBus = async ({ port, rules, account, log }: Options): Promise<Part> => {
  const targets = rules.map(({ patterns, ...rule }) => ({ rule, matchers: patterns.map(eventPattern) }));
  const pending = deliveries(log);

  const put = (entry: unknown, region: string) => {
    const { answer, event } = acceptEntry(entry, { account, region });
    if (event === undefined) return answer;
    const matching = targets.filter(({ matchers }) => matchers.some((matches) => matches(event)));
    for (const { rule } of matching) pending.begin(rule, JSON.stringify(event));
    return answer;
  };

  const app = new Hono();
  app.post('/', async ({ req }) => {
    if (req.header('x-amz-target') !== 'AWSEvents.PutEvents') return failed('UnknownOperationException');
    const request = PutEvents.safeParse(await req.json().catch(() => undefined));
    if (!request.success) return failed('ValidationException', z.prettifyError(request.error));
    const region = regionOf(req.header('authorization'));
    const answers = request.data.Entries.map((entry) => put(entry, region));
    return json(200, {
      FailedEntryCount: answers.filter((one) => 'ErrorCode' in one).length,
      Entries: answers,
    });
  });
  const http = await serve(app.fetch, port);
  return {
    url: http.url,
    [Symbol.asyncDispose]: async () => {
      await http[Symbol.asyncDispose]();
      await pending.end();
    },
  };
};

/** From the credential scope of the signature: `Credential=KEY/20250101/us-east-1/events/aws4_request`. */
const regionOf = (authorization = ''): string =>
  /Credential=[^/]+\/\d{8}\/([\w-]+)\//.exec(authorization)?.[1] ?? 'us-east-1';

const failed = (__type: string, message?: string) => json(400, { __type, message });

const json = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() },
  });
