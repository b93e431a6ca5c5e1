import spectral from '@stoplight/spectral-core';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../../functions/provider-api/reference/openapi.ts';
import { aepMethods } from './aep-methods.ts';
import { aepNames } from './aep-names.ts';

const rules = { ...aepMethods, ...aepNames };

const document = JSON.stringify(openApiDocument());

/** The rules that a document breaks. */
const brokenBy = async (text: string): Promise<string[]> => {
  const linter = new spectral.Spectral();
  linter.setRuleset({ rules });
  const results = await linter.run(JSON.parse(text), { ignoreUnknownFormat: true });
  return [...new Set(results.map(({ code }) => String(code)))];
};

/** How to break each rule: what is replaced in the document, and by what. */
const breaches: Record<keyof typeof rules, readonly [string | RegExp, string]> = {
  'aep-122-paths-are-kebab-case': ['"/health"', '"/healthOfAll"'],
  'aep-122-resource-has-path': [
    '"path":{"type":"string","description":"`vms',
    '"at":{"type":"string","description":"`vms',
  ],
  'aep-122-path-is-text': [
    /"path":\{"type":"string","description":"`vms/,
    '"path":{"type":"object","description":"`vms',
  ],
  'aep-122-ids-are-text': ['"instance_id":{"type":"string"', '"instance_id":{"type":"integer"'],
  'aep-122-ids-have-at-most-63-characters': [/\{0,61\}/g, '{0,99}'],
  'aep-130-no-query-is-required': ['"name":"page_token"', '"name":"page_token","required":true'],
  'aep-131-get-answers-the-resource': [
    /("operationId":"getVm".*?)#\/components\/schemas\/Vm"/,
    '$1#/components/schemas/Health"',
  ],
  'aep-131-get-name': ['"operationId":"getVm"', '"operationId":"readVm"'],
  'aep-131-get-has-no-body': ['"operationId":"getVm"', '"operationId":"getVm","requestBody":{"content":{}}'],
  'aep-132-list-name': ['"operationId":"listVms"', '"operationId":"vms"'],
  'aep-132-list-answers-a-page': ['"#/components/schemas/VmPage"', '"#/components/schemas/Vm"'],
  'aep-132-list-has-results': [
    '"results":{"type":"array","items":{"$ref":"#/components/schemas/Vm"',
    '"results":{"type":"object","items":{"$ref":"#/components/schemas/Vm"',
  ],
  'aep-133-create-name': ['"operationId":"createVm"', '"operationId":"addVm"'],
  'aep-133-create-has-id': ['"name":"id"', '"name":"vm"'],
  'aep-133-create-takes-the-resource': [
    /("requestBody":.*?)#\/components\/schemas\/Vm"/,
    '$1#/components/schemas/VmSpec"',
  ],
  'aep-133-create-answers-the-resource': [
    /("201":.*?)#\/components\/schemas\/Vm"/,
    '$1#/components/schemas/Health"',
  ],
  'aep-135-delete-name': ['"operationId":"deleteVm"', '"operationId":"removeVm"'],
  'aep-135-delete-has-no-body': [
    '"operationId":"deleteVm"',
    '"operationId":"deleteVm","requestBody":{"content":{}}',
  ],
  'aep-135-delete-answers-204': ['"204":', '"200":'],
  'aep-135-delete-answers-nothing': ['"204":{', '"204":{"content":{},'],
  'aep-136-custom-methods-are-post': [/("[^"]*:stop":\{)"post"/, '$1"put"'],
  'aep-136-custom-method-name': ['":StopVm"', '"stopVm"'],
  'aep-140-fields-are-snake-case': ['"create_time":{', '"createTime":{'],
  'aep-140-query-parameters-are-snake-case': ['"name":"page_token"', '"name":"pageToken"'],
  'aep-140-booleans-have-no-is': ['"retryable":{', '"is_retryable":{'],
  'aep-142-times-end-in-time': ['"update_time":{', '"updated":{'],
  'aep-158-list-has-max-page-size': ['"name":"max_page_size"', '"name":"page_size"'],
  'aep-158-list-has-page-token': ['"name":"page_token"', '"name":"cursor"'],
  'aep-158-page-has-next-page-token': ['"next_page_token":', '"next":'],
  'aep-193-errors-are-problems': ['"application/problem+json"', '"text/plain"'],
  'aep-193-problems-have-all-members': ['"detail","instance"', '"detail"'],
};

describe('the API, as its OpenAPI document tells it', () => {
  it('is as AEP wants it', async () => {
    expect(await brokenBy(document)).toEqual([]);
  });

  it.each(Object.entries(breaches))('would be found out by %s', async (code, [from, to]) => {
    const changed = document.replace(from, to);

    expect(changed).not.toBe(document);
    expect(await brokenBy(changed)).toContain(code);
  });
});
