import type { ServiceType } from '../../shared/core/kind.ts';
import type { Action } from './context.ts';

export type Argument = {
  readonly name: string;
  readonly about: string;
  readonly isOptional?: true;
  /** One or more. */
  readonly isVariadic?: true;
  readonly choices?: readonly string[];
};

export type OptionSpec = { readonly flags: string; readonly about: string; readonly isRequired?: true };

/** A command: what `--help`, docs/cli.md and the completion show of it, and where its code is, which is loaded when it runs. */
export type CommandSpec = {
  readonly name: string;
  readonly summary: string;
  readonly about?: string;
  readonly arguments?: readonly Argument[];
  readonly options?: readonly OptionSpec[];
  /** Arguments of `ec2sp`, the most usual first. */
  readonly examples: readonly string[];
  /** `--target` says where; other commands refuse it. */
  readonly hasTarget?: true;
  /** Not shown. */
  readonly isHidden?: true;
  readonly load: () => Promise<Action>;
};

export type GroupSpec = {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandSpec[];
};

const pages: readonly OptionSpec[] = [
  { flags: '--page-size <n>', about: 'Maximum results per page' },
  { flags: '--page-token <token>', about: 'Token for next page' },
];

const provider: GroupSpec = {
  name: 'provider',
  summary: 'Providers that are registered at DCM, as dcm sp provider shows them',
  commands: [
    {
      name: 'list',
      summary: 'List the providers',
      about: 'Where .local/endpoints.json names an environment agent, those that are registered there',
      options: [...pages, { flags: '--type <service type>', about: 'Filter by service type' }],
      examples: ['provider list', 'provider list --type vm -o json'],
      load: async () => (await import('./commands/dcm.ts')).listProviders,
    },
    {
      name: 'get',
      summary: 'Get a provider by its id',
      arguments: [{ name: 'PROVIDER_ID', about: 'Its id at DCM' }],
      examples: ['provider get ec2-sp-us-east-1-vm -o yaml'],
      load: async () => (await import('./commands/dcm.ts')).getProvider,
    },
  ],
};

const agent: GroupSpec = {
  name: 'agent',
  summary: "DCM's environment agents, as dcm agent shows them",
  commands: [
    {
      name: 'list',
      summary: 'List the environment agents',
      options: [
        ...pages,
        { flags: '--health-status <status>', about: 'Filter by health: ready, congested or unavailable' },
      ],
      examples: ['agent list', 'agent list --health-status ready'],
      load: async () => (await import('./commands/dcm.ts')).listAgents,
    },
    {
      name: 'get',
      summary: 'Get an environment agent by its id',
      arguments: [{ name: 'AGENT_ID', about: 'Its id at DCM' }],
      examples: ['agent get 5f0c2a52-1f0e-4f5a-9d4c-6a2c6f0f6f10 -o json'],
      load: async () => (await import('./commands/dcm.ts')).getAgent,
    },
  ],
};

const specFile: OptionSpec = {
  flags: '-f, --file <file>',
  about: 'Its spec in JSON or YAML, or - for standard input',
  isRequired: true,
};

/** The word for a resource in texts, and the id of one in examples. */
const words = {
  vm: { noun: 'VM', one: 'web-1' },
  container: { noun: 'container', one: 'shop-1' },
  cluster: { noun: 'cluster', one: 'kube-1' },
} as const satisfies Record<ServiceType, object>;

