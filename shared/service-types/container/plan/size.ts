import { UnprocessableError } from '../../../core/errors.ts';
import type { ContainerSpec } from '../spec.ts';

/** The size of a Fargate task. 1,024 CPU units are one vCPU. */
export type TaskSize = { readonly cpuUnits: number; readonly memoryMib: number };

type Row = {
  readonly cpuUnits: number;
  readonly fromMib: number;
  readonly toMib: number;
  readonly stepMib: number;
};

const gib = 1024;
const row = (vcpus: number, fromGib: number, toGib: number, stepGib: number): Row => ({
  cpuUnits: vcpus * 1024,
  fromMib: fromGib * gib,
  toMib: toGib * gib,
  stepMib: stepGib * gib,
});

/**
 * The sizes of Linux tasks on Fargate. The first row is exact with steps that double: 512, 1,024 and 2,048 MiB.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
 */
const sizes: readonly Row[] = [
  row(0.25, 0.5, 0.5, 0.5),
  row(0.25, 1, 2, 1),
  row(0.5, 1, 4, 1),
  row(1, 2, 8, 1),
  row(2, 4, 16, 1),
  row(4, 8, 30, 1),
  row(8, 16, 60, 4),
  row(16, 32, 120, 8),
];

/** Thousandths of a vCPU in CPU units, rounded up. */
export const cpuUnitsOf = (milli: number): number => Math.ceil((milli * 1024) / 1000);

/**
 * The smallest size of Fargate with at least this CPU and memory.
 * @throws UnprocessableError where even the largest is too small.
 */
export const fargateSize = ({ cpu, memoryMib }: Pick<ContainerSpec, 'cpu' | 'memoryMib'>): TaskSize => {
  const cpuUnits = cpuUnitsOf(cpu.max);
  const found = sizes.find((size) => size.cpuUnits >= cpuUnits && size.toMib >= memoryMib.max);
  if (found === undefined)
    throw new UnprocessableError(
      'resources: no task of Fargate has so much; expected a cpu.max of at most 16 and a memory.max of at most 120GB',
    );
  const steps = Math.ceil(Math.max(0, memoryMib.max - found.fromMib) / found.stepMib);
  return { cpuUnits: found.cpuUnits, memoryMib: found.fromMib + steps * found.stepMib };
};
