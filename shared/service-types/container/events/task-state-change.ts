import * as z from 'zod/mini';
import type { Observation, ResourceMessage } from '../../../core/message.ts';
import { billedFactsOf } from '../../../core/outputs.ts';
import { eventKind } from '../../event-kind.ts';
import { describedTask, markPrefix } from '../task.ts';

const text = z.optional(z.nullable(z.string()));

/** Milliseconds since 1970. */
const Time = z.pipe(
  text,
  z.transform((time) => {
    const ms = Date.parse(time ?? '');
    return Number.isNaN(ms) ? undefined : ms;
  }),
);

/**
 * aws.ecs "ECS Task State Change": a task, or a container of it, has changed. It has the whole task but for its tags, so that it shows whose
 * task it is, and every state that the task was in.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
 */
export const taskStateChange = eventKind({
  source: 'aws.ecs',
  detailType: 'ECS Task State Change',
  taskDetail: ({ provider, clusterArns }) => ({
    ...(clusterArns && { clusterArn: [...clusterArns] }),
    group: [{ prefix: markPrefix(provider) }],
  }),
  schema: z.object({
    taskArn: z.string(),
    lastStatus: z.string(),
    desiredStatus: z.optional(z.string()),
    startedBy: z.optional(z.string()),
    group: z.optional(z.string()),
    taskDefinitionArn: z.optional(z.string()),
    availabilityZone: z.optional(z.string()),
    cpu: z.optional(z.string()),
    memory: z.optional(z.string()),
    createdAt: z.optional(Time),
    startedAt: z.optional(Time),
    stoppingAt: z.optional(Time),
    executionStoppedAt: z.optional(Time),
    stoppedAt: z.optional(Time),
    stopCode: z.optional(z.string()),
    stoppedReason: z.optional(z.string()),
    containers: z.optional(
      z.array(
        z.object({
          name: z.optional(z.string()),
          exitCode: z.optional(z.int()),
          reason: z.optional(z.string()),
          networkInterfaces: z.optional(z.array(z.object({ privateIpv4Address: z.optional(z.string()) }))),
        }),
      ),
    ),
    attachments: z.optional(
      z.array(
        z.object({
          details: z.optional(
            z.array(z.object({ name: z.optional(z.string()), value: z.optional(z.string()) })),
          ),
        }),
      ),
    ),
  }),
  toMessages: (detail, from, _event, identity): ResourceMessage[] => {
    const task = describedTask(
      {
        ...detail,
        zone: detail.availabilityZone,
        createdAtMs: detail.createdAt,
        startedAtMs: detail.startedAt,
        stoppingAtMs: detail.stoppingAt,
        executionStoppedAtMs: detail.executionStoppedAt,
        stoppedAtMs: detail.stoppedAt,
      },
      identity,
      from.at,
    );
    const {
      resourceId,
      state,
      stateTimes = [],
      reason,
      privateAddress,
      unrecognised,
      tags,
      clientToken,
    } = task;
    const about = { ...from, resourceId };
    const observations = stateTimes.map(
      (proven): Observation => ({
        ...{ kind: 'observation', ...about, ...proven, privateAddress, seenBy: 'event' },
        ...billedFactsOf(task),
        ...(proven.state === state && { reason, unrecognised }),
      }),
    );
    return [{ kind: 'tag-change', ...about, tags, clientToken }, ...observations];
  },
});
