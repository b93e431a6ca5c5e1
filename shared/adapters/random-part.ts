import { randomBytes } from 'node:crypto';
import type { RandomPart } from '../ports/clock.ts';

/** From the operating system's random numbers. */
export const randomPart: RandomPart = () => randomBytes(12).toString('base64url');
