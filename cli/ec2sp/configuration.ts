import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod/mini';
import '../../shared/runtime/schema-messages.ts';
import { reasonOf } from '../../shared/core/errors.ts';
import type { Tls } from './http.ts';
import { type Format, formats } from './output.ts';
import { CommandError, readInput, type Talk, type Terminal, UsageError } from './terminal.ts';

const text = z.optional(z.string());
const file = z.optional(z.string());
const flag = z.optional(z.boolean());

/** The options that every command has, as the parser of the command line returns them. */
export const GlobalOptions = z.object({
  ...{ output: text, timeout: text, config: file, target: text },
  ...{ url: text, tokenFile: file, tokenSecret: text },
  ...{ inventoryUrl: text, inventoryTokenFile: file, inventoryTokenSecret: text },
  ...{ name: text, region: text, settings: file },
  ...{ apiGatewayUrl: text, dcmConfig: file, dcmTokenFile: file },
  ...{ tlsCaCert: file, tlsClientCert: file, tlsClientKey: file, tlsSkipVerify: flag },
  ...{ color: z._default(z.boolean(), true), input: z._default(z.boolean(), true), verbose: flag },
});
export type GlobalOptions = z.infer<typeof GlobalOptions>;

const Tokens = { 'token-file': file, 'token-secret': text };

/** `~/.config/ec2sp/config.yaml`: where our deployment is. */
const OwnFile = z.strictObject({
  ...{ url: text, ...Tokens },
  ...{ 'inventory-url': text, 'inventory-token-file': file, 'inventory-token-secret': text },
  /** Tokens of the APIs of other accounts, by alias. */
  accounts: z.optional(z.record(z.string(), z.strictObject(Tokens))),
  ...{ name: text, region: text, output: text, timeout: z.optional(z.int()) },
});
type OwnFile = z.infer<typeof OwnFile>;

/** `~/.dcm/config.yaml`, the file of DCM's own command line. Keys that are of no use here are ignored. */
const DcmFile = z.object({
  ...{ 'api-gateway-url': text, 'output-format': text, timeout: z.optional(z.int()) },
  ...{ 'tls-ca-cert': file, 'tls-client-cert': file, 'tls-client-key': file, 'tls-skip-verify': flag },
});

/** `.local/endpoints.json`: what runs on this machine. */
const Endpoints = z.object({
  ...{ providerApiUrl: z.string(), providerApiToken: z.string() },
  ...{ inventoryUrl: text, inventoryToken: text, lambdaUrl: z.string() },
  ...{ controlPlaneUrl: z.string(), agentUrl: text },
  ...{ prodProviderApiUrl: text, prodProviderApiToken: text },
});
type Endpoints = z.infer<typeof Endpoints>;

const localProvider = 'ec2-sp';

/** The settings of the deployment, as far as they say where it is, with their defaults. */
const DeploymentSettings = z.object({
  provider: z._default(z.object({ name: z._default(z.string(), localProvider) }), { name: localProvider }),
  homeRegion: z.string(),
});

/** An HTTP API, and how to get the token for it. */
export type Api = { readonly url: URL; readonly token: () => Promise<string | undefined> };

/** The deployed functions. On this machine, `lambdaUrl` is their endpoint. */
export type Deployment = {
  readonly name: string;
  readonly region: string;
  readonly lambdaUrl?: string | undefined;
};

export type Configuration = ReturnType<typeof configurationOf>;

const defaultGateway = 'http://localhost:9080';

/**
 * Where the APIs are: flags before environment variables, before `.local/endpoints.json` in the working folder, before the file of the user.
 * A token is sent only to the URL beside which it is configured, so that no other server gets it. Files are read once, when they are needed.
 */
