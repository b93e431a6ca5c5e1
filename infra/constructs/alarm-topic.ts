import { ArnFormat, Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';

/**
 * Where this region's alarms are told: a topic of ours for an e-mail address, the given topic where it is in this region (CloudWatch
 * reaches no other), else nowhere.
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
  // A topic with a policy has lost the default one, by which CloudWatch could publish.
  topic.grantPublish(
    new ServicePrincipal('cloudwatch.amazonaws.com', {
      conditions: { ArnLike: { 'aws:SourceArn': alarms } },
    }),
  );
  return topic;
};
