declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** Without `path` everything is kept in memory. */
  const dynalite: (options: {
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly path?: string;
  }) => Server;
  export default dynalite;
}
