import { connect, type NatsConnection } from '@nats-io/transport-node';

/** Connects once, or throws; from then on reconnects for ever, four times a second. */
export const connectToNats = async (
  url: string,
  log: (line: string) => void,
  party = 'control plane',
): Promise<NatsConnection> => {
  const nats = await connect({
    servers: url,
    name: `dcm-${party.replace(' ', '-')}`,
    timeout: 5000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true, // a stack trace for each acknowledgement
  });
  void logChanges(nats, log, party);
  return nats;
};

const logChanges = async (nats: NatsConnection, log: (line: string) => void, party: string) => {
  for await (const { type } of nats.status()) {
    if (type === 'disconnect' || type === 'reconnect') log(`${party}: NATS ${type}ed`);
  }
};
