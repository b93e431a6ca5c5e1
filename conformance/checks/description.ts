import type { Group } from '../check.ts';
import { Skipped } from '../outcome.ts';

const places = ['/openapi.json', '/openapi.yaml', '/api/v1alpha1/openapi.json', '/api/v1alpha1/openapi.yaml'];

export const descriptionChecks: Group = {
  title: 'Description',
  checks: [
    {
      id: 'O1',
      sentence: 'serves its OpenAPI document (for your information: nothing in DCM reads it)',
      source: 'every service provider of dcm-project has one in its repository',
      async run({ provider }) {
        const prefix = provider.collection.pathname.replace(/\/api\/v1alpha1\/.*$/, '');
        for (const place of places) {
          const response = await provider.call('GET', { base: `${prefix}${place}` });
          if (response.status === 200 && /openapi/.test(response.text)) return;
        }
        throw new Skipped(`none at ${places.join(', ')}`);
      },
    },
  ],
};
