const mark = '[redacted]';

/** A name of something secret, and what separates it from its value: the rest of the line is the value. */
const named =
  /([\w.-]*(?:passw(?:or)?d|passphrase|(?<![a-z])pass(?![a-z])|(?<![a-z])pwd(?![a-z])|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization|client[_-]?key)[\w.-]*["']?\s*(?:=>|[=:]))(?!\s*$)\s*.+$/i;

/** The same as an option of a command: the next word is the value. */
const option =
  /(--?[\w-]*(?:passw(?:or)?d|passphrase|secret|token|api-?key|access-?key|credentials?)[\w-]*\s+)(?!-)\S+/gi;

/** Values that are known by their form. */
const forms: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{16}\b/g, mark],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${mark}`],
  [/\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?/g, mark],
  [
    /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|npm_|hf_|dckr_pat_|sk-|sk_live_|rk_live_|AIza)[\w-]{16,}/g,
    mark,
  ],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]+@/gi, `$1${mark}@`],
  [/\$(?:1|2[abxy]?|5|6|7|y|gy|argon2\w*)\$[\w./$=,+-]{20,}/g, mark], // hashes of crypt(3)
  [/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, mark], // bootstrap tokens of Kubernetes
  [/<(Password|SecretKey|AccessKey)>[^<]*(?:<\/\1>)?/gi, `<$1>${mark}</$1>`],
  // secret access keys have 40 characters; fingerprints and public keys of SSH have other lengths
  [/(?<![\w/+=])(?=[\w/+]*[a-z])(?=[\w/+]*[A-Z])(?=[\w/+]*\d)[A-Za-z0-9/+]{40}(?![\w/+=])/g, mark],
];

const keyBegins = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/;
const keyEnds = /-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/;
/** Of a private key: base64, an empty line, or a header. */
const isOfKey = (line: string): boolean => /^[\s>|]*([A-Za-z0-9+/=]*|[\w-]+: .*)$/.test(withoutPrefix(line));
/** Prefixes of syslog and of cloud-init, such as `[   12.3] cloud-init[801]: `. */
const withoutPrefix = (line: string): string =>
  line.replace(/^\s*\[\s*\d+\.\d+\]\s*/, '').replace(/^[\w.-]+\[\d+\]:\s*/, '');

/** cloud-init prints random passwords in the lines after this one, as `user:password`. */
const listBegins = /(?:random['"]? passwords?|chpasswd|set the following)/i;
const isPair = (line: string): boolean => /^[\w.@-]+:\S+$/.test(withoutPrefix(line).trim());

/**
 * The lines of a log without passwords, keys, tokens and the secrets that cloud-init prints. It rather takes away too much: a name such as
 * `password` makes the rest of its line secret. What no pattern knows stays, so logs have a permission of their own.
 */
export const redacted = (lines: readonly string[]): readonly string[] => {
  let isInKey = false;
  let isInList = false;
  return lines.map((line) => {
    if (isInKey) {
      isInKey = !keyEnds.test(line) && isOfKey(line);
      if (isInKey || keyEnds.test(line)) return mark;
    }
    if (keyBegins.test(line)) {
      isInKey = !keyEnds.test(line);
      return line.slice(0, line.search(keyBegins)) + mark;
    }
    if (isInList && isPair(line)) return line.replace(/:(?=[^:\s]+\s*$)[^:\s]+\s*$/, `:${mark}`);
    isInList = listBegins.test(line);
    return redactedLine(line);
  });
};

const redactedLine = (line: string): string =>
  forms.reduce(
    (text, [pattern, replacement]) => text.replace(pattern, replacement),
    line.replace(option, `$1${mark}`).replace(named, `$1 ${mark}`),
  );