export const configurationOf = (terminal: Terminal, options: GlobalOptions, talk: Pick<Talk, 'say'>) => {
  const { env } = terminal;
  const variable = (name: string): string | undefined => env[name] || undefined;
  const setting = (given: string | undefined, name: string) => given ?? variable(name);
  const ownFile = once(() => readYaml(OwnFile, ownPath(), options.config !== undefined));
  const dcmFile = once(() =>
    readYaml(DcmFile, dcmPath(), setting(options.dcmConfig, 'DCM_CONFIG') !== undefined),
  );
  const endpoints = once(async () => readEndpoints(terminal.folder, talk));

  function ownPath(): string {
    const given = setting(options.config, 'EC2SP_CONFIG');
    if (given !== undefined) return resolve(terminal.folder, given);
    return join(variable('XDG_CONFIG_HOME') ?? join(terminal.home, '.config'), 'ec2sp', 'config.yaml');
  }

  function dcmPath(): string {
    const given = setting(options.dcmConfig, 'DCM_CONFIG');
    return given === undefined ? join(terminal.home, '.dcm', 'config.yaml') : resolve(terminal.folder, given);
  }

  return {
    target: options.target,
    ...{ providerApi, inventory, feed, deployment, dcm, format, dcmFormat, timeoutMs, settingsPath },
  };

  async function providerApi(): Promise<Api> {
    return providerApiAt(options.target);
  }

  async function providerApiAt(target: string | undefined): Promise<Api> {
    const given = setting(options.url, 'EC2SP_URL');
    const local = given === undefined ? await endpoints() : undefined;
    const own = await ownFile();
    const base = given ?? local?.providerApiUrl ?? own.url;
    if (base === undefined) throw new UsageError(noUrl('--url', 'EC2SP_URL', 'url'));
    const alias = aliasIn(target);
    const token = tokenOf({
      file: setting(options.tokenFile, 'EC2SP_TOKEN_FILE'),
      secret: setting(options.tokenSecret, 'EC2SP_TOKEN_SECRET'),
      local: local && localToken(local, alias),
      configured: isSameOrigin(base, own.url) ? tokensFor(own, alias) : {},
    });
    return { url: apiUrl(base, target), token };
  }

  async function inventory(): Promise<Api> {
    const given = setting(options.inventoryUrl, 'EC2SP_INVENTORY_URL');
    const local = given === undefined ? await endpoints() : undefined;
    const own = await ownFile();
    const base = given ?? local?.inventoryUrl ?? own['inventory-url'];
    if (base === undefined)
      throw new UsageError(noUrl('--inventory-url', 'EC2SP_INVENTORY_URL', 'inventory-url'));
    const token = tokenOf({
      file: setting(options.inventoryTokenFile, 'EC2SP_INVENTORY_TOKEN_FILE'),
      secret: setting(options.inventoryTokenSecret, 'EC2SP_INVENTORY_TOKEN_SECRET'),
      local: local?.inventoryToken,
      configured: isSameOrigin(base, own['inventory-url'])
        ? { 'token-file': own['inventory-token-file'], 'token-secret': own['inventory-token-secret'] }
        : {},
    });
    return { url: parseUrl(base), token };
  }

  /** The API with the feed of changes: the inventory's, or where none is known the provider's, which has it with a console. */
  async function feed(): Promise<Api> {
    if (setting(options.inventoryUrl, 'EC2SP_INVENTORY_URL') !== undefined) return inventory();
    if (setting(options.url, 'EC2SP_URL') !== undefined) return providerApiAt(undefined);
    const known = (await endpoints())?.inventoryUrl ?? (await ownFile())['inventory-url'];
    return known === undefined ? providerApiAt(undefined) : inventory();
  }

  type TokenSources = {
    readonly file: string | undefined;
    readonly secret: string | undefined;
    readonly local: string | undefined;
    readonly configured: Pick<OwnFile, 'token-file' | 'token-secret'>;
  };

  function tokenOf({ file, secret, local, configured }: TokenSources): () => Promise<string | undefined> {
    if (file !== undefined) return () => tokenIn(file);
    if (secret !== undefined) return () => tokenInSecret(secret);
    if (local !== undefined) return async () => local;
    const { 'token-file': configuredFile, 'token-secret': configuredSecret } = configured;
    if (configuredFile !== undefined) return () => tokenIn(configuredFile);
    if (configuredSecret !== undefined) return () => tokenInSecret(configuredSecret);
    return async () => undefined;
  }

  async function tokenIn(path: string): Promise<string> {
    const read = path === '-' ? readInput(terminal.stdin) : readFile(resolve(terminal.folder, path), 'utf8');
    const token = (
      await read.catch((cause) => {
        throw new CommandError(`The file of the token cannot be read: ${reasonOf(cause)}.`, { cause });
      })
    ).trim();
    if (token === '') throw new CommandError(`The file of the token, ${path}, is empty.`);
    return token;
  }

  async function tokenInSecret(secret: string): Promise<string | undefined> {
    const { readToken } = await import('./aws.ts');
    return readToken(secret, { region: (await deployment()).region, env });
  }

  async function deployment(): Promise<Deployment> {
    const [name, region] = [setting(options.name, 'EC2SP_NAME'), setting(options.region, 'EC2SP_REGION')];
    const isElsewhere = options.settings ?? name ?? region ?? setting(options.url, 'EC2SP_URL');
    const local = isElsewhere === undefined ? await endpoints() : undefined;
    if (local !== undefined) return { name: localProvider, region: 'us-east-1', lambdaUrl: local.lambdaUrl };
    const own = await ownFile();
    const settings = await readDeploymentSettings(settingsPath());
    const found = {
      name: name ?? settings?.provider.name ?? own.name ?? localProvider,
      region: region ?? settings?.homeRegion ?? own.region ?? variable('AWS_REGION'),
    };
    if (found.region === undefined)
      throw new UsageError(
        'Which deployment is meant is not known. Give --settings FILE, or its home region by --region or region in the configuration.',
      );
    return { name: found.name, region: found.region };
  }

  /** The settings file that is given, or the one in the working folder. */
  function settingsPath(): string | undefined {
    if (options.settings !== undefined) return resolve(terminal.folder, options.settings);
    const path = resolve(terminal.folder, 'settings.json');
    return existsSync(path) ? path : undefined;
  }

  /** DCM's control plane, and whichever of it and the environment agent lists providers. */
  async function dcm() {
    const own = await dcmFile();
    const given = setting(options.apiGatewayUrl, 'DCM_API_GATEWAY_URL');
    const local = given === undefined ? await endpoints() : undefined;
    const gateway = given ?? local?.controlPlaneUrl ?? own['api-gateway-url'] ?? defaultGateway;
    const tls = tlsOf(own);
    if (gateway.startsWith('https://') && (tls.clientCert === undefined) !== (tls.clientKey === undefined))
      throw new UsageError('--tls-client-cert and --tls-client-key must be used together');
    const seconds = setting(options.timeout, 'DCM_TIMEOUT') ?? own.timeout ?? 30;
    const tokenFile = setting(options.dcmTokenFile, 'DCM_TOKEN_FILE');
    return {
      gateway,
      providers: local?.agentUrl ?? gateway,
      tls,
      timeoutMs: secondsOf(seconds) * 1000,
      token: async () => (tokenFile === undefined ? undefined : tokenIn(tokenFile)),
    };
  }

  function tlsOf(own: z.infer<typeof DcmFile>): Tls {
    const skipVerify = variable('DCM_TLS_SKIP_VERIFY');
    return {
      caCert: setting(options.tlsCaCert, 'DCM_TLS_CA_CERT') ?? own['tls-ca-cert'],
      clientCert: setting(options.tlsClientCert, 'DCM_TLS_CLIENT_CERT') ?? own['tls-client-cert'],
      clientKey: setting(options.tlsClientKey, 'DCM_TLS_CLIENT_KEY') ?? own['tls-client-key'],
      skipVerify:
        options.tlsSkipVerify ?? (skipVerify === undefined ? own['tls-skip-verify'] : isTrue(skipVerify)),
    };
  }

  async function format(): Promise<Format> {
    return formatOf(setting(options.output, 'EC2SP_OUTPUT') ?? (await ownFile()).output);
  }

  async function dcmFormat(): Promise<Format> {
    return formatOf(setting(options.output, 'DCM_OUTPUT_FORMAT') ?? (await dcmFile())['output-format']);
  }

  async function timeoutMs(): Promise<number> {
    const seconds = setting(options.timeout, 'EC2SP_TIMEOUT') ?? (await ownFile()).timeout ?? 30;
    return secondsOf(seconds) * 1000;
  }
};

