import * as z from 'zod/mini';
import { VmPage } from '../../../../shared/wire/vm.ts';
import { maximumTokenLength } from '../../read/page-token.ts';
import { operation } from '../operation.ts';

const error = 'expected a whole number from 1 to 100';

const Query = z.object({
  max_page_size: z._default(
    z.coerce
      .number({ error })
      .check(
        z.int({ error }),
        z.minimum(1, { error }),
        z.maximum(100, { error }),
        z.describe('How many VMs a page has at most.'),
      ),
    50,
  ),
  page_token: z.optional(
    z
      .string()
      .check(
        z.maxLength(maximumTokenLength, { error: `expected at most ${maximumTokenLength} characters` }),
        z.describe('`next_page_token` of the page before.'),
      ),
  ),
});

export const listVms = operation({
  operationId: 'listVms',
  method: 'GET',
  path: '/api/v1alpha1/vms',
  summary: 'List the VMs of a region',
  description:
    'In the order of their ids. VMs that come or go while pages are read move no other. A page can have fewer VMs than `max_page_size`, or none, and still have a `next_page_token`: the last page is the one without it.',
  query: Query,
  status: 200,
  says: 'One page of VMs.',
  answer: VmPage,
  problems: [],
  run: ({ readVm }, { region, query }) =>
    readVm.list({
      region,
      maximumPageSize: query.max_page_size,
      pageToken: query.page_token,
    }),
});