const resources = (serviceType: ServiceType): GroupSpec => {
  const { noun, one } = words[serviceType];
  const id = { name: 'ID', about: `DCM's id of the ${noun}` };
  const load = async () => import('./commands/resources.ts');
  const members: readonly CommandSpec[] = [
    {
      name: 'list',
      summary: `List the ${noun}s of a target`,
      options: pages,
      examples: [`${serviceType} list`, `${serviceType} list --target prod/eu-west-1 -o json`],
      load: async () => (await load()).list(serviceType),
    },
    {
      name: 'get',
      summary: `Get a ${noun}`,
      arguments: [id],
      examples: [`${serviceType} get ${one} -o yaml`],
      load: async () => (await load()).get(serviceType),
    },
    {
      name: 'create',
      summary: `Create a ${noun}`,
      about: 'A repeated create with the same id returns what the first one created',
      options: [
        specFile,
        { flags: '--id <id>', about: "DCM's id; a new one by default" },
        { flags: '--dry-run', about: 'Create nothing, and print what would be launched' },
        { flags: '--wait', about: 'Wait until it is no longer being provisioned' },
      ],
      examples: [
        `${serviceType} create -f ${serviceType}.yaml --id ${one}`,
        `${serviceType} create -f - --dry-run`,
      ],
      load: async () => (await load()).create(serviceType),
    },
    {
      name: 'delete',
      summary: `Delete ${noun}s`,
      about: 'Asks before, on a terminal; where there are several, for the id of the first',
      arguments: [{ ...id, isVariadic: true }],
      options: [{ flags: '-y, --yes', about: 'Do not ask' }],
      examples: [
        `${serviceType} delete ${one}`,
        `${serviceType} delete ${one} ${one.replace('1', '2')} --yes`,
      ],
      load: async () => (await load()).remove(serviceType),
    },
    {
      name: 'validate',
      summary: `Say what a create of a ${noun} would launch`,
      about: 'Creates nothing',
      options: [specFile],
      examples: [`${serviceType} validate -f ${serviceType}.yaml`],
      load: async () => (await load()).validate(serviceType),
    },
    {
      name: 'events',
      summary: `List the newest statuses of a ${noun} that were published`,
      arguments: [id],
      examples: [`${serviceType} events ${one}`],
      load: async () => (await load()).events(serviceType),
    },
    ...(serviceType === 'vm' ? (['start', 'stop', 'reboot'] as const) : []).map(
      (action): CommandSpec => ({
        name: action,
        summary: `${action.charAt(0).toUpperCase()}${action.slice(1)} a VM`,
        arguments: [id],
        examples: [`vm ${action} ${one}`],
        load: async () => (await load()).change(action),
      }),
    ),
  ];
  return {
    name: serviceType,
    summary: `${noun.charAt(0).toUpperCase()}${noun.slice(1)}s of the provider: list, create, delete, follow`,
    commands: members.map((one) => ({ ...one, hasTarget: true })),
  };
};

const watch: CommandSpec = {
  name: 'watch',
  summary: 'Show changes as they happen, until Ctrl-C',
  about:
    'On a terminal, the newest change of each resource; else one line for each change, or one JSON object with -o json. Reads the feed of the inventory, or of the provider where only that is configured. Says when it is not live, and after a broken connection reads on where it was. Changes are kept for seven days: after a longer absence it says so and begins again. Ctrl-C ends it, with the exit code 130',
  options: [
    {
      flags: '--type <type>',
      about: 'Only vm, container or cluster; with --inventory, only a collection such as volumes',
    },
    { flags: '--id <id>', about: 'Only the resource with this id' },
    { flags: '--all', about: 'Changes of the inventory too' },
    { flags: '--inventory', about: 'Changes of the inventory alone' },
    {
      flags: '--after <cursor>',
      about: 'Begin after this cursor of the feed, and not with what happens next',
    },
    { flags: '--limit <n>', about: 'End after so many changes' },
  ],
  examples: [
    'watch',
    'watch --type vm --target eu-west-1 -o json',
    'watch --id web-1 --limit 1',
    'watch --inventory --type volumes',
  ],
  hasTarget: true,
  load: async () => (await import('./commands/watch.ts')).watch,
};

const collection = {
  name: 'COLLECTION',
  about: 'instances, volumes, vpcs, subnets, security-groups, images, … (docs/inventory.md)',
};

const inventory: GroupSpec = {
  name: 'inventory',
  summary: 'What is in the targets, also what DCM did not create',
  commands: [
    {
      name: 'list',
      summary: 'List a collection of a target',
      arguments: [collection],
      options: [
        { flags: '--called <name>', about: 'Only resources with this name' },
        { flags: '--label <key=value...>', about: 'Only resources with this tag; may be given again' },
        { flags: '--unhealthy', about: 'Only unhealthy resources' },
        { flags: '--limit <n>', about: 'At most so many' },
        { flags: '--detail', about: "With the service's own description, for -o json and yaml" },
      ],
      examples: [
        'inventory list instances --target eu-west-1',
        'inventory list volumes --target prod/eu-west-1 --label team=shop',
      ],
      hasTarget: true,
      load: async () => (await import('./commands/inventory.ts')).list,
    },
    {
      name: 'get',
      summary: 'Get a resource',
      arguments: [collection, { name: 'ID', about: 'Its id in AWS' }],
      examples: ['inventory get instances i-0123456789abcdef0 --target eu-west-1'],
      hasTarget: true,
      load: async () => (await import('./commands/inventory.ts')).get,
    },
    {
      name: 'logs',
      summary: 'Print the log of an instance or a container',
      arguments: [
        { ...collection, choices: ['instances', 'containers'], about: 'instances or containers' },
        { name: 'ID', about: 'Its id in AWS' },
      ],
      options: [
        { flags: '--container <name>', about: 'Which log, where there are several' },
        { flags: '--tail <n>', about: 'Only the last lines' },
      ],
      examples: ['inventory logs instances i-0123456789abcdef0 --target eu-west-1 --tail 20'],
      hasTarget: true,
      load: async () => (await import('./commands/inventory.ts')).logs,
    },
    {
      name: 'targets',
      summary: 'List the targets',
      examples: ['inventory targets'],
      load: async () => (await import('./commands/inventory.ts')).listTargets,
    },
  ],
};

