import { describe, expect, it } from 'vitest';
import { checkOptions } from '../../../local/stack/options.ts';

describe('an option of npm start', () => {
  it.each([
    {
      options: { ec2Endpoint: 'foo' },
      says: '--ec2-endpoint is foo, which is not "aws" or an http(s) URL',
    },
    {
      options: { controlPlaneUrl: 'localhost:8080' },
      says: '--control-plane-url is localhost:8080, which is not an http or https URL',
    },
    {
      options: { controlPlaneUrl: 'http://127.0.0.1:9/api/v1alpha1' },
      says: '--control-plane-url is http://127.0.0.1:9/api/v1alpha1: leave the path out, as in http://127.0.0.1:9',
    },
    {
      options: { natsUrl: 'http://x' },
      says: '--nats-url is http://x: it must be the URL of a NATS server that is running, such as nats://127.0.0.1:4222',
    },
    {
      options: { natsUrl: 'nats://127.0.0.1:1' },
      says: '--nats-url is nats://127.0.0.1:1 (connection refused): it must be the URL of a NATS server that is running',
    },
    { options: { agentUrl: 'http://127.0.0.1:9' }, says: '--agent-url needs --nats-url' },
    {
      options: { agentBin: '/no/such/agent' },
      says: 'the environment agent /no/such/agent is not a file that can be run',
    },
  ])('that is $options is refused before anything is started', async ({ options, says }) => {
    await expect(checkOptions(options)).rejects.toThrow(says);
  });

  it('that is right is accepted', async () => {
    await expect(
      checkOptions({
        ec2Endpoint: 'aws',
        controlPlaneUrl: 'http://127.0.0.1:8080/',
        agentBin: process.execPath,
      }),
    ).resolves.toBeUndefined();
  });
});
