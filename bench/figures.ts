/** A figure and its bound; one without a bound is only reported. */
type Definition = { readonly what: string; readonly atLeast?: number; readonly atMost?: number };

const latency = (perSecond: number, share: string) =>
  `queue to JetStream's acknowledgement at ${perSecond} events/s without the status bus, ${share}, ms`;

const listingTime = (vms: string) =>
  `listing of ${vms} VMs, unchanged, EC2 answering at once, DynamoDB emulated, ms`;

const changedPages = (units: string) =>
  `DynamoDB ${units} for a listing of 10,000 of which 1 % have changed, on every page`;

/** All figures of `npm run bench`, in the order in which they are shown. */
const definitions = {
  bridge_ratio: { what: 'bridge ÷ bare pipelined JetStream publish of the same bytes', atLeast: 0.82 },
  bridge_events_per_s: { what: 'events/s through the nats-bridge' },
  bare_publish_events_per_s: { what: 'events/s by bare pipelined JetStream publish' },
  normaliser_ratio: { what: 'normaliser ÷ the AWS SDK calls it makes, by themselves', atLeast: 0.8 },
  normaliser_events_per_s: { what: 'events/s through one normaliser, AWS answering at once' },
  queue_to_ack_50_p50_ms: { what: latency(50, 'median'), atMost: 25 },
  queue_to_ack_50_p95_ms: { what: latency(50, '95 %') },
  queue_to_ack_50_p99_ms: { what: latency(50, '99 %'), atMost: 150 },
  queue_to_ack_500_p50_ms: { what: latency(500, 'median') },
  queue_to_ack_500_p95_ms: { what: latency(500, '95 %') },
  queue_to_ack_500_p99_ms: { what: latency(500, '99 %') },
  dynamodb_emulator_events_per_cpu_s: {
    what: 'events at 500/s for each second of CPU time that the DynamoDB emulator needs: it has one thread',
  },
  sqs_emulator_events_per_cpu_s: { what: 'the same of the SQS emulator' },
  write_units_per_owned_event: { what: 'DynamoDB write units for an event of ours', atMost: 2 },
  read_units_per_owned_event: { what: 'DynamoDB read units for an event of ours' },
  write_units_per_1000_foreign: { what: 'DynamoDB write units for 1,000 events of known foreign instances' },
  read_units_per_1000_foreign: { what: 'DynamoDB read units for 1,000 events of known foreign instances' },
  ec2_calls_per_1000_owned: { what: 'EC2 calls for 1,000 events of ours, when VMs end together', atMost: 2 },
  ec2_calls_per_1000_foreign: { what: 'EC2 calls for 1,000 events of known foreign instances', atMost: 0 },
  write_units_per_owned_task_event: {
    what: 'DynamoDB write units for an event of a container of ours',
    atMost: 2,
  },
  ecs_calls_per_1000_owned: { what: 'ECS calls for 1,000 events of our containers', atMost: 0 },
  ecs_calls_per_1000_foreign: { what: "ECS calls for 1,000 events of others' tasks", atMost: 0 },
  queue_requests_per_1000_owned: { what: 'SQS requests for 1,000 events of ours at 50/s' },
  queue_requests_per_1000_foreign: { what: 'SQS requests for 1,000 foreign events at 50/s' },
  poll_ec2_calls_10k: { what: 'EC2 calls for one listing of 10,000 VMs', atMost: 11 },
  poll_ecs_calls_1k: { what: 'ECS calls for one listing of 1,000 containers', atMost: 22 },
  poll_eks_calls_20: {
    what: 'EKS calls for one listing of 20 clusters with one node group each, all at rest',
    atMost: 61,
  },
  poll_read_units_unchanged_10k: {
    what: 'DynamoDB read units for a listing of 10,000, unchanged',
    atMost: 2,
  },
  poll_write_units_unchanged_10k: { what: 'DynamoDB write units for a listing of 10,000, unchanged' },
  poll_units_changed_10k_read: { what: changedPages('read units') },
  poll_units_changed_10k_write: { what: changedPages('write units') },
  poll_ms_1k: { what: listingTime('1,000') },
  poll_ms_10k: { what: listingTime('10,000') },
  poll_ms_100k: { what: listingTime('100,000') },
  poll_ms_changed_10k: { what: 'the same for 10,000 of which 1 % have changed, on every page, ms' },
  poll_peak_memory_ratio: {
    what: 'most heap in use, after collection, when listing 100,000 ÷ 1,000, 100 pages each, new processes',
    atMost: 1.3,
  },
  poll_idle_dollars_per_day: {
    what: 'list price of 5 idle legacy regions of 1,000, $ a day: states, Lambda, DynamoDB; 100 ms assumed for a call to EC2, 10 ms to DynamoDB',
    atMost: 0.1,
  },
  poll_idle_dollars_per_day_kinds: {
    what: 'the same for one region of 1,000 VMs, 1,000 containers and 20 clusters, all at rest; 100 ms assumed for a call to ECS or EKS, too',
    atMost: 0.12,
  },
  poll_idle_dollars_per_day_accounts: {
    what: 'the same for 5 idle legacy regions of 1,000 in each of 3 accounts',
    atMost: 0.3,
  },
  poll_busy_dollars_per_day: {
    what: 'the same for one region of 1,000 VMs of which 1 % change every 10 s, without the normaliser',
  },
  inventory_page_ratio: {
    what: 'GET of 100 of 100,000 instances by the inventory-api at offset 99,900 ÷ at offset 0, chunks not in memory, 99 %',
    atMost: 1.5,
  },
  inventory_page_ms: { what: 'own time of such a GET, the calls to DynamoDB apart, 99 %, ms' },
  inventory_get_aws_calls: { what: 'EC2 calls for these requests', atMost: 0 },
  inventory_log_aws_calls: { what: 'EC2 calls for the log of an instance', atLeast: 1, atMost: 1 },
  inventory_lag_ratio: {
    what: "from an instance's change until the inventory-api serves it ÷ until it is in DCM's row, local stack, median",
    atMost: 3,
  },
  inventory_calls_per_hour_10k: {
    what: 'calls of EC2 and of load balancing an hour that the inventory adds to the listings of 10,000 VMs of ours at rest, as many volumes',
    atMost: 30,
  },
  inventory_calls_per_hour_10k_foreign: {
    what: 'the same for 10,000 instances that are not ours, which the listings leave out without the inventory',
  },
  inventory_dollars_per_month_10k: {
    what: 'list price of 10,000 VMs of ours, $ a month: storage, DynamoDB, states, Lambda; assumed as for the idle regions',
    atMost: 5,
  },
  feed_write_units_per_event: {
    what: 'DynamoDB write units for an event of ours that the status bus and the change feed add, one message at a time',
    atMost: 2,
  },
  usage_write_units_per_event: {
    what: 'DynamoDB write units for an event of ours that the status bus, the change feed and the usage ledger add together, one message at a time',
    atMost: 2,
  },
  heal_transition_s: {
    what: 'a VM runs, all its events are lost and no listing is due: until DCM knows, s',
    atMost: 30,
  },
  container_row_ratio: {
    what: "from a container's change to DCM's row in the local stack ÷ the same for a VM, both without a public address, median",
    atMost: 1.2,
  },
  container_row_p50_ms: { what: "from a container's change to DCM's row in the local stack, median, ms" },
  container_delete_s: {
    what: 'DELETE of a container that ignores the signal to end, until DCM has DELETED, stop time-out included, s',
  },
  bundle_kb_nats_bridge: { what: 'what a cold start of the nats-bridge loads, KiB', atMost: 330 },
  bundle_kb_normaliser: { what: 'what a cold start of the normaliser loads, KiB', atMost: 540 },
  import_ms_nats_bridge: { what: "import of the nats-bridge's bundle in a new process, ms" },
  import_ms_normaliser: { what: "import of the normaliser's bundle in a new process, ms" },
  bundle_kb_provider_api: { what: 'all that the provider-api ever loads, KiB', atMost: 1_300 },
  bundle_kb_provider_api_cold: {
    what: "what a cold start of it loads, health included: not EC2's client, KiB",
    atMost: 640,
  },
  bundle_kb_inventory_api: {
    what: "what a cold start of the inventory-api loads: neither EC2's client nor the OpenAPI document, KiB",
  },
  bundle_kb_inventory: { what: 'what a cold start of the inventory function loads, KiB' },
  get_ratio_p50: {
    what: 'GET of one VM among 10,000 by the provider-api ÷ the DynamoDB reads it makes, by themselves, median',
    atMost: 3,
  },
  get_ratio_p99: { what: 'the same, 99 %', atMost: 3 },
  get_p50_ms_10k: {
    what: 'GET of one VM, and of a page of 50, among 10,000, in the local stack, median, ms',
  },
  get_p99_ms_10k: { what: 'the same, 99 %, ms' },
  get_ec2_calls_10k: { what: 'EC2 calls for these requests', atMost: 0 },
  health_cold_ms: { what: 'health, answered by a new process of the provider-api, ms', atMost: 1_000 },
  create_throttled_slowest_ms: {
    what: 'slowest of 20 creates, half of all calls to EC2 throttled, ms',
    atMost: 10_000,
  },
  create_50_parallel_run_instances: {
    what: 'RunInstances calls for 50 creates of one VM at once',
    atLeast: 1,
    atMost: 1,
  },
  agent_lookup_slowest_ms_50: {
    what: 'slowest of 50 look-ups at once of the VM that an agent’s create is for, ms',
    atMost: 50,
  },
  agent_lookup_history_ms_10k: {
    what: 'look-up of the newest request, 10,000 messages of history behind it, by a bridge that has read none, ms',
    atMost: 50,
  },
  agent_lookup_missing_ms_10k: {
    what: 'until it is established that none of these 10,000 messages is the request, ms',
  },
  cli_help_ratio: { what: '`ec2sp --help` ÷ `node -e 0`, new processes, median of pairs', atMost: 2 },
  cli_help_ms: { what: '`ec2sp --help`, ms' },
  cli_file_kb: { what: 'the one file of `ec2sp`, with all commands, KiB' },
  console_kb: { what: 'the page of the console on the wire, compressed, KiB', atMost: 60 },
  console_first_row_ms: { what: 'from the request for the page until its first row, local stack, ms' },
  console_stream_ms: {
    what: "from DCM's row of a VM that runs until the page shows it, by an event stream, local stack, median, ms",
  },
  console_polling_ms: { what: 'the same by polling, as on AWS, ms' },
  console_busy_ratio: {
    what: "CPU time of the page's main thread with 1,000 VMs and 50 changes a second ÷ with 10 VMs and the same changes",
    atMost: 1.5,
  },
  start_ready_ms: { what: '`npm start` until every part answers, ms', atMost: 8_000 },
} as const satisfies Record<string, Definition>;

export type FigureName = keyof typeof definitions;
/** Measured figures by name: each section returns its own. */
export type Figures = Partial<Record<FigureName, number>>;

export type Row = Definition & { readonly name: string; readonly value: number; readonly met: boolean };

/** The measured figures with their bounds and whether they are met. */
export const rowsOf = (figures: Figures): Row[] => {
  const measured = new Map<string, number>(Object.entries(figures));
  return Object.entries<Definition>(definitions).flatMap(([name, definition]) => {
    const value = measured.get(name);
    return value === undefined ? [] : [{ name, value, met: isMet(value, definition), ...definition }];
  });
};

const isMet = (value: number, { atLeast = -Infinity, atMost = Infinity }: Definition): boolean =>
  value >= atLeast && value <= atMost;
