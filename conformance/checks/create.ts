import * as z from 'zod';
import type { Group } from '../check.ts';
import { refusalOf } from '../open-session.ts';
import { must } from '../outcome.ts';
import { idOf } from '../provider.ts';
import { mustBeProblem } from './problem.ts';

/** The old control plane's timeout for a create; an agent waits for sixty seconds. */
const longestMs = 30_000;
const dcmId = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const Created = z.looseObject({ id: z.string(), path: z.string(), status: z.string() });

const wrongIds = ['Upper', '-leading', 'trailing-', 'under_score', 'a'.repeat(64), '../escape', 'a/b', 'a b'];

export const createChecks: Group = {
  title: 'Create',
  checks: [
    {
      id: 'C1',
      sentence: 'answers POST {endpoint}?id=ID and {"spec": …} with 201 and the resource as JSON',
      source: 'control-plane internal/sp/service/resource_manager/service_type_instance.go',
      caller: 'old control plane',
      async run({ firstCreate }) {
        const attempt = await firstCreate('wrapped');
        must(attempt.answer?.status === 201, refusalOf(attempt));
        const { contentType } = attempt.answer;
        must(/^application\/json/.test(contentType), `answered as ${contentType || 'nothing'}`);
      },
    },
    {
      id: 'C2',
      sentence: 'answers with the requested id, a path that ends with it, and a status of DCM',
      source: 'osac-service-provider internal/handlers/vm (TC-I-300)',
      async run({ newId, create, specimen, vocabulary }) {
        await specimen();
        const id = newId();
        const resource = Created.safeParse((await create(id)).json);
        must(resource.success, 'the answer lacks id, path or status, or one is no text');
        must(resource.data.id === id, `id is ${resource.data.id}, not ${id}`);
        must(resource.data.path.endsWith(`/${id}`), `path is ${resource.data.path}`);
        must(vocabulary.statuses.includes(resource.data.status), `status is "${resource.data.status}"`);
      },
    },
    {
      id: 'C3',
      sentence: 'answers a create within thirty seconds',
      source: 'control-plane internal/sp/service/resource_manager (defaultProviderHTTPClient)',
      caller: 'old control plane',
      async run({ newId, create, specimen }) {
        await specimen();
        const { tookMs } = await create(newId());
        must(tookMs < longestMs, `the answer took ${tookMs} ms, longer than the control plane waits`);
      },
    },
    {
      id: 'C4',
      sentence: 'accepts a create without an id and generates one that DCM accepts, or refuses it with 400',
      source: 'utilities tests/e2e/sp_container_api_test.go (generated id)',
      async run({ provider, specimen, spec }) {
        await specimen();
        const answer = await provider.create(undefined, { spec });
        if (answer.status >= 400) return mustBeProblem(answer, 400, 'a create without an id');
        const id = idOf(answer.json) ?? '';
        must(dcmId.test(id), `the id it made is "${id}"`);
      },
    },
    {
      id: 'C5',
      sentence: 'refuses ids that DCM does not allow, such as one of 64 characters, with 400',
      source: 'control-plane api/sp/v1alpha1 (id pattern); AEP-122',
      async run({ provider, spec }) {
        for (const id of wrongIds) {
          const { status } = await provider.create(id, { spec });
          must(status === 400, `the id "${id}" was answered ${status}, not 400`);
        }
      },
    },
    {
      id: 'C6',
      sentence: 'ignores unknown parts of a spec: other keys, nulls, hints for other providers',
      source: 'enhancements service-type-definitions.md; control-plane internal/catalog/service/seed.go',
      async run({ create, specimen, newId, specOf }) {
        await specimen();
        const id = newId();
        const known = specOf(id);
        const hints = {
          ...z.object({}).loose().safeParse(known.provider_hints).data,
          elsewhere: { flavour: 'm1' },
        };
        const spec = {
          ...known,
          provider_hints: hints,
          not_yet_invented: null,
          ip: '',
          x_tra: { deep: [1] },
        };
        await create(id, spec);
      },
    },
  ],
};
