import * as z from 'zod/mini';
import type { Checks } from './account.ts';

const thumbprint = "CloudFormation makes GitHub's OIDC provider without a thumbprint";
const secret = 'describe-secret fails where `ec2sp init` has to make the secret';

const host = 'token.actions.githubusercontent.com';

/** What docs/examples/deploy-role.json relies on. */
export const iam: Checks = {
  service: 'IAM',
  makes: "a stack of CloudFormation with GitHub's OIDC provider, unless the account has that",
  ...{ dollars: 0, minutes: 2, assumptions: [thumbprint] },
  run: async ({ ask, tell, until, toRemove, name }, found) => {
    const Provider = z.object({ Arn: z.string() });
    const { OpenIDConnectProviderList: providers } = await ask(
      ['iam', 'list-open-id-connect-providers'],
      z.object({ OpenIDConnectProviderList: z.array(Provider) }),
      { OpenIDConnectProviderList: [] },
    );
    if (providers.some(({ Arn }) => Arn.endsWith(`/${host}`))) {
      found(thumbprint, 'the account has the provider already', 'not seen');
      return;
    }
    const Properties = { Url: `https://${host}`, ClientIdList: ['sts.amazonaws.com'] };
    const template = { Resources: { Provider: { Type: 'AWS::IAM::OIDCProvider', Properties } } };
    const stack = ['--stack-name', name];
    toRemove(`stack ${name}`, async () => {
      await tell(['cloudformation', 'delete-stack', ...stack]);
      await tell(['cloudformation', 'wait', 'stack-delete-complete', ...stack]);
    });
    await tell(['cloudformation', 'create-stack', ...stack, '--template-body', JSON.stringify(template)]);
    const Stacks = z.object({
      Stacks: z.array(z.object({ StackStatus: z.string(), StackStatusReason: z.optional(z.string()) })),
    });
    const { Stacks: made } = await until(
      ['cloudformation', 'describe-stacks', ...stack],
      [Stacks, { Stacks: [] }],
      {
        isReached: ({ Stacks: [one] }) => /(_COMPLETE|_FAILED)$/.test(one?.StackStatus ?? ''),
        ...{ everySeconds: 5, longestSeconds: 300 },
      },
    );
    const status = made[0]?.StackStatus ?? 'no stack';
    found(thumbprint, status, status === 'CREATE_COMPLETE' ? 'as assumed' : 'otherwise');
  },
};

/** What `ec2sp init` relies on. */
export const awsCli: Checks = {
  service: 'AWS CLI',
  ...{ makes: 'nothing', dollars: 0, minutes: 1, assumptions: [secret] },
  run: async ({ refusalOf, name }, found) => {
    const refusal = await refusalOf(['secretsmanager', 'describe-secret', '--secret-id', name]);
    const isNotFound = refusal?.code === 'ResourceNotFoundException';
    found(secret, refusal?.code ?? 'it succeeds', isNotFound ? 'as assumed' : 'otherwise');
  },
};
