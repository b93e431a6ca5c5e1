import { v5 } from 'uuid';
import { defaultStopTimeoutSeconds } from '../hints.ts';
import type { ContainerProvisioning, ContainerRegion } from '../provisioning.ts';
import type { ContainerSpec } from '../spec.ts';
import { cpuUnitsOf, type TaskSize } from './size.ts';

/** What RegisterTaskDefinition is asked for: everything about the process, and nothing about the container's DCM id. */
export type TaskDefinition = {
  /** Names the content: the same for equal definitions, so that each is registered once. */
  readonly family: string;
  readonly size: TaskSize;
  readonly architecture: 'X86_64' | 'ARM64';
  readonly executionRoleArn: string;
  readonly taskRoleArn: string | undefined;
  /** Undefined: Fargate's 20 GiB. */
  readonly storageGib: number | undefined;
  readonly container: {
    readonly image: string;
    /** The share that is guaranteed. */
    readonly cpuUnits: number;
    readonly memoryReservationMib: number;
    readonly memoryMib: number;
    readonly entryPoint: readonly string[];
    readonly command: readonly string[];
    readonly environment: ContainerSpec['env'];
    readonly ports: readonly number[];
    readonly stopTimeoutSeconds: number;
    /** Undefined: the process is not started again. */
    readonly restartAfterSeconds: number | undefined;
  };
  readonly logs: { readonly group: string; readonly region: string; readonly streamPrefix: string };
};

type Settings = {
  readonly provider: string;
  readonly region: string;
  readonly place: Pick<ContainerRegion, 'logGroup'>;
  readonly provisioning: Pick<ContainerProvisioning, 'executionRoleArn'>;
  readonly size: TaskSize;
};

/** ECS starts a process again only where it has run for so long; a minute is its minimum. */
const restartAfterSeconds = 60;

/** Of this program, so that no other program's families have the same names. */
const namespace = v5('dcm-ec2-service-provider/task-definitions', v5.URL);

/** How the families of this provider's task definitions begin. */
const familyPrefix = (provider: string): string => `dcm-${provider}-`;

export const taskDefinitionOf = (
  spec: ContainerSpec,
  { provider, region, place, provisioning, size }: Settings,
): TaskDefinition => {
  const { hints, cpu, memoryMib } = spec;
  const content = {
    size,
    architecture: hints.cpu_architecture === 'arm64' ? 'ARM64' : 'X86_64',
    executionRoleArn: provisioning.executionRoleArn,
    taskRoleArn: hints.task_role,
    storageGib: hints.ephemeral_storage,
    container: {
      image: spec.image,
      cpuUnits: cpuUnitsOf(cpu.min),
      memoryReservationMib: memoryMib.min,
      memoryMib: memoryMib.max,
      entryPoint: spec.command,
      command: spec.args,
      environment: spec.env,
      ports: spec.ports.map(({ port }) => port),
      stopTimeoutSeconds: hints.stop_timeout ?? defaultStopTimeoutSeconds,
      restartAfterSeconds: hints.restart === 'in-place' ? restartAfterSeconds : undefined,
    },
    logs: { group: place.logGroup, region, streamPrefix: provider },
  } as const;
  return { family: `${familyPrefix(provider)}${v5(JSON.stringify(content), namespace)}`, ...content };
};
