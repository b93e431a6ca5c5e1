import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../../shared/core/errors.ts';
import { specOf } from '../../../../shared/service-types/cluster/spec.ts';

const spec = (fields: object) => specOf({ spec: { service_type: 'cluster', version: '1.33', ...fields } });

describe('the spec of a cluster', () => {
  it('has all fields', () => {
    expect(
      spec({
        nodes: {
          workers: { count: 3, cpu: 2, memory: '8GB', storage: '50500MB' },
          control_plane: { count: 3, cpu: 4, memory: '16GB', storage: '120GB' },
        },
        metadata: { name: 'dev-1', labels: { team: 'shop' } },
        provider_hints: { aws: { instance_type: 'm7i.large', endpoint: 'private' } },
      }),
    ).toEqual({
      version: '1.33',
      workers: { count: 3, vcpus: 2, memoryMib: 8192, diskGib: 50 },
      hasControlPlane: true,
      name: 'dev-1',
      labels: { team: 'shop' },
      hints: { instance_type: 'm7i.large', endpoint: 'private' },
    });
  });

  it.each(['workers', 'worker'])('has workers as %s', (spelling) => {
    expect(spec({ nodes: { [spelling]: { count: 2 } } }).workers).toMatchObject({ count: 2 });
  });

  it('has no workers where DCM sends zero values', () => {
    const zero = { count: 0, cpu: 0, memory: '', storage: '' };

    expect(
      spec({
        nodes: { workers: zero, control_plane: zero },
        api_endpoint: '',
        console_url: '',
        kubeconfig: '',
      }),
    ).toMatchObject({ workers: undefined, hasControlPlane: false });
    expect(spec({ nodes: {} }).workers).toBeUndefined();
  });

  it.each([
    ['version: ', { version: 'latest' }],
    ['version: ', { version: 1.33 }],
    ['service_type: ', { service_type: 'vm' }],
    ['nodes.workers.count: ', { nodes: { workers: { cpu: 2 } } }],
    ['nodes.workers.memory: ', { nodes: { workers: { count: 1, memory: '8Gi' } } }],
    ['nodes: ', { nodes: { workers: { count: 1 }, worker: { count: 2 } } }],
    ['api_endpoint: ', { api_endpoint: 'https://a' }],
    ['console_url: ', { console_url: 'https://a' }],
    ['kubeconfig: ', { kubeconfig: 'YQ==' }],
    ['metadata.name: ', { metadata: { name: 'Not a label' } }],
    ['provider_hints.aws.endpoint: ', { provider_hints: { aws: { endpoint: 'open' } } }],
    ['provider_hints.aws.mode: unknown', { provider_hints: { aws: { mode: 'auto' } } }],
    ['provider_hints.aws.admin_principals: ', { provider_hints: { aws: { admin_principals: ['me'] } } }],
  ])('is refused with the field: %s%j', (message, fields) => {
    expect(() => spec(fields)).toThrow(InvalidArgumentError);
    expect(() => spec(fields)).toThrow(message);
  });
});
