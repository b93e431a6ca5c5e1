import type { Kind } from '../core/kind.ts';
import { vmKind } from './vm/kind.ts';

/** The service types that the provider serves. */
export const kinds: readonly Kind[] = [vmKind];
