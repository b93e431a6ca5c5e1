/** Milliseconds since 1970-01-01T00:00Z. */
export type Clock = () => number;

/** Draws the random part of a message id: 16 characters of base64url, which are 96 random bits. Never the same twice. */
export type RandomPart = () => string;
