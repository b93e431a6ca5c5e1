import { describe, expect, it } from 'vitest';
import { Env } from '../../../functions/nats-bridge/env.ts';

describe('the nats-bridge’s environment', () => {
  it('needs the URL only', () => {
    expect(Env.parse({ NATS_URL: 'nats://localhost:4222' })).toEqual({
      NATS_URL: 'nats://localhost:4222',
      AGENT_REQUESTS_STREAM: [],
      SERVICE_TYPES: ['vm'],
    });
  });

  it('names one stream of requests to agents, or several', () => {
    const streams = (text: string) =>
      Env.parse({ NATS_URL: 'nats://localhost:4222', AGENT_REQUESTS_STREAM: text }).AGENT_REQUESTS_STREAM;

    expect(streams('dcm-agent-requests')).toEqual(['dcm-agent-requests']);
    expect(streams('dcm-agent-requests,ec2-retry')).toEqual(['dcm-agent-requests', 'ec2-retry']);
  });

  it.each([
    ['NATS_URL', undefined],
    ['NATS_URL', ''],
    ['NATS_CREDENTIALS_SECRET', ''],
    ['AGENT_REQUESTS_STREAM', ''],
    ['AGENT_REQUESTS_STREAM', 'dcm-agent-requests, ec2-retry'],
    ['AGENT_REQUESTS_STREAM', 'dcm.agent.>'],
    ['SERVICE_TYPES', '["database"]'],
    ['SERVICE_TYPES', '[]'],
  ])('is refused by name with %s=%s (C61)', (name, value) => {
    expect(() => Env.parse({ NATS_URL: 'nats://localhost:4222', [name]: value })).toThrow(name);
  });
});
