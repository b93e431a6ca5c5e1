/**
 * The limits of ECS's operations.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
 */
export const ecsLimits = {
  tasksPerRunTask: 10,
  tasksPerDescribeTasks: 100,
  clustersPerDescribeClusters: 100,
  /** Of ListTasks and ListTaskDefinitions. */
  pageSize: 100,
  clientTokenCharacters: 64,
  startedByCharacters: 128,
  groupCharacters: 255,
  /** As JSON. */
  overridesCharacters: 8192,
  tags: 50,
  subnets: 16,
  securityGroups: 5,
  capacityProviders: 20,
  containersPerDefinition: 10,
  definitionBytes: 65_536,
  stopTimeoutSeconds: { minimum: 2, default: 30, maximum: 120 },
  ephemeralStorageGib: { minimum: 21, maximum: 200 },
  /** How long ECS remembers a client token, at most. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html */
  clientTokenMs: 86_400_000,
  /** How long a stopped task can be described, at least. */
  stoppedTaskMs: 3_600_000,
} as const;

/** A token bucket: calls that it admits at once, and how many more each second. */
export type CallRate = { readonly burst: number; readonly perSecond: number };

/**
 * The call rates that AWS documents, an account and region. Of the other operations it documents only that they have one.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html
 */
export const documentedCallRates = {
  RunTask: { burst: 20, perSecond: 20 },
  DescribeClusters: { burst: 50, perSecond: 20 },
} as const satisfies Readonly<Record<string, CallRate>>;
