import type { Kind } from '../core/kind.ts';
import { clusterKind } from './cluster/kind.ts';
import { containerKind } from './container/kind.ts';
import { vmKind } from './vm/kind.ts';

/** The service types that the provider can serve. */
export const kinds: readonly Kind[] = [vmKind, containerKind, clusterKind];
