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
  /** How long a second of the definition takes, in milliseconds. */
  readonly secondMs: number;
};

/** Stands for a wait: a task whose parameter `seconds` says how long. */
export const waitResource = 'pause';

/** The longest that the interpreter can time; left out, it would end a task after a minute. */
const maximumTimeoutSeconds = 2_147_483;

/**
 * A definition as the interpreter can play it in another time: waits become tasks, for it waits whole seconds only, and the delays of
 * retries are stretched. Time-outs of tasks stay, because functions take the time they take.
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
    if (value === undefined) throw new Error(`The state machine needs a substitution for ${name}.`);
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