const target = { name: 'TARGET', about: 'A target, as ec2sp targets names it' };

const republish: CommandSpec = {
  name: 'republish',
  summary: 'Publish the status of every resource again',
  about: 'For a DCM that lost statuses. Invokes the poller with your AWS credentials',
  arguments: [{ ...target, isOptional: true, isVariadic: true }],
  options: [{ flags: '--all', about: 'Of all targets' }],
  examples: ['republish eu-west-1', 'republish --all'],
  load: async () => (await import('./commands/polling.ts')).republish,
};

const breaker: GroupSpec = {
  name: 'breaker',
  summary: 'The breaker that holds deletions back where too many resources are missing at once',
  commands: [
    {
      name: 'show',
      summary: 'Show the breakers that have tripped',
      examples: ['breaker show', 'breaker show --target prod/eu-west-1'],
      hasTarget: true,
      load: async () => (await import('./commands/polling.ts')).showBreakers,
    },
    {
      name: 'release',
      summary: 'Let the next listing report the deletions of a target',
      about: 'AWS is asked for each missing resource by its id before it counts as deleted',
      arguments: [target],
      examples: ['breaker release eu-west-1'],
      load: async () => (await import('./commands/polling.ts')).releaseBreaker,
    },
  ],
};

const targets: CommandSpec = {
  name: 'targets',
  summary: 'Show when each target was last listed, and what is wrong there',
  about: 'Invokes the poller with your AWS credentials',
  options: [{ flags: '--all', about: 'The collections of the inventory too' }],
  examples: ['targets', 'targets --all -o json'],
  hasTarget: true,
  load: async () => (await import('./commands/polling.ts')).targets,
};

const usage: CommandSpec = {
  name: 'usage',
  summary: 'Print how long resources ran, for billing',
  about:
    'Of all targets that the token opens, or of --target; of this month until now, or of the time that is asked for, at most 93 days. All of it, however many pages the API has. CSV and FOCUS are printed as the provider answers them',
  options: [
    { flags: '--month <month>', about: 'A whole month of UTC, such as 2026-11' },
    { flags: '--from <time>', about: 'Begin: a date, or a time of RFC 3339' },
    { flags: '--to <time>', about: 'End, exclusive' },
    { flags: '--granularity <part>', about: 'How long a row is at most: hour, day or month' },
    { flags: '--id <id>', about: "Only the resource with this id, DCM's or AWS's" },
    { flags: '--type <service type>', about: 'Only vm, container or cluster' },
    {
      flags: '--format <format>',
      about: 'json, csv or focus, which is CSV of FOCUS 1.2; by default the format of --output',
    },
  ],
  examples: [
    'usage',
    'usage --month 2026-11 --format csv',
    'usage --month 2026-11 --format focus --target prod/eu-west-1',
    'usage --id web-1 --from 2026-11-01 --granularity day -o json',
  ],
  hasTarget: true,
  load: async () => (await import('./commands/usage.ts')).usage,
};

const doctor: CommandSpec = {
  name: 'doctor',
  summary: 'Report what is missing between DCM and the deployed provider, and what to do',
  about:
    "Changes nothing. With your AWS credentials it looks at their account, this machine's clock, the stacks with their EventBridge rules and queues, the secrets (never their values) and the regions, and invokes the functions for the rest. With --target, only what is about that one, and EC2's dry run of a launch there. The exit code is 3 where something is wrong",
  examples: ['doctor', 'doctor --target prod/eu-west-1', 'doctor --settings settings.json'],
  hasTarget: true,
  load: async () => (await import('./commands/doctor.ts')).doctor,
};