const once = <T>(read: () => Promise<T>): (() => Promise<T>) => {
  let found: Promise<T> | undefined;
  return () => {
    found ??= read();
    return found;
  };
};

const isTrue = (value: string) => ['1', 't', 'true'].includes(value.toLowerCase());

/** In the words of DCM's command line. */
const formatOf = (given = 'table'): Format => {
  const found = formats.find((one) => one === given);
  if (found === undefined)
    throw new UsageError(`invalid output format "${given}": must be one of ${formats.join(', ')}`);
  return found;
};

const longestTimeoutSeconds = 3600;

const secondsOf = (given: string | number): number => {
  const seconds = Number(given);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= longestTimeoutSeconds) return seconds;
  throw new UsageError(`The timeout is ${given}: expected whole seconds from 1 to ${longestTimeoutSeconds}.`);
};

const noUrl = (flag: string, variable: string, key: string): string =>
  `There is no URL. Give ${flag} URL, ${variable}, or ${key} in ~/.config/ec2sp/config.yaml; or run npm start in this folder.`;

const parseUrl = (given: string): URL => {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`${given} is no URL: expected http://… or https://…`);
  url.pathname = url.pathname.replace(/\/*$/, '/');
  return url;
};

const targetPattern = /^([a-z][a-z0-9]{1,15}\/)?[a-z]+(-[a-z]+)+-\d+$/;

/** @throws UsageError where a target has not the form of one */
export const checkTarget = (target: string): void => {
  if (!targetPattern.test(target))
    throw new UsageError(
      `${target} is no target: expected a region such as eu-west-1, or prod/eu-west-1 in the account prod`,
    );
};

const apiUrl = (base: string, target: string | undefined): URL => {
  if (target === undefined) return parseUrl(base);
  checkTarget(target);
  return new URL(`${target}/`, parseUrl(base));
};

const aliasIn = (target: string | undefined): string | undefined => /^(.*)\//.exec(target ?? '')?.[1];

const tokensFor = (own: OwnFile, alias: string | undefined) =>
  alias === undefined ? own : (own.accounts?.[alias] ?? {});

const isSameOrigin = (one: string, other: string | undefined): boolean =>
  other !== undefined &&
  URL.canParse(one) &&
  URL.canParse(other) &&
  new URL(one).origin === new URL(other).origin;

const localToken = (endpoints: Endpoints, alias: string | undefined): string | undefined => {
  if (alias === undefined) return endpoints.providerApiToken;
  const ofProd = endpoints.prodProviderApiUrl;
  return ofProd !== undefined && new URL(ofProd).pathname.startsWith(`/${alias}/`)
    ? endpoints.prodProviderApiToken
    : undefined;
};

const readEndpoints = (folder: string, talk: Pick<Talk, 'say'>): Endpoints | undefined => {
  const path = join(folder, '.local', 'endpoints.json');
  if (!existsSync(path)) return undefined;
  const endpoints = parsed(Endpoints, () => JSON.parse(readFileSync(path, 'utf8')), path);
  talk.say('Using .local/endpoints.json, which is about what runs on this machine.');
  return endpoints;
};

const readDeploymentSettings = async (path: string | undefined) =>
  path === undefined
    ? undefined
    : parsed(DeploymentSettings, () => JSON.parse(readFileSync(path, 'utf8')), path);

const readYaml = async <Schema extends z.ZodMiniType>(
  schema: Schema,
  path: string,
  mustExist: boolean,
): Promise<z.infer<Schema>> => {
  if (!(mustExist || existsSync(path))) return schema.parse({});
  const { parse } = await import('yaml');
  return parsed(schema, () => parse(readFileSync(path, 'utf8')) ?? {}, path);
};

const parsed = <Schema extends z.ZodMiniType>(
  schema: Schema,
  read: () => unknown,
  path: string,
): z.infer<Schema> => {
  try {
    return schema.parse(read());
  } catch (cause) {
    throw new UsageError(`${path} cannot be used: ${reasonOf(cause)}`, { cause });
  }
};
