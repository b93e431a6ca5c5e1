import type { RequestStream } from '../../../conformance/agent-requests.ts';
import type { Received } from '../../../conformance/events.ts';
import type { Registry } from '../../../conformance/registry.ts';
import type { FakeEvents } from './fake-events.ts';
import type { ListedVm } from './fake-list.ts';

/** What a provider does wrong, laid around one that does everything right. */
export type Defect = {
  readonly answer?: (
    request: Request,
    next: (request: Request) => Promise<Response>,
    fake: FakeProvider,
  ) => Promise<Response>;
  /** What of the event that is due goes out in its place. */
  readonly publish?: (event: Received, fake: FakeProvider) => readonly Received[];
  /** What of the registration that is due is sent in its place; undefined: nothing. */
  readonly register?: (request: Request, attempt: number) => Promise<Request | undefined>;
};

export type FakeAgentRequest = { readonly id: string; readonly on: RequestStream };

export type FakeProvider = {
  readonly fetch: typeof fetch;
  readonly handle: (request: Request) => Promise<Response>;
  readonly received: readonly Received[];
  readonly registry: Registry;
  /** Its resources, of whatever service type. */
  readonly vms: ReadonlyMap<string, ListedVm>;
  readonly events: FakeEvents;
  /** Requests that agents have in hand, by the ids of the requests. */
  readonly agentRequests: Map<string, FakeAgentRequest>;
  /** How often NATS was restarted. */
  restarts(): number;
  restartNats(): Promise<void>;
  /** Ends a resource, as somebody outside DCM would. */
  stop(id: string): void;
  now(): number;
  /** Lets time pass, and happen what is due. */
  advance(ms: number): Promise<void>;
  /** Lets time pass without anything happening. */
  stall(ms: number): void;
};
