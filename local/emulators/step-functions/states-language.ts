import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import * as z from 'zod';

type PreparedDefinition = {
  readonly definition: StateMachineDefinition;
  /** The resource of each task, by the name of its state. */
  readonly resources: ReadonlyMap<string, string>;
};

type Options = {
  /** An ASL file (JSONPath), in which `${Name}` stands for a substitution. */
  readonly text: string;
  readonly substitutions: Readonly<Record<string, string>>;
  /** Milliseconds for each second of the definition. */
  readonly secondMs: number;
};

/** Resource of the tasks that replace waits; the parameter `seconds` is the duration. */
export const waitResource = 'pause';

/** The longest timeout that the interpreter supports. Its default is one minute. */
const maximumTimeoutSeconds = 2_147_483;

/**
 * Prepares a definition for the interpreter with a scaled second: waits become tasks, because the interpreter supports only whole seconds,
 * and the intervals of retries are scaled. Timeouts of tasks are not scaled, because functions run at their own speed.
 * @throws where a substitution is missing, and where a state waits otherwise than by SecondsPath.
 */
export const prepareDefinition = ({ text, substitutions, secondMs }: Options): PreparedDefinition => {
  const resources = new Map<string, string>();
  const definition: StateMachineDefinition = JSON.parse(substituted(text, substitutions), (key, value) => {
    if (key === 'Retry') return scaledRetries(value, secondMs / 1000);
    const state = isWait(value) ? waitTask(value) : value;
    const task = Task.safeParse(state);
    if (task.success) resources.set(key, task.data.Resource);
    return state;
  });
  return { definition, resources };
};

const substituted = (text: string, substitutions: Options['substitutions']) =>
  text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = substitutions[name];
    if (value === undefined) throw new Error(`the state machine needs a substitution for ${name}`);
    return value;
  });

const Retriers = z.array(
  z.looseObject({ IntervalSeconds: z.number().default(1), MaxDelaySeconds: z.number().optional() }),
);

const scaledRetries = (retriers: unknown, factor: number) =>
  Retriers.parse(retriers).map(({ IntervalSeconds, MaxDelaySeconds, ...retrier }) => ({
    ...retrier,
    IntervalSeconds: IntervalSeconds * factor,
    ...(MaxDelaySeconds !== undefined && { MaxDelaySeconds: MaxDelaySeconds * factor }),
  }));

const Task = z.looseObject({ Type: z.literal('Task'), Resource: z.string() });
const Wait = z.looseObject({ Type: z.literal('Wait'), SecondsPath: z.string() });

const isWait = (value: unknown) => z.looseObject({ Type: z.literal('Wait') }).safeParse(value).success;

const waitTask = (value: unknown) => {
  const { SecondsPath, ...wait } = Wait.parse(value);
  return {
    ...wait,
    Type: 'Task',
    Resource: waitResource,
    Parameters: { 'seconds.$': SecondsPath },
    ResultPath: null,
    TimeoutSeconds: maximumTimeoutSeconds,
  };
};
