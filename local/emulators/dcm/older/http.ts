import { Hono } from 'hono';
import { reasonOf } from '../../../../shared/core/errors.ts';
import { events } from './events.ts';
import type { History } from './history.ts';
import { serviceTypeInstances } from './instances/api.ts';
import type { DispatchParts } from './instances/create.ts';
import { problem } from './problem.ts';
import { providers } from './providers/api.ts';
import type { Registry } from './providers/registry.ts';

type Parts = DispatchParts & { readonly registry: Registry; readonly history: History };

/** What the control plane answers over HTTP; each concern has a file of its own. */
export const controlPlaneApi = (parts: Parts): Hono =>
  new Hono()
    .route('/api/v1alpha1/providers', providers(parts.registry))
    .route('/api/v1alpha1/service-type-instances', serviceTypeInstances(parts))
    .route('/events', events(parts.history))
    .get('/health', (context) => context.json({ status: 'ok', path: 'health' }))
    .get('/api/v1alpha1/health', (context) => context.json({ status: 'ok', path: 'health' }))
    .notFound(({ req }) => problem('not-found', 'Not found', 404, `nothing at ${req.path}`))
    .onError((error) => problem('internal-error', 'Internal error', 500, reasonOf(error)));
