import * as z from 'zod/mini';
import { regionPattern } from '../adapters/aws/regions.ts';
import { jsonFile } from './json-variable.ts';

/** A file, since with many accounts it exceeds Lambda's 4 KiB of environment variables. */
export const accountsFile = 'accounts.json';

/** Would make names of providers or of namespaces that are others' already; or is a property that every object has. */
const reservedAliases: readonly string[] = ['vm', 'container', 'cluster', 'home', 'constructor'];

/** The name of an account outside: in paths, in names of providers at DCM, in logs. Without hyphens, so that alias and region cannot be a region. */
export const AccountAlias = z.string().check(
  z.regex(/^[a-z][a-z0-9]{1,15}$/, 'expected a letter, then 1 to 15 letters and digits, all lower case'),
  z.refine((alias) => !reservedAliases.includes(alias), {
    error: `expected another alias than ${reservedAliases.join(', ')}`,
  }),
);

export const AccountId = z.string().check(z.regex(/^\d{12}$/, 'expected the 12 digits of an AWS account'));

/**
 * The secret that a role of another account asks for besides who assumes it, so that no other deployment can use the role. STS accepts
 * 2 to 1,224 characters; a guessable one would be none.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export const ExternalId = z
  .string()
  .check(z.regex(/^[\w+=,.@:/-]{20,1224}$/, 'expected 20 to 1,224 letters, digits and + = , . @ : / - _'));

/** The accounts besides the home account, as the functions know them. */
export const AccountsFile = z
  .object({
    externalId: ExternalId,
    accounts: z.record(
      AccountAlias,
      z.object({
        id: AccountId,
        /** The regions of its targets. */
        regions: z.array(z.string().check(z.regex(regionPattern))),
      }),
    ),
  })
  .check(
    z.refine(
      ({ accounts }) => {
        const ids = Object.values(accounts).map(({ id }) => id);
        return new Set(ids).size === ids.length;
      },
      { error: 'expected one alias for each account' },
    ),
  );
export type AccountsFile = z.infer<typeof AccountsFile>;

/** The variable of the functions that know accounts besides the home account; absent: there are none. */
export const accountsVariable = {
  /** File with the JSON of AccountsFile, which a deployment puts beside the code. */
  ACCOUNTS_FILE: z.optional(z.pipe(jsonFile, AccountsFile)),
};
