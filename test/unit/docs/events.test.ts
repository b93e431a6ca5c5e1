import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import { statusEvent } from '../../../shared/wire/dcm-status.ts';
import { dcmId, observed, resourceId } from '../../fixtures/resource-messages.ts';
import { statusOf } from '../../fixtures/statuses.ts';

it('docs/events.md shows an event exactly as it is published', () => {
  const text = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8');

  const shown = JSON.parse(/```json\n(.*?)```/s.exec(text)?.[1] ?? '');

  expect(shown).toEqual(
    statusEvent(
      {
        kind: vmKind,
        dcmId,
        resourceId: resourceId,
        region: 'us-east-1',
        privateAddress: '10.0.1.5',
        publicAddress: '203.0.113.7',
      },
      statusOf(observed('running')),
      'ec2-sp',
    ),
  );
});
