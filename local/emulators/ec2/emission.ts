import { reasonOf } from '../../../shared/core/errors.ts';
import { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';

/** An event that nobody was told, and so something to heal. */
export type LostEvent = {
  readonly instanceId: string;
  readonly region: string;
  readonly detailType: string;
  /** undefined: the event told of something else than a state. */
  readonly state: InstanceState | undefined;
};

type Options = {
  readonly emit: (event: EventBridgeEvent) => void | Promise<void>;
  readonly faults: () => Faults;
  readonly random: Random;
  /** Called for each event that `emit` rejected. */
  readonly log: (line: string) => void;
};

/** EC2 does its best to emit an event, and never tries twice. */
export const emissionTo = ({ emit, faults, random, log }: Options) => {
  const underWay = new Set<Promise<void>>();
  const lost: LostEvent[] = [];
  const isSilent = ({ region }: EventBridgeEvent) => faults().silentRegions.includes(region);
  const isLost = () => faults().loseEvents > 0 && random() < faults().loseEvents;

  return {
    /** Resolves when all that was given to `emit` is taken. */
    taken: () => Promise.all(underWay),
    /** Those that `loseEvents` took, in their order; a silent region loses none, as it never had any. */
    lost: (): readonly LostEvent[] => lost,
    /** Never rejects. */
    emit: async (event: EventBridgeEvent): Promise<void> => {
      if (isSilent(event)) return;
      if (isLost()) return void lost.push(lostEvent(event));
      const emitted = (async () => emit(event))().catch((error) => log(lossOf(event, error)));
      underWay.add(emitted);
      await emitted;
      underWay.delete(emitted);
    },
  };
};

const lossOf = ({ resources, 'detail-type': detailType }: EventBridgeEvent, error: unknown): string =>
  `the event ${detailType} of ${resources.join(', ')} is lost: ${reasonOf(error)}`;

const lostEvent = ({
  resources,
  region,
  detail,
  'detail-type': detailType,
}: EventBridgeEvent): LostEvent => ({
  instanceId: resources[0]?.split('/').at(-1) ?? '', // AWS Health names the id, all others its ARN
  region,
  detailType,
  state: InstanceState.safeParse(detail.state).data,
});
