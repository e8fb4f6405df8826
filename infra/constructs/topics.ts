import { Aws } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription, UrlSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { alarmTopicName, datasetTopicName } from "../../shared/contracts/names.ts";

interface TopicProps {
  readonly config: DeploymentConfig;
  readonly key?: IKey | undefined;
}

/** Where alarms and failed jobs are told, to whom the configuration names. */
export function alarmTopic(scope: Construct, { config, key }: TopicProps): Topic {
  const topic = new Topic(scope, "AlarmTopic", {
    topicName: alarmTopicName(config.name),
    enforceSSL: true,
    ...(key === undefined ? {} : { masterKey: key }),
  });
  // A topic with a policy of its own no longer lets the account's alarms in by default.
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: "Alarms",
      principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
      actions: ["sns:Publish"],
      resources: [topic.topicArn],
      conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
    }),
  );
  const { email, webhook } = config.alarms;
  if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
  if (webhook !== undefined) topic.addSubscription(new UrlSubscription(webhook));
  return topic;
}

/** Tells subscribers, people or programs, of each published dataset version. */
export function datasetTopic(scope: Construct, { config, key }: TopicProps): Topic {
  return new Topic(scope, "DatasetTopic", {
    topicName: datasetTopicName(config.name),
    enforceSSL: true,
    ...(key === undefined ? {} : { masterKey: key }),
  });
}
