import { mkdtempSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { onTestFinished, vi } from 'vitest';
import { runProgram } from '../../../../cli/ec2sp/program.ts';

/** A folder that nobody else has. */
export const emptyFolder = (): string => mkdtempSync(join(tmpdir(), 'ec2sp-'));

/** For this test, this process has no AWS credentials, whatever the machine has. */
export const withoutAwsCredentials = (): void => {
  const nowhere = emptyFolder();
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_CONFIG_FILE', join(nowhere, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(nowhere, 'credentials'));
  onTestFinished(() => void vi.unstubAllEnvs());
};

/** What a stream of a terminal has besides. */
const cursor = { columns: 80, cursorTo: () => true, moveCursor: () => true, clearLine: () => true };

type Options = {
  readonly env?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly home?: string;
  readonly programFolder?: string;
  readonly stdin?: string;
  /** Standard input, output and errors are a terminal, where these answers are typed, then Ctrl-D. */
  readonly typed?: readonly string[];
  /** Of the terminal. */
  readonly size?: { readonly columns: number; readonly rows: number };
  readonly interrupted?: AbortSignal;
  readonly onOutput?: (text: string) => void;
};

/** Runs `ec2sp` with arguments, in this process. */
export const ec2sp = async (args: readonly string[], options: Options = {}) => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const written = { out: '', err: '' };
  const answers = [...(options.typed ?? [])];
  stdout.on('data', (chunk) => {
    written.out += chunk;
    options.onOutput?.(String(chunk));
  });
  stderr.on('data', (chunk) => {
    written.err += chunk;
    if (!/(\[y\/N\]|\w:) $/.test(written.err)) return;
    if (answers.length > 0) stdin.write(`${answers.shift()}\n`);
    else stdin.end(); // Ctrl-D
  });
  if (options.typed === undefined) stdin.end(options.stdin ?? '');
  const isTTY = options.typed !== undefined;
  const exitCode = await runProgram(args, {
    stdin: Object.assign(stdin, { isTTY }),
    stdout: Object.assign(stdout, { isTTY, ...cursor, ...options.size }),
    stderr: Object.assign(stderr, { isTTY, ...cursor }),
    env: options.env ?? {},
    folder: options.folder ?? emptyFolder(),
    home: options.home ?? emptyFolder(),
    programFolder: options.programFolder ?? emptyFolder(),
    interrupted: options.interrupted ?? new AbortController().signal,
    cleanUpTakesLong: () => undefined,
  });
  return { exitCode, stdout: written.out, stderr: written.err };
};

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
};

type Answering = {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
};

/** An HTTP server that answers as the function says; undefined: never. Ends with the test. */
export const server = async (answer: (asked: Asked) => Answering | undefined) => {
  const asked: Asked[] = [];
  const http = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
    const one: Asked = {
      ...{ method: request.method ?? '', path: pathname, query: searchParams, headers: request.headers },
      body: text === '' ? undefined : JSON.parse(text),
    };
    asked.push(one);
    const answered = answer(one);
    if (answered === undefined) return;
    const { status = 200, headers = {}, body } = answered;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const { port } = portOf(http.address());
  return { url: `http://127.0.0.1:${port}`, asked, closeConnections: () => http.closeAllConnections() };
};

const portOf = (address: string | AddressInfo | null): AddressInfo => {
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address;
};

/** A problem as our APIs answer it. */
export const problem = (status: number, detail: string, retryable = false): Answering => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: {
    ...{ type: `https://dcm-project.github.io/problems/${status}`, title: 'A title', status },
    ...{ detail, instance: '/a/path#request-1', retryable },
  },
});
