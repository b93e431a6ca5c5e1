import { describe, expect, it } from 'vitest';
import { agentFinds, controlPlaneFinds } from '../../../conformance/pollers.ts';

const table = [
  { status: 200, word: 'healthy', controlPlane: 'healthy', agent: 'healthy' },
  { status: 200, word: 'unhealthy', controlPlane: 'unhealthy', agent: 'unhealthy' },
  { status: 200, word: 'Healthy', controlPlane: 'failed', agent: 'healthy' },
  { status: 200, word: 'UNHEALTHY', controlPlane: 'failed', agent: 'unhealthy' },
  { status: 200, word: 'ok', controlPlane: 'failed', agent: 'failed' },
  { status: 200, word: '', controlPlane: 'failed', agent: 'failed' },
  { status: 204, word: 'healthy', controlPlane: 'healthy', agent: 'failed' },
  { status: 299, word: 'healthy', controlPlane: 'healthy', agent: 'failed' },
  { status: 302, word: 'healthy', controlPlane: 'failed', agent: 'failed' },
  { status: 199, word: 'healthy', controlPlane: 'failed', agent: 'failed' },
  { status: 503, word: 'unhealthy', controlPlane: 'failed', agent: 'failed' },
];

describe('the health pollers', () => {
  it.each(table)('find $status "$word" $controlPlane (control plane) and $agent (agent)', (row) => {
    const answer = { status: row.status, json: { status: row.word } };

    expect([controlPlaneFinds(answer), agentFinds(answer)]).toEqual([row.controlPlane, row.agent]);
  });

  it.each([undefined, null, 'healthy', [], {}, { state: 'healthy' }, { status: 1 }])(
    'find the body %j failed',
    (json) => {
      expect([controlPlaneFinds({ status: 200, json }), agentFinds({ status: 200, json })]).toEqual([
        'failed',
        'failed',
      ]);
    },
  );
});