const accounts: GroupSpec = {
  name: 'accounts',
  summary: 'Other AWS accounts in the settings',
  commands: [
    {
      name: 'import',
      summary: 'Add the accounts of the AWS organization to the settings',
      about:
        'Prints what would be added, or writes it. Accounts that the settings have stay as they are; the management account is left out',
      options: [
        {
          flags: '--organizational-unit <id...>',
          about: 'Only accounts in these units; by default all of the organization',
        },
        {
          flags: '--regions <regions>',
          about: 'Their regions, separated by commas; by default the home region',
        },
        { flags: '--except <account...>', about: 'Ids of accounts to leave out, such as the home account' },
        { flags: '--write', about: 'Write the settings' },
      ],
      examples: [
        'accounts import --organizational-unit ou-ab12-11111111 --regions eu-west-1,us-east-1',
        'accounts import --except 111111111111 --write',
      ],
      load: async () => (await import('./commands/accounts-import.ts')).importAccounts,
    },
  ],
};

const stacks: readonly CommandSpec[] = [
  {
    name: 'init',
    summary: 'From AWS credentials to a deployed provider: settings, secrets, bootstrap, deployment',
    about:
      'Asks what it needs to know, prints the line that creates the NATS user, and leaves out what is there already. Runs the command line of AWS',
    options: [
      { flags: '--nats-url <url>', about: "The URL of DCM's NATS" },
      { flags: '--nats-creds <file>', about: 'A .creds file of the NATS user, to be stored as a secret' },
      { flags: '--dry-run', about: 'Print what would be done, and do nothing' },
      { flags: '--yes', about: 'Do not ask before permissions are added' },
    ],
    examples: [
      'init',
      'init --no-input --region eu-west-1 --nats-url tls://nats.example.com:4222 --nats-creds ec2-sp.creds --dry-run',
    ],
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
    name: 'synth',
    summary: 'Write the CloudFormation templates to cdk.out, and print their stacks',
    about: 'Needs no AWS account',
    options: [{ flags: '--example', about: 'With the example settings, which cannot be deployed' }],
    examples: ['synth', 'synth --example'],
    load: async () => (await import('./commands/stacks.ts')).synth,
  },
  {
    name: 'diff',
    summary: 'Show what a deployment would change',
    examples: ['diff --settings production.json'],
    load: async () => (await import('./commands/stacks.ts')).diff,
  },
  {
    name: 'deploy',
    summary: 'Deploy the provider with your AWS credentials',
    options: [
      { flags: '--dry-run', about: 'Only write the templates, and print what would be deployed' },
      { flags: '--yes', about: 'Do not ask before permissions are added' },
    ],
    examples: ['deploy --dry-run', 'deploy --yes --settings production.json'],
    load: async () => (await import('./commands/stacks.ts')).deploy,
  },
  {
    name: 'destroy',
    summary: 'Delete the stacks of the provider',
    about: 'Refused while they are protected: docs/deploy.md, Remove it',
    options: [{ flags: '--yes', about: 'Do not ask' }],
    examples: ['destroy'],
    load: async () => (await import('./commands/stacks.ts')).destroy,
  },
];

const verifyAws: CommandSpec = {
  name: 'verify-aws',
  summary: 'Check on your AWS account what the provider assumes of AWS (docs/unverified.md)',
  about:
    'Prints what it found, as a table of Markdown, and removes what it made, also after Ctrl-C. Costs some cents. Runs the command line of AWS. The exit code is 3 where something is otherwise than assumed',
  options: [
    {
      flags: '--services <services>',
      about:
        'Which, separated by commas: ec2, ecs, fargate, iam, aws-cli, eks; by default all but eks, which takes half an hour',
    },
    { flags: '--cluster-role <arn>', about: 'The role of the EKS cluster, with eks' },
    { flags: '--node-role <arn>', about: 'The role of its node, with eks' },
    { flags: '--dry-run', about: "Print the calls of AWS's command line and their cost, and make none" },
    { flags: '--yes', about: 'Do not ask before money is spent' },
  ],
  examples: ['verify-aws --dry-run --region eu-west-1', 'verify-aws --services iam,fargate --yes'],
  load: async () => (await import('./commands/verify-aws.ts')).verifyAws,
};

