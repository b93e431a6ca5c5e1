/** What goes into headers, log lines, tags and events as it came. */
const acceptable = /^[\w.:=+/@-]{1,128}$/;

/** The id that a request has everywhere: its caller's, where there is an acceptable one, or else the one it was given on the way. */
export const requestIdOf = (header: string | null, given: string): string =>
  header !== null && acceptable.test(header) ? header : given;
