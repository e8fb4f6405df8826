import {
  GatewayVpcEndpointAwsService,
  type ISecurityGroup,
  type ISubnet,
  type IVpc,
  SecurityGroup,
  Subnet,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { acceptRule } from "./accept-rule.ts";

/** Where instances of Batch stand. */
export interface BatchNetwork {
  readonly vpc: IVpc;
  readonly subnets: readonly ISubnet[];
  readonly securityGroups: readonly ISecurityGroup[];
}

export function batchNetwork(scope: Construct, { batch: { network } }: DeploymentConfig): BatchNetwork {
  if (network.kind === "own") return ownNetwork(scope);
  const vpc = Vpc.fromVpcAttributes(scope, "Vpc", {
    vpcId: network.vpcId,
    availabilityZones: network.availabilityZones,
  });
  const groups = network.securityGroupIds.map((id) =>
    SecurityGroup.fromSecurityGroupId(scope, `SecurityGroup-${id}`, id, { mutable: false }),
  );
  return {
    vpc,
    subnets: network.subnetIds.map((id) => existingSubnet(scope, id)),
    securityGroups: groups.length === 0 ? [closedGroup(scope, vpc)] : groups,
  };
}

function existingSubnet(scope: Construct, id: string): ISubnet {
  const subnet = Subnet.fromSubnetId(scope, `Subnet-${id}`, id);
  acceptRule(subnet, {
    id: "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
    reason: "Nothing here changes a route of a network that was there before.",
  });
  return subnet;
}

/**
 * Public subnets, since a NAT gateway costs more a month than a small team's jobs. Nothing can reach an instance: its
 * security group lets nothing in. S3 and DynamoDB are reached without leaving AWS.
 */
function ownNetwork(scope: Construct): BatchNetwork {
  const vpc = new Vpc(scope, "Vpc", {
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: "public", subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: true }],
    // Closing the default group takes a custom resource; nothing is ever put into it.
    restrictDefaultSecurityGroup: false,
    gatewayEndpoints: {
      S3: { service: GatewayVpcEndpointAwsService.S3 },
      DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
    },
  });
  acceptRule(vpc, {
    id: "AwsSolutions-VPC7",
    reason:
      "The network stands empty between jobs and lets nothing in. Flow logs would be paid for by the gigabyte of data that jobs read; who needs them brings a network of their own.",
  });
  // The library's own types do not agree with one another under exactOptionalPropertyTypes.
  const made = vpc as IVpc;
  return { vpc: made, subnets: vpc.publicSubnets, securityGroups: [closedGroup(scope, made)] };
}

function closedGroup(scope: Construct, vpc: IVpc): SecurityGroup {
  return new SecurityGroup(scope, "SecurityGroup", {
    vpc,
    description: "Jobs of Gymline: everything out, nothing in",
    allowAllOutbound: true,
  });
}
