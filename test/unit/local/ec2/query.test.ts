import { describe, expect, it } from 'vitest';
import { parametersOf } from '../../../../local/emulators/ec2/query-protocol.ts';

describe('EC2 simulator, reading a query', () => {
  it('reads names with dots as groups, and numbers as places in a list', () => {
    const form =
      'Action=RunInstances&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.2.Key=b&TagSpecification.1.Tag.1.Key=a';

    const parameters = parametersOf(form);

    expect(parameters).toEqual({
      Action: 'RunInstances',
      TagSpecification: [{ ResourceType: 'instance', Tag: [{ Key: 'a' }, { Key: 'b' }] }],
    });
  });

  it('orders a list by number, not by letter', () => {
    const form = Array.from({ length: 11 }, (_, index) => `InstanceId.${11 - index}=${11 - index}`).join('&');

    expect(parametersOf(form)).toEqual({
      InstanceId: ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11'],
    });
  });

  it('decodes values', () => {
    expect(parametersOf('Tag.1.Value=a%20%26+%C3%BC%3D')).toEqual({ Tag: [{ Value: 'a & ü=' }] });
  });
});
