/**
 * Arrows only point down: infra, local and cli → functions → service types, adapters, http, runtime → ports, wire → core.
 */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'dynamic-import'] } },
    },
    {
      name: 'core-is-pure',
      comment: 'shared/core imports itself and the schema library, nothing else.',
      severity: 'error',
      from: { path: '^shared/core' },
      to: { pathNot: ['^shared/core', 'node_modules/zod'] },
    },
    {
      name: 'ports-and-wire-know-only-the-core',
      severity: 'error',
      from: { path: '^shared/(ports|wire)' },
      to: { pathNot: ['^shared/(core|ports|wire)', 'node_modules/(zod|cloudevents)'] },
    },
    {
      name: 'the-table-knows-no-service-type',
      comment: 'What the protocol needs of a service type is handed over as a value (Kind, RecordFormat).',
      severity: 'error',
      from: { path: '^shared/adapters/dynamodb' },
      to: { path: '^shared/service-types' },
    },
    {
      name: 'service-types-stand-beside-the-adapters',
      comment:
        'A service type supplies what the protocol needs; its own adapters may use the clients by target.',
      severity: 'error',
      from: { path: '^shared/service-types' },
      to: {
        pathNot: [
          '^shared/(core|ports|wire|service-types)',
          '^shared/adapters/aws/',
          'node_modules/(zod|uuid|lru-cache|aws4fetch|@aws-sdk|@smithy)',
        ],
      },
    },
    {
      name: 'service-types-do-not-import-each-other',
      severity: 'error',
      from: { path: '^shared/service-types/([^/]+)/' },
      to: { path: '^shared/service-types/[^/]+/', pathNot: '^shared/service-types/$1/' },
    },
    {
      name: 'only-adapters-and-runtime-touch-the-outside',
      severity: 'error',
      from: {
        path: '^(shared/(core|ports|wire|http|service-types/(?![^/]+/(ec2|ecs|eks)/))|functions/[^/]+/(?!handler))',
      },
      to: {
        path: 'node_modules/(@aws-sdk|@smithy|@nats-io|@aws-lambda-powertools)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'http-serves-any-function',
      severity: 'error',
      from: { path: '^shared/http' },
      to: { path: '^shared/(service-types|adapters)' },
    },
    {
      name: 'shared-stands-alone',
      severity: 'error',
      from: { path: '^shared' },
      to: { path: '^(functions|infra|local|cli|conformance|tools|bench|test|acceptance)' },
    },
    {
      name: 'functions-do-not-import-each-other',
      comment: 'They meet through a queue, a table or a schema.',
      severity: 'error',
      from: { path: '^functions/([^/]+)/' },
      to: { path: '^functions/', pathNot: '^functions/$1/' },
    },
    {
      name: 'nothing-deployed-knows-the-laptop',
      severity: 'error',
      from: { path: '^(functions|shared|infra)' },
      to: { path: '^(local|cli|conformance|tools|bench|test|acceptance)' },
    },
    {
      name: 'infra-takes-types-from-functions',
      severity: 'error',
      from: { path: '^infra' },
      to: { path: '^functions', pathNot: ['/env\\.ts$'] },
    },
    {
      name: 'only-runtime-uses-powertools',
      severity: 'error',
      from: { path: '^(functions|shared)', pathNot: '^shared/runtime' },
      to: { path: 'node_modules/@aws-lambda-powertools' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
