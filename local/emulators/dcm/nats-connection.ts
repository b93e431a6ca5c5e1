import { connect, type NatsConnection } from '@nats-io/transport-node';

/**
 * Connects to NATS once; after that the connection is re-established without limit, four times a second. Disposing closes it.
 * @throws where NATS cannot be reached.
 */
export const connectToNats = async (
  url: string,
  log: (line: string) => void,
  clientName = 'control plane',
): Promise<NatsConnection & AsyncDisposable> => {
  const nats = await connect({
    servers: url,
    name: `dcm-${clientName.replace(' ', '-')}`,
    timeout: 5000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true, // otherwise each acknowledgement records a stack trace
  });
  void logChanges(nats, log, clientName);
  return Object.assign(nats, { [Symbol.asyncDispose]: () => nats.close() });
};

const logChanges = async (nats: NatsConnection, log: (line: string) => void, clientName: string) => {
  for await (const { type } of nats.status()) {
    if (type === 'disconnect' || type === 'reconnect') log(`${clientName}: NATS ${type}ed`);
  }
};
