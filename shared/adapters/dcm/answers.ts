import * as z from 'zod/mini';
import { reasonOf } from '../../core/errors.ts';
import type { HeldProvider } from '../../ports/provider-registry.ts';
import { type ListedProvider, ProviderList, RegisteredProvider } from '../../wire/dcm-provider.ts';

/** Bytes. A provider takes half a kilobyte. */
const longestAnswer = 64 * 1024;
const longestDetail = 300;

/** The provider in an answer; undefined where there is none, or the answer is too long. */
export const heldProviderOf = async (response: Response): Promise<HeldProvider | undefined> => {
  const parsed = RegisteredProvider.safeParse(jsonOf(await limitedText(response)));
  if (!parsed.success) return undefined;
  const { create_time: created, metadata } = parsed.data;
  return { createdAt: secondsOf(created), registeredAt: secondsOf(metadata?.registered_at) };
};

/** The providers in an answer; undefined where it is not a list of them, or too long. */
export const listedIn = async (response: Response): Promise<readonly ListedProvider[] | undefined> =>
  ProviderList.safeParse(jsonOf(await limitedText(response))).data;

/** Why a call failed, by its answer: RFC 9457's `detail`, or the text. */
export const detailOf = async (response: Response): Promise<string> => {
  if (response.headers.has('location')) return `it redirects to ${response.headers.get('location')}`;
  const text = await bodyOf(response);
  const json = jsonOf(text);
  const { detail, title } = Problem.parse(json);
  return detail ?? title ?? (json === undefined && text !== '' ? text : 'no further details');
};

/** The JSON body of an error answer; undefined where it has none. */
export const errorBodyOf = async (response: Response): Promise<unknown> => jsonOf(await bodyOf(response));

/** Why there was no answer: the message of the innermost cause, the most precise one. */
export const explanationOf = (error: unknown): string => {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause !== undefined) innermost = innermost.cause;
  return reasonOf(innermost) || codeOf(innermost);
};

/** Seconds until the next attempt that the answer asks for; undefined where it does not. RFC 9110, section 10.2.3. */
export const retryAfterSecondsOf = ({ headers }: Response): number | undefined => {
  const given = headers.get('retry-after');
  if (given === null) return undefined;
  const seconds = /^\d+$/.test(given) ? Number(given) : (Date.parse(given) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, Math.ceil(seconds));
};

/**
 * A text for people, without the password of the endpoint, plain or URL encoded. The text is shortened after that, so that no part of a
 * password remains.
 */
export const presentable = (text: string, endpoint: string | undefined): string => {
  const password = endpoint === undefined ? '' : new URL(endpoint).password;
  const free = password
    ? text.replaceAll(password, '***').replaceAll(decodeURIComponent(password), '***')
    : text;
  return free.replaceAll(/\s+/g, ' ').trim().slice(0, longestDetail);
};

/** Where no address of a host answers, Node's error has a code, but no message. */
const codeOf = (error: unknown): string => Coded.parse(error).code ?? 'no answer';

const Coded = z.catch(z.object({ code: z.optional(z.string()) }), {});

const Problem = z.catch(z.object({ detail: z.optional(z.string()), title: z.optional(z.string()) }), {});

/** Empty where the connection breaks: the status is enough to know that the call failed. */
const bodyOf = (response: Response): Promise<string> => limitedText(response).catch(() => '');

const limitedText = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > longestAnswer) return '';
  }
  return text;
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** RFC 3339 to seconds since 1970; undefined where the text is not a time. */
const secondsOf = (time: string | undefined): number | undefined => {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
};
