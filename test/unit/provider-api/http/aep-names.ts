import { differs, fits, matches, refersTo, rule } from './aep-rule.ts';

const snakeCase = '^[a-z][a-z0-9]*(_[a-z0-9]+)*$';
const segment = '/[a-z][a-z0-9]*(-[a-z0-9]+)*(\\.json)?';
const vm = "$.components.schemas[?(@ && @['x-aep-resource'])]";
const text = { properties: { type: { const: 'string' } }, required: ['type'] };

/** AEP 122, 140, 142 and 193: what things are called, and what errors look like. @see https://aep.dev */
export const aepNames = {
  'aep-122-paths-are-kebab-case': rule(
    '$.paths[*]~',
    matches(`^(${segment}|/\\{[a-z][a-z0-9_]*\\})+(:[a-z]+)?$`),
  ),
  'aep-122-resource-has-path': rule(`${vm}.properties`, fits({ required: ['path'] })),
  'aep-122-path-is-text': rule(`${vm}.properties.path`, fits(text)),
  'aep-122-ids-are-text': rule("$..properties[?(@property === 'id' || @property.match(/_id$/))]", fits(text)),
  'aep-122-ids-have-at-most-63-characters': rule(
    "$.paths[*].get.parameters[?(@.in === 'path')].schema",
    matches('\\{0,61\\}'),
    'pattern',
  ),
  'aep-140-fields-are-snake-case': rule('$.components.schemas..properties[*]~', matches(snakeCase)),
  'aep-140-query-parameters-are-snake-case': rule(
    "$.paths[*][*].parameters[?(@.in === 'query')]",
    matches(snakeCase),
    'name',
  ),
  'aep-140-booleans-have-no-is': rule("$..[?(@ && @.type === 'boolean')]~", differs('^is_')),
  'aep-142-times-end-in-time': rule(
    "$.components.schemas..properties[?(@.format === 'date-time')]~",
    matches('_time$'),
  ),
  'aep-193-errors-are-problems': rule(
    '$.paths[*][*].responses[?(@property >= 400)].content',
    fits({
      properties: { 'application/problem+json': { properties: { schema: refersTo('Problem') } } },
      required: ['application/problem+json'],
      maxProperties: 1,
    }),
  ),
  'aep-193-problems-have-all-members': rule(
    '$.components.schemas.Problem.required',
    fits({
      allOf: ['type', 'title', 'status', 'detail', 'instance'].map((member) => ({
        contains: { const: member },
      })),
    }),
  ),
};
