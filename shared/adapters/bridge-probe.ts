import type { LambdaClient } from '@aws-sdk/client-lambda';
import { reasonOf } from '../domain/errors.ts';
import type { NatsProbe } from '../ports/nats-probe.ts';
import { ProbeAnswer } from '../wire/bridge-request.ts';
import { invokeBridge } from './bridge-invocation.ts';

/** A cold nats-bridge needs one second, and NATS another; DCM waits five for all of our health. */
const timeoutMs = 3_000;

/** Has the nats-bridge ask NATS. A bridge that does not answer is a reason like any other. */
export const bridgeProbe =
  (client: LambdaClient, bridge: string): NatsProbe =>
  async () => {
    try {
      const { answer } = await invokeBridge({ client, bridge, timeoutMs }, { do: 'probe' });
      return ProbeAnswer.parse(answer);
    } catch (error) {
      return { connected: false, reason: `${bridge} did not answer: ${reasonOf(error)}` };
    }
  };
