/** Arrows only point down: infra, local and cli → functions → adapters, runtime → ports, wire → domain. */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'domain-is-pure',
      comment: 'shared/core and shared/domain import each other and the schema library, nothing else.',
      severity: 'error',
      from: { path: '^shared/(core|domain)' },
      to: { pathNot: ['^shared/(core|domain)', 'node_modules/zod'] },
    },
    {
      name: 'ports-and-wire-know-only-the-domain',
      severity: 'error',
      from: { path: '^shared/(ports|wire)' },
      to: { pathNot: ['^shared/(core|domain|ports|wire)', 'node_modules/(zod|cloudevents)'] },
    },
    {
      name: 'service-types-know-only-the-domain',
      severity: 'error',
      from: { path: '^shared/service-types' },
      to: { pathNot: ['^shared/(domain|ports|wire|service-types)', 'node_modules/(zod|uuid)'] },
    },
    {
      name: 'only-adapters-and-runtime-touch-the-outside',
      severity: 'error',
      from: { path: '^(shared/(core|domain|ports|wire|service-types)|functions/[^/]+/(?!handler))' },
      to: {
        path: 'node_modules/(@aws-sdk|@smithy|@nats-io|@aws-lambda-powertools)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'shared-stands-alone',
      severity: 'error',
      from: { path: '^shared' },
      to: { path: '^(functions|infra|local|cli|bench|test|acceptance)' },
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
      to: { path: '^(local|cli|bench|test|acceptance)' },
    },
    {
      name: 'infra-takes-types-and-patterns-from-functions',
      severity: 'error',
      from: { path: '^infra' },
      to: { path: '^functions', pathNot: ['/env\\.ts$', '^functions/normaliser/events/'] },
    },
    {
      name: 'only-runtime-uses-powertools',
      severity: 'error',
      from: { path: '^(functions|shared)', pathNot: '^shared/runtime' },
      to: { path: 'node_modules/@aws-lambda-powertools' },
    },
  ],
  required: [
    {
      name: 'only-tests-of-subprocesses-are-retried',
      comment: 'vitest.config.ts retries files of this name, because they start a nats-server or the like.',
      severity: 'error',
      module: { path: '\\.subprocess\\.test\\.ts$' },
      to: { path: '^(node:)?child_process$', reachable: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
