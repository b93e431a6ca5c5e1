import { mockClient } from 'aws-sdk-client-mock';
import { afterAll } from 'vitest';

/** `mockClient` until the end of the file: the unit tests share their modules, and so the classes of the SDK's clients. */
export const mockedClient: typeof mockClient = (client) => {
  const mocked = mockClient(client);
  afterAll(() => mocked.restore());
  return mocked;
};
