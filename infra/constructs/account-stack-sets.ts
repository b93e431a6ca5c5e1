import { Aws, CfnStackSet } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AccountTemplate } from '../account-templates.ts';
import { accountsOf } from '../settings/accounts.ts';
import type { Settings } from '../settings/settings.ts';
import { accountStackName, stackRegionsOf } from '../stacks/account-stack.ts';

export type AccountStackSetsProps = {
  readonly settings: Settings;
  readonly templates: readonly AccountTemplate[];
  /** What must exist before the accounts use it: the event bus. */
  readonly after: Construct;
};

/**
 * Deploys the templates of the accounts by CloudFormation StackSets, where the settings say in which organizational units they are: one StackSet
 * an account, so that the failure of one holds up no other, and nobody reads the settings of another account in its template.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stackset.html
 */
export class AccountStackSets extends Construct {
  constructor(scope: Construct, id: string, { settings, templates, after }: AccountStackSetsProps) {
    super(scope, id);
    const { organization, provider, tags, externalId } = settings;
    const deployTo = organization?.deployTo;
    if (deployTo === undefined || externalId === undefined) return;
    const accounts = Object.fromEntries(accountsOf(settings));
    for (const { alias, body } of templates) {
      const account = accounts[alias];
      if (account === undefined || !(deployTo.accounts ?? [account.id]).includes(account.id)) continue;
      const stackSet = new CfnStackSet(this, alias, {
        stackSetName: accountStackName(provider.name, alias),
        description: `What ${provider.name} needs in the account ${alias}`,
        permissionModel: 'SERVICE_MANAGED',
        callAs: deployTo.delegatedAdministrator ? 'DELEGATED_ADMIN' : 'SELF',
        autoDeployment: { enabled: false },
        managedExecution: { Active: true },
        capabilities: ['CAPABILITY_NAMED_IAM'],
        templateBody: body,
        parameters: [
          { parameterKey: 'HubAccount', parameterValue: Aws.ACCOUNT_ID },
          { parameterKey: 'ExternalId', parameterValue: externalId },
        ],
        stackInstancesGroup: [
          {
            deploymentTargets: {
              organizationalUnitIds: deployTo.organizationalUnits,
              accountFilterType: 'INTERSECTION',
              accounts: [account.id],
            },
            regions: stackRegionsOf(settings, account),
          },
        ],
        tags: Object.entries(tags.stack).map(([key, value]) => ({ key, value })),
      });
      stackSet.node.addDependency(after);
    }
  }
}
