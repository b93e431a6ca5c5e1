import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Addresses } from '../../../shared/core/outputs.ts';
import { statusOf as statusOfKind } from '../../../shared/core/resource.ts';
import { clusterKind } from '../../../shared/service-types/cluster/kind.ts';
import { containerKind } from '../../../shared/service-types/container/kind.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import { statusEvent } from '../../../shared/wire/dcm-status.ts';
import { dcmId, observed } from '../../fixtures/resource-messages.ts';
import { fixedPart } from '../../fixtures/statuses.ts';

const page = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => JSON.parse(text));
const addresses: Addresses = { privateAddress: '10.0.1.5', publicAddress: '203.0.113.7' };

describe('docs/events.md', () => {
  it.each([
    { kind: vmKind, resourceId: 'i-1234567890abcdef0', has: addresses },
    {
      kind: containerKind,
      resourceId: 'task/0123456789abcdef0123456789abcdef',
      has: { ...addresses, ports: [{ port: 80, scope: 'external' as const }] },
    },
    {
      kind: clusterKind,
      resourceId: 'eks/us-east-1/kube-1',
      has: { apiEndpoint: 'https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com' },
    },
  ])('shows an event of a $kind.serviceType exactly as it is published', ({ kind, resourceId, has }) => {
    const shown = examples.find(({ type }) => type === `dcm.status.${kind.serviceType}`);

    const observation = { ...observed('running'), resourceId, state: kind.runningState };
    expect(shown).toEqual(
      statusEvent(
        { kind, dcmId, resourceId, region: 'us-east-1', ...has },
        statusOfKind(kind, observation, fixedPart),
        'ec2-sp',
      ),
    );
  });

  it.each([containerKind, clusterKind])(
    'names every status of a $serviceType',
    ({ collection, statuses }) => {
      const heading = `\n## ${collection.charAt(0).toUpperCase()}${collection.slice(1)}\n`;
      const [, section = ''] = page.split(heading);

      const [own = ''] = section.split('\n## ');
      expect(statuses.filter((status) => !own.includes(status))).toEqual([]);
    },
  );
});
