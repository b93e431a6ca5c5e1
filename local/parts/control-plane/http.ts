import { Hono } from 'hono';
import { reasonOf } from '../../../shared/domain/errors.ts';
import { events } from './events.ts';
import type { History } from './history.ts';
import { problem } from './problem.ts';
import type { Rows } from './rows.ts';
import { serviceTypeInstances } from './service-type-instances.ts';

/** What the control plane answers over HTTP; each concern has a file of its own. */
export const controlPlaneApi = (rows: Rows, history: History): Hono =>
  new Hono()
    .route('/api/v1alpha1/service-type-instances', serviceTypeInstances(rows))
    .route('/events', events(history))
    .get('/health', (context) => context.json({ status: 'ok', path: 'health' }))
    .notFound(({ req }) => problem('not-found', 'Not found', 404, `nothing at ${req.path}`))
    .onError((error) => problem('internal-error', 'Internal error', 500, reasonOf(error)));
