import type { Context } from 'hono';
import type { UseCases } from '../use-cases.ts';
import type { Operation } from './operation.ts';
import { verbOf } from './paths.ts';
import { jsonBody } from './request-body.ts';
import { vmIdOf } from './vm-id.ts';

export type AnswerParts = {
  readonly useCases: UseCases;
  /** @throws UnauthenticatedError where whoever asks may not. */
  readonly authenticate: (authorization: string | undefined) => Promise<void>;
  readonly homeRegion: string;
  /** Gives all later log lines of the request these fields. */
  readonly correlate: (fields: Readonly<Record<string, string>>) => void;
};

/** What Hono carries along with a request. */
export type Environment = {
  /** From whoever received the request: the id that it has been given. */
  readonly Bindings: { readonly requestId: string };
  readonly Variables: { requestId: string; route: string | undefined };
};

/** One operation as a handler of its route. */
export const answer =
  (operation: Operation, { useCases, authenticate, homeRegion, correlate }: AnswerParts) =>
  async (context: Context<Environment>): Promise<Response> => {
    const { req } = context;
    context.set('route', operation.path);
    if (!operation.isPublic) await authenticate(req.header('authorization'));
    const concerns = (vmId: string) => correlate({ vmId });
    const vmId = vmIdIn(operation.path, req.param('vm_id'));
    if (vmId !== '') concerns(vmId);
    const said = await operation.run(useCases, {
      region: req.param('region') ?? homeRegion,
      vmId,
      query: new URL(req.url).searchParams,
      header: (name) => req.header(name),
      body: () => jsonBody(req.raw),
      requestId: context.get('requestId'),
      concerns,
    });
    const { status } = operation;
    return status === 204 ? new Response(undefined, { status }) : Response.json(said, { status });
  };

const vmIdIn = (template: string, parameter: string | undefined): string => {
  if (parameter === undefined) return '';
  const verb = verbOf(template);
  return vmIdOf(parameter.slice(0, parameter.length - verb.length), 'vm_id');
};
