/** The shape of every AWS region's name, without capturing groups, as Hono's router wants it. */
const regionPattern = '[a-z]+(?:-[a-z]+)+-[0-9]+';

/** The VMs of the home region, and of the region that a path begins with. */
export const prefixes = ['', `/:region{${regionPattern}}`] as const;

/**
 * The path that is routed by: one slash for many, none at the end, and the colon of custom methods as itself. DCM's pollers join URLs in
 * different ways.
 */
export const pathOf = (request: Request): string =>
  new URL(request.url).pathname
    .replace(/\/{2,}/g, '/')
    .replace(/(?<=.)\/$/, '')
    .replace(/%3a/gi, ':');

const longestUriPath = 200;

/**
 * The path as part of a URI reference, cut to 200 characters and never within a percent escape. URLs of browsers and Fetch may have
 * characters in a path that RFC 3986 allows only as escapes.
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-3.3
 */
export const uriPathOf = (request: Request): string =>
  pathOf(request)
    .replace(/%(?![0-9a-f]{2})/gi, '%25')
    .replace(/[^\w.~!$&'()*+,;=:@/%-]/g, encodeURIComponent)
    .slice(0, longestUriPath)
    .replace(/%[0-9a-f]?$/i, '');

/** What stands behind the `{vm_id}` of a custom method: a colon and its verb. */
export const verbOf = (template: string): string => /\}(:[a-z]+)$/.exec(template)?.[1] ?? '';

/** A path of the API in Hono's words. Ids end at a colon, which begins the verb of a custom method. */
export const routeOf = (template: string): string =>
  template.replace(/\{(\w+)\}(:[a-z]+)?/, (_, name, verb = '') => `:${name}{[^/:]+${verb}}`);
