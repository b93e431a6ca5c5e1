/**
 * When a version of the provider first answered, in seconds since 1970: whoever asks first decides it, for all execution environments.
 * @throws UnavailableError where that is not known now.
 */
export type FirstAnswer = (version: string) => Promise<number>;
