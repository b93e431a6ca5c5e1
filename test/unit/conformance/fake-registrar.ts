import type { Registry } from '../../../conformance/registry.ts';
import type { Defect } from './defect.ts';
import type { FakeKind } from './fake-kinds.ts';

const bodyOf = ({ serviceType, collection }: FakeKind) => ({
  name: 'fake',
  service_type: serviceType,
  schema_version: 'v1alpha1',
  endpoint: `http://fake/api/v1alpha1/${collection}`,
  operations: ['CREATE', 'DELETE', 'READ'],
  metadata: { region_code: 'us-east-1' },
});

export const registryToken = 'registry-token';

/** Registers, with a token once it is asked for one, and tries again until it is accepted. */
export const fakeRegistrar = (
  registry: Registry,
  later: (run: () => unknown) => void,
  kind: FakeKind,
  through: Defect['register'] = async (request) => request,
): void => {
  let attempts = 0;
  let authorization: string | undefined;
  const register = async () => {
    attempts += 1;
    const url = 'http://registry/api/v1alpha1/providers?id=fake-vm';
    const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
    const request = await through(
      new Request(url, { method: 'POST', headers, body: JSON.stringify(bodyOf(kind)) }),
      attempts,
    );
    if (request === undefined) return;
    const { ok, status } = await registry.fetch(request);
    if (status === 401) authorization = `Bearer ${registryToken}`;
    if (!ok) later(register);
  };
  later(register);
};
