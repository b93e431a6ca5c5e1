import { fits, hasQueryParameter, isAbsent, isThere, matches, refersTo, rule } from './aep-rule.ts';

const collection = '$.paths[?(@property.match(/^[^:]*[/]vms$/))]';
const resource = '$.paths[?(@property.match(/^[^:]*[}]$/))]';
const custom = '$.paths[?(@property.match(/:[a-z]+$/))]';
const json = "content['application/json'].schema";

/** AEP 130 to 136 and 158: what methods are called, take and answer. @see https://aep.dev */
export const aepMethods = {
  'aep-130-no-query-is-required': rule("$.paths[*][*].parameters[?(@.in !== 'path')]", isAbsent, 'required'),
  'aep-131-get-answers-the-resource': rule(`${resource}.get.responses['200'].${json}`, fits(refersTo('Vm'))),
  'aep-131-get-name': rule(`${resource}.get`, matches('^get[A-Z][a-zA-Z]*$'), 'operationId'),
  'aep-131-get-has-no-body': rule('$.paths[*].get', isAbsent, 'requestBody'),
  'aep-132-list-name': rule(`${collection}.get`, matches('^list[A-Z][a-zA-Z]*s$'), 'operationId'),
  'aep-132-list-answers-a-page': rule(`${collection}.get.responses['200'].${json}`, fits(refersTo('VmPage'))),
  'aep-132-list-has-results': rule(
    '$.components.schemas.VmPage.properties.results',
    fits({
      properties: { type: { const: 'array' }, items: refersTo('Vm') },
      required: ['type', 'items'],
    }),
  ),
  'aep-133-create-name': rule(`${collection}.post`, matches('^create[A-Z][a-zA-Z]*$'), 'operationId'),
  'aep-133-create-has-id': rule(`${collection}.post.parameters`, hasQueryParameter('id', 'string')),
  'aep-133-create-takes-the-resource': rule(`${collection}.post.requestBody.${json}`, fits(refersTo('Vm'))),
  'aep-133-create-answers-the-resource': rule(
    `${collection}.post.responses['201'].${json}`,
    fits(refersTo('Vm')),
  ),
  'aep-135-delete-name': rule(`${resource}.delete`, matches('^delete[A-Z][a-zA-Z]*$'), 'operationId'),
  'aep-135-delete-has-no-body': rule('$.paths[*].delete', isAbsent, 'requestBody'),
  'aep-135-delete-answers-204': rule(`${resource}.delete.responses`, isThere, '204'),
  'aep-135-delete-answers-nothing': rule(`${resource}.delete.responses['204']`, isAbsent, 'content'),
  'aep-136-custom-methods-are-post': rule(custom, fits({ required: ['post'], maxProperties: 1 })),
  'aep-136-custom-method-name': rule(`${custom}.post`, matches('^:[A-Z][a-zA-Z]*$'), 'operationId'),
  'aep-158-list-has-max-page-size': rule(
    `${collection}.get.parameters`,
    hasQueryParameter('max_page_size', 'integer'),
  ),
  'aep-158-list-has-page-token': rule(
    `${collection}.get.parameters`,
    hasQueryParameter('page_token', 'string'),
  ),
  'aep-158-page-has-next-page-token': rule(
    '$.components.schemas.VmPage.properties',
    fits({
      properties: { next_page_token: { properties: { type: { const: 'string' } } } },
      required: ['next_page_token'],
    }),
  ),
};
