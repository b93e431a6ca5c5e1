import { UnavailableError } from '../../shared/core/errors.ts';

/** What `asked` answers, or an UnavailableError where that takes longer: `who` does not answer. */
export const within = async <Answer>(ms: number, who: string, asked: Promise<Answer>): Promise<Answer> => {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UnavailableError(`${who} does not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([asked, silence]);
  } finally {
    clearTimeout(timer);
  }
};
