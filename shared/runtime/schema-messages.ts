import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';

// zod/mini brings no words: without them every refusal reads "Invalid input" and nobody learns what was expected.
z.config(en());
