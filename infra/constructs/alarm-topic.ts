import { ArnFormat, Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';

/**
 * The topic that gets this region's alarms: a new one for an e-mail address, the given topic if it is in this region (CloudWatch notifies no
 * others), else undefined.
 */
export const alarmTopic = (scope: Construct, emailOrTopicArn: string | undefined): ITopic | undefined => {
  if (emailOrTopicArn === undefined) return undefined;
  if (!emailOrTopicArn.startsWith('arn:')) return emailTopic(scope, emailOrTopicArn);
  const { region } = Stack.of(scope).splitArn(emailOrTopicArn, ArnFormat.NO_RESOURCE_NAME);
  return region === Stack.of(scope).region ? Topic.fromTopicArn(scope, 'Topic', emailOrTopicArn) : undefined;
};

const emailTopic = (scope: Construct, email: string): ITopic => {
  const topic = new Topic(scope, 'Topic', { enforceSSL: true });
  topic.addSubscription(new EmailSubscription(email));
  const alarms = Stack.of(scope).formatArn({ service: 'cloudwatch', resource: 'alarm:*' });
  // A topic policy replaces the default one, which allows CloudWatch to publish.
  topic.grantPublish(
    new ServicePrincipal('cloudwatch.amazonaws.com', {
      conditions: { ArnLike: { 'aws:SourceArn': alarms } },
    }),
  );
  return topic;
};