const completion: CommandSpec = {
  name: 'completion',
  summary: 'Print a completion script for a shell',
  about: 'That of bash needs the package bash-completion.',
  arguments: [{ name: 'SHELL', about: 'Your shell', choices: ['bash', 'zsh', 'fish', 'powershell'] }],
  examples: ['completion zsh > ~/.zfunc/_ec2sp'],
  load: async () => (await import('./commands/completion.ts')).script,
};

/** The completion scripts call it. */
const complete: CommandSpec = {
  name: 'complete',
  summary: 'Complete a command line',
  arguments: [{ name: 'WORD', about: 'The words after ec2sp', isOptional: true, isVariadic: true }],
  examples: ['complete -- vm l'],
  isHidden: true,
  load: async () => (await import('./commands/completion.ts')).complete,
};

/** Every command, in the order of `--help`. */
export const commands: readonly (GroupSpec | CommandSpec)[] = [
  ...[resources('vm'), resources('container'), resources('cluster'), watch, inventory],
  ...[provider, agent, targets, republish, breaker, usage],
  ...[doctor, ...stacks, accounts, verifyAws, completion, complete],
];

/** The options that every command has. */
export const globalOptions: readonly (OptionSpec & { readonly heading: string })[] = [
  ...[
    { flags: '-o, --output <format>', about: 'Output format: table, json, yaml (EC2SP_OUTPUT)' },
    {
      flags: '--timeout <seconds>',
      about: 'How long to wait for an answer, 30 by default (EC2SP_TIMEOUT)',
    },
    {
      flags: '--config <file>',
      about: 'Configuration, by default ~/.config/ec2sp/config.yaml (EC2SP_CONFIG)',
    },
    { flags: '--no-color', about: 'No colour and no animation, as with NO_COLOR' },
    { flags: '--no-input', about: 'Never ask; fail where an answer is needed' },
    { flags: '--verbose', about: 'Print the cause of an error too' },
  ].map((one) => ({ ...one, heading: 'Options of every command' })),
  ...[
    { flags: '--url <url>', about: "The provider's API (EC2SP_URL)" },
    {
      flags: '--token-file <file>',
      about: 'File with its token, or - for standard input (EC2SP_TOKEN_FILE)',
    },
    {
      flags: '--token-secret <name>',
      about: 'Secret in Secrets Manager with its token, read with your AWS credentials (EC2SP_TOKEN_SECRET)',
    },
    {
      flags: '--target <target>',
      about: 'Where: a region, or alias/region in another account; by default the home region',
    },
    { flags: '--inventory-url <url>', about: "The inventory's API (EC2SP_INVENTORY_URL)" },
    {
      flags: '--inventory-token-file <file>',
      about: 'File with its token, or - (EC2SP_INVENTORY_TOKEN_FILE)',
    },
    {
      flags: '--inventory-token-secret <name>',
      about: 'Secret with its token (EC2SP_INVENTORY_TOKEN_SECRET)',
    },
    {
      flags: '--settings <file>',
      about: 'Settings of the deployment, by default settings.json in the working folder, if it is there',
    },
    { flags: '--name <name>', about: 'provider.name of the deployment, ec2-sp by default (EC2SP_NAME)' },
    { flags: '--region <region>', about: 'Its home region (EC2SP_REGION)' },
  ].map((one) => ({ ...one, heading: 'Where the deployment is' })),
  ...[
    { flags: '--api-gateway-url <url>', about: 'API Gateway URL (DCM_API_GATEWAY_URL)' },
    {
      flags: '--dcm-config <file>',
      about: "Configuration of DCM's command line, by default ~/.dcm/config.yaml (DCM_CONFIG)",
    },
    { flags: '--dcm-token-file <file>', about: 'File with a bearer token for DCM, or - (DCM_TOKEN_FILE)' },
    {
      flags: '--tls-ca-cert <file>',
      about: 'Path to CA certificate file for TLS verification (DCM_TLS_CA_CERT)',
    },
    {
      flags: '--tls-client-cert <file>',
      about: 'Path to client certificate file for mTLS (DCM_TLS_CLIENT_CERT)',
    },
    {
      flags: '--tls-client-key <file>',
      about: 'Path to client private key file for mTLS (DCM_TLS_CLIENT_KEY)',
    },
    { flags: '--tls-skip-verify', about: 'Skip TLS certificate verification (DCM_TLS_SKIP_VERIFY)' },
  ].map((one) => ({ ...one, heading: 'Where DCM is' })),
];
