/** The functions, each a folder in functions/, which `cdk deploy` deploys and `npm start` runs. */
export const functionNames = [
  'normaliser',
  'nats-bridge',
  'poller',
  'provider-api',
  'registration',
  'cluster-steps',
  'inventory',
  'change-feed',
  'inventory-api',
  'usage',
] as const;
export type FunctionName = (typeof functionNames)[number];

/** Deployed only with an inventory. */
export const inventoryFunctions: ReadonlySet<FunctionName> = new Set<FunctionName>([
  'inventory',
  'change-feed',
  'inventory-api',
]);
